/* banned.h - functions this project does not use, as compile errors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Forced into every translation unit with -include.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some are also macros, which must go before the names are poisoned. */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef alloca

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets
#pragma GCC poison strtok atoi atol atoll alloca mktemp tmpnam system popen

#endif /* BASE_BANNED_H */
