/* links.h - what the files that build a verdict share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef HAL_NEUTRAL_LINKS_H
#define HAL_NEUTRAL_LINKS_H

#include "base/attr.h"
#include "hal-neutral/chain.h"

/* Add a link that holds, or one that is missing.  `what` and `why` become the
 * verdict's; NULL is an allocation that was refused, which *e tells. */
MUST_CHECK int hn_holds(struct hn_verdict *v, const char *kind, char *what,
			struct err *e);
MUST_CHECK int hn_fails(struct hn_verdict *v, const char *kind, char *what,
			char *why, struct err *e);

/* The file at this volume path can be loaded by the kernel. */
MUST_CHECK int hn_module_link(struct hn_verdict *v, const char *kind,
			      struct hn_image *im, const char *path,
			      struct err *e);

/* The service is there, starts with the boot loader, and its file loads. */
MUST_CHECK int hn_service_links(struct hn_verdict *v, struct hn_image *im,
				const struct hn_set *set, const char *service,
				struct err *e);

/* From the firmware to the boot loader's choice of this installation
 * (boot_chain.c). */
MUST_CHECK int hn_boot_links(struct hn_verdict *v, struct hn_image *im,
			     const struct hn_platform *p, struct err *e);

/* Kernel and HAL, as the boot entry names them (hal_chain.c). */
MUST_CHECK int hn_kernel_links(struct hn_verdict *v, struct hn_image *im,
			       const struct hn_set *set,
			       const struct hn_platform *p, struct err *e);

#endif /* HAL_NEUTRAL_LINKS_H */
