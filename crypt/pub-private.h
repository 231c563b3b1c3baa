/* pub-private.h - what key.c and pub.c share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef CRYPT_PUB_PRIVATE_H
#define CRYPT_PUB_PRIVATE_H

#include "crypt/key.h"

void cx_pub_set_id(struct cx_pub *p);
void cx_pub_set_name(struct cx_pub *p, const char *name, size_t len);

/* One line, a string without its newline; `name` names its file. */
MUST_CHECK int cx_pub_parse(const char *name, const char *line,
			    struct cx_pub *ret, struct err *e);

#endif /* CRYPT_PUB_PRIVATE_H */
