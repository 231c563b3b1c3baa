/* attr.h - compiler attributes under readable names
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define MUST_CHECK	__attribute__((warn_unused_result))
#define PRINTF(f, a)	__attribute__((format(printf, f, a)))
#define EXPORT		__attribute__((visibility("default")))
#define COLD		__attribute__((cold))
#define NONNULL		__attribute__((nonnull))
/* A function whose arithmetic wraps on purpose; only clang can be told. */
#ifdef __clang__
#define WRAPS		__attribute__((no_sanitize("unsigned-integer-overflow", \
						   "implicit-conversion")))
#else
#define WRAPS
#endif

#endif /* BASE_ATTR_H */
