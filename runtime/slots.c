/* slots.c - which version of its image a guest runs, and which it may run next
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/slots.h"

#include <string.h>

#include "runtime/journal.h"

/* The version that a detail begins with. */
static int
read_version(const char *detail, char out[RT_VERSION_ROOM])
{
	size_t len = strcspn(detail, " ");
	const char *colon = memchr(detail, ':', len);

	if (len >= RT_VERSION_ROOM || colon == NULL || colon == detail ||
	    colon + 1 == detail + len)
		return -1;
	memcpy(out, detail, len);
	out[len] = '\0';
	return 0;
}

static void
set(char to[RT_VERSION_ROOM], const char *from)
{
	memmove(to, from, strlen(from) + 1);
}

bool
rt_slots_is_rejected(const struct rt_slots *s, const char *version)
{
	for (unsigned i = 0; i < s->rejected_count; i++)
		if (strcmp(s->rejected[i], version) == 0)
			return true;
	return false;
}

static void
forget_rejected(struct rt_slots *s, const char *version)
{
	unsigned to = 0;

	for (unsigned i = 0; i < s->rejected_count; i++)
		if (strcmp(s->rejected[i], version) != 0)
			set(s->rejected[to++], s->rejected[i]);
	s->rejected_count = to;
}

static void
reject(struct rt_slots *s, const char *version)
{
	/* It is no version to go back to, either. */
	if (strcmp(s->previous, version) == 0)
		s->previous[0] = '\0';
	forget_rejected(s, version);
	if (s->rejected_count == RT_REJECTED_MAX) {
		memmove(s->rejected[0], s->rejected[1],
			(RT_REJECTED_MAX - 1) * sizeof(s->rejected[0]));
		s->rejected_count--;
	}
	set(s->rejected[s->rejected_count++], version);
}

const char *
rt_slots_start(const struct rt_slots *s)
{
	return s->next[0] != '\0' ? s->next : s->active;
}

static int
stage(struct rt_slots *s, const char *version)
{
	if (strcmp(s->active, version) == 0)
		return -1;
	/* Staging it again, knowingly, gives it another chance. */
	forget_rejected(s, version);
	set(s->next, version);
	s->tries = 0;
	return 0;
}

/* The words behind the version; more than fit were never written. */
static int
note_passed(struct rt_slots *s, const char *detail)
{
	const char *words = detail + strcspn(detail, " ");

	words += strspn(words, " ");
	if (strlen(words) >= sizeof(s->passed))
		return -1;
	memcpy(s->passed, words, strlen(words) + 1);
	return 0;
}

static int
activate(struct rt_slots *s, const char *detail)
{
	if (s->tries == 0 || note_passed(s, detail) < 0)
		return -1;
	set(s->previous, s->active);
	set(s->active, s->next);
	s->next[0] = '\0';
	s->tries = 0;
	return 0;
}

/* Back to the version before; what was active will not come again by itself. */
static int
roll_back(struct rt_slots *s, const char *version)
{
	if (strcmp(s->previous, version) != 0)
		return -1;
	reject(s, s->active);
	set(s->active, s->previous);
	s->passed[0] = '\0';
	s->previous[0] = '\0';
	s->next[0] = '\0';
	s->tries = 0;
	return 0;
}

int
rt_slots_apply(struct rt_slots *s, int event, const char *detail)
{
	char version[RT_VERSION_ROOM];

	if (event != RT_EV_CREATED &&
	    (event < RT_EV_STAGED || event > RT_EV_HEALTHY))
		return 0;
	if (read_version(detail, version) < 0)
		return -1;
	if (event == RT_EV_CREATED) {
		set(s->active, version);
		return 0;
	}
	if (event == RT_EV_STAGED)
		return stage(s, version);
	if (event == RT_EV_ROLLED_BACK)
		return roll_back(s, version);
	if (event == RT_EV_HEALTHY)
		return strcmp(s->active, version) == 0 ? note_passed(s, detail)
						       : -1;
	/* The others are about what is staged. */
	if (strcmp(s->next, version) != 0)
		return -1;
	if (event == RT_EV_TRIAL) {
		s->tries++;
		return 0;
	}
	if (event == RT_EV_ACTIVE)
		return activate(s, detail);
	reject(s, version);
	s->next[0] = '\0';
	s->tries = 0;
	return 0;
}
