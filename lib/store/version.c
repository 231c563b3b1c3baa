/* version.c - manifests: see version.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/version.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/utf.h"
#include "crypt/hash.h"
#include "crypt/record.h"
#include "crypt/sign.h"
#include "store/repo-private.h"

#define VERSION 1
#define PURPOSE "halcyon version"
#define WORD_MAX 65535u

static const char magic[8] = "HALVERS\n";

void
st_version_done(struct st_version *v)
{
	for (size_t i = 0; i < v->props; i++) {
		free(v->prop[i].key);
		free(v->prop[i].value);
	}
	free(v->prop);
	free(v->parent_text);
	*v = (struct st_version)ST_VERSION_EMPTY;
}

/* ---- properties ---------------------------------------------------------- */

/* Where a key is, or would be. */
static size_t
prop_at(const struct st_version *v, const char *key, bool *ret_found)
{
	size_t i = 0;

	while (i < v->props && strcmp(v->prop[i].key, key) < 0)
		i++;
	*ret_found = i < v->props && strcmp(v->prop[i].key, key) == 0;
	return i;
}

int
st_version_set(struct st_version *v, const char *key, const char *value,
	       struct err *e)
{
	SCOPED_FREE char *k = mem_str(key, e);
	SCOPED_FREE char *text = mem_str(value, e);
	bool found;
	size_t i = prop_at(v, key, &found);

	if (k == NULL || text == NULL)
		return -1;
	if (strlen(key) > WORD_MAX || strlen(value) > WORD_MAX ||
	    v->props >= ST_PROPS_MAX)
		return err_set(e, ERR_USAGE, "more than a version can note");
	if (!found) {
		if (mem_grow(&v->prop, &v->prop_cap, v->props + 1,
			     sizeof(*v->prop), e) < 0)
			return -1;
		memmove(v->prop + i + 1, v->prop + i,
			(v->props - i) * sizeof(*v->prop));
		v->props++;
		v->prop[i].key = TAKE(k);
	} else {
		free(v->prop[i].value);
	}
	v->prop[i].value = TAKE(text);
	return 0;
}

const char *
st_version_get(const struct st_version *v, const char *key)
{
	bool found;
	size_t i = prop_at(v, key, &found);

	return found ? v->prop[i].value : NULL;
}

int
st_version_proven(const struct st_version *v, struct err *e)
{
	const size_t skip = strlen(ST_PROP_PLATFORM);
	char name[128], why[512];

	for (size_t i = 0; i < v->props; i++) {
		const struct st_prop *p = &v->prop[i];

		if (strncmp(p->key, ST_PROP_PLATFORM, skip) != 0 ||
		    strcmp(p->value, "YES") == 0)
			continue;
		return err_set(e, ERR_UNSAFE, "%s:%llu: is not proven to boot "
			       "on %s: %s; --unproven goes on all the same",
			       v->name, (unsigned long long)v->number,
			       err_quote(name, sizeof(name), p->key + skip,
					 strlen(p->key + skip)),
			       err_quote(why, sizeof(why), p->value,
					 strlen(p->value)));
	}
	return 0;
}

/* ---- writing ------------------------------------------------------------- */

static void
put_word(struct buf *b, const char *word)
{
	size_t n = word == NULL ? 0 : strlen(word);

	buf_u16le(b, (uint16_t)n);
	if (n > 0)
		buf_bytes(b, word, n);
}

static int
put_body(const struct st_version *v, struct buf *b, struct err *e)
{
	buf_bytes(b, v->root.at, ST_ID_BYTES);
	buf_u64le(b, v->size);
	buf_u64le(b, v->created);
	buf_u32le(b, v->flags);
	buf_zeros(b, 4);
	buf_u64le(b, v->data);
	buf_u64le(b, v->added);
	buf_u64le(b, v->stored);
	put_word(b, v->parent_text);
	buf_u16le(b, (uint16_t)v->props);
	for (size_t i = 0; i < v->props; i++) {
		put_word(b, v->prop[i].key);
		put_word(b, v->prop[i].value);
	}
	return buf_ok(b, e);
}

int
st_version_encode(const struct st_version *v, const struct st_line *line,
		  const struct cx_key *signer, struct buf *out,
		  struct st_id *ret_id, struct err *e)
{
	BUF_SCOPED struct buf body = BUF_EMPTY;
	uint8_t hash[CX_HASH_BYTES], sig[CX_SIG_BYTES];

	if (put_body(v, &body, e) < 0)
		return -1;
	buf_bytes(out, magic, sizeof(magic));
	buf_u16le(out, VERSION);
	buf_zeros(out, 2);
	buf_u32le(out, 0);		/* features a reader must know */
	buf_bytes(out, v->domain, sizeof(v->domain));
	buf_bytes(out, v->line, sizeof(v->line));
	buf_u64le(out, v->number);
	buf_bytes(out, v->parent.at, ST_ID_BYTES);
	put_word(out, v->name);
	buf_bytes(out, signer->pub.sign, sizeof(v->signer));

	size_t size = cx_record_size(body.len);
	buf_u32le(out, (uint32_t)size);
	size_t head = out->len;
	uint8_t *room = buf_room(out, size);
	if (room == NULL)
		return buf_ok(out, e);
	cx_record_seal(st_line_manifest_key(line), out->at, head, body.at,
		       body.len, room);
	cx_hash(hash, out->at, out->len);
	cx_sign(signer, PURPOSE, hash, sig);
	buf_bytes(out, sig, sizeof(sig));
	if (buf_ok(out, e) < 0)
		return -1;
	cx_hash(ret_id->at, out->at, out->len);
	return 0;
}

/* ---- reading ------------------------------------------------------------- */

/* A word of a body as a string; NULL with *e set or the cursor bad. */
static char *
take_word(struct cur *c, struct err *e)
{
	size_t n = cur_u16le(c);
	const void *at = cur_rest(c);

	(void)cur_sub(c, n);
	if (cur_ok(c) && (memchr(at, 0, n) != NULL || !utf_valid8(at, n)))
		cur_bad(c, "holds something that is no text");
	return cur_ok(c) ? mem_strn(at, n, e) : NULL;
}

static int
take_props(struct cur *c, struct st_version *v, struct err *e)
{
	size_t count = cur_u16le(c);

	if (cur_ok(c) && count > ST_PROPS_MAX)
		cur_bad(c, "has too many properties");
	for (size_t i = 0; i < count && cur_ok(c); i++) {
		SCOPED_FREE char *key = take_word(c, e);
		SCOPED_FREE char *value = take_word(c, e);

		if (cur_ok(c) && (key == NULL || value == NULL))
			return -1;
		if (!cur_ok(c))
			break;
		if (i > 0 && strcmp(v->prop[i - 1].key, key) >= 0) {
			cur_bad(c, "has unsorted properties");
			break;
		}
		if (st_version_set(v, key, value, e) < 0)
			return -1;
	}
	return cur_ok(c) ? 0 : cur_err(c, e);
}

static int
parse_body(const char *what, const void *in, size_t len, struct st_version *v,
	   struct err *e)
{
	struct cur c = cur_over(what, in, len);

	cur_bytes(&c, v->root.at, ST_ID_BYTES);
	v->size = cur_u64le(&c);
	v->created = cur_u64le(&c);
	v->flags = cur_u32le(&c);
	cur_zeros(&c, 4);
	v->data = cur_u64le(&c);
	v->added = cur_u64le(&c);
	v->stored = cur_u64le(&c);
	v->parent_text = take_word(&c, e);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (v->parent_text == NULL)
		return -1;
	if (v->parent_text[0] == '\0')
		free(TAKE(v->parent_text));
	if (take_props(&c, v, e) < 0)
		return -1;
	return cur_end(&c, e);
}

/* The clear part up to the body's length. */
static int
parse_head(struct cur *c, const char *what, struct st_version *v, struct err *e)
{
	cur_magic(c, magic, sizeof(magic));
	uint16_t version = cur_u16le(c);
	cur_zeros(c, 2);
	uint32_t features = cur_u32le(c);
	cur_bytes(c, v->domain, sizeof(v->domain));
	cur_bytes(c, v->line, sizeof(v->line));
	v->number = cur_u64le(c);
	cur_bytes(c, v->parent.at, ST_ID_BYTES);
	size_t n = cur_u16le(c);
	if (cur_ok(c) && (n == 0 || n > ST_NAME_MAX))
		cur_bad(c, "has no name");
	if (!cur_ok(c))
		return cur_err(c, e);
	if (version != VERSION || features != 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: needs a newer version "
			       "(format %u, features %#x)", what, version,
			       features);
	cur_bytes(c, v->name, n);
	cur_bytes(c, v->signer, sizeof(v->signer));
	if (cur_ok(c) && (strlen(v->name) != n || !st_name_ok(v->name) ||
			  v->number == 0))
		cur_bad(c, "has no name");
	return cur_ok(c) ? 0 : cur_err(c, e);
}

int
st_version_parse(const char *what, const void *in, size_t len,
		 const struct st_line *line, struct st_version *ret,
		 struct err *e)
{
	struct cur c = cur_over(what, in, len);
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	uint8_t hash[CX_HASH_BYTES], sig[CX_SIG_BYTES];

	if (parse_head(&c, what, &v, e) < 0)
		return -1;
	uint32_t body_len = cur_u32le(&c);
	size_t head = len - cur_left(&c);
	const void *body = cur_rest(&c);
	(void)cur_sub(&c, body_len);
	size_t signed_len = len - cur_left(&c);
	cur_bytes(&c, sig, sizeof(sig));
	if (cur_end(&c, e) < 0)
		return -1;
	cx_hash(hash, in, signed_len);
	if (cx_verify(v.signer, PURPOSE, hash, sig, what, e) < 0)
		return -1;
	if (line != NULL) {
		SCOPED_FREE uint8_t *plain = mem_array(body_len, 1, e);
		size_t plain_len;

		if (plain == NULL ||
		    cx_record_open(st_line_manifest_key(line), in, head, body,
				   body_len, what, plain, &plain_len, e) < 0 ||
		    parse_body(what, plain, plain_len, &v, e) < 0)
			return -1;
	}
	*ret = TAKE(v);
	return 0;
}

int
st_version_bytes(const struct st_repo *r, const struct st_id *id, uint8_t **ret,
		 size_t *ret_len, struct err *e)
{
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = st_repo_file(r, e, "versions/%s.version",
					      st_id_hex(id, hex));
	SCOPED_FREE uint8_t *in = NULL;
	struct st_id real;
	size_t len;

	if (path == NULL)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return err_set(e, ERR_CORRUPT, "%s: manifest is missing", path);
	if (io_slurp(path, ST_FILE_MAX, &in, &len, e) < 0)
		return -1;
	cx_hash(real.at, in, len);
	if (!st_id_equal(&real, id))
		return err_set(e, ERR_CORRUPT, "%s: manifest is damaged: its "
			       "bytes do not have its name", path);
	*ret = TAKE(in);
	*ret_len = len;
	return 0;
}

/* Does the manifest say what led to it? */
static int
check_ref(const struct st_repo *r, const struct st_ref *ref,
	  const struct st_version *v, struct err *e)
{
	if (strcmp(v->name, ref->name) != 0 || v->number != ref->number)
		return err_set(e, ERR_AUTH, "%s:%llu: its manifest is that of "
			       "%s:%llu", ref->name,
			       (unsigned long long)ref->number, v->name,
			       (unsigned long long)v->number);
	if (!r->has_domain || memcmp(v->domain, r->domain, 16) != 0)
		return err_set(e, ERR_AUTH, "%s:%llu: is of another repository",
			       ref->name, (unsigned long long)ref->number);
	if (!st_repo_trusts(r, v->signer))
		return err_set(e, ERR_AUTH, "%s:%llu: is not signed by an "
			       "administrator", ref->name,
			       (unsigned long long)ref->number);
	return 0;
}

int
st_version_load(const struct st_repo *r, const struct st_ref *ref,
		struct st_line *line, struct st_version *ret, struct err *e)
{
	SCOPED_FREE uint8_t *in = NULL;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	ST_LINE_SCOPED struct st_line l = ST_LINE_EMPTY;
	char what[ST_NAME_MAX + 32];
	size_t len;

	(void)snprintf(what, sizeof(what), "%s:%llu", ref->name,
		       (unsigned long long)ref->number);
	if (st_version_bytes(r, &ref->version, &in, &len, e) < 0)
		return err_ctx(e, "%s", what);
	if (st_version_parse(what, in, len, NULL, &v, e) < 0 ||
	    check_ref(r, ref, &v, e) < 0)
		return -1;
	if (line != NULL) {
		if (st_line_open(r, v.line, &l, e) < 0)
			return err_ctx(e, "%s", what);
		st_version_done(&v);
		if (st_version_parse(what, in, len, &l, &v, e) < 0)
			return -1;
		*line = TAKE(l);
	}
	*ret = TAKE(v);
	return 0;
}
