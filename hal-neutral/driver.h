/* driver.h - which driver of an administrator's folder serves a device
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Models sections are chosen as Windows does ("INF Manufacturer Section"): the
 * decoration NT[arch][.major[.minor]] must fit the machine and not be newer
 * than the Windows; the newest that fits wins, and an undecorated section
 * serves x86 only where none fits.
 */
#ifndef HAL_NEUTRAL_DRIVER_H
#define HAL_NEUTRAL_DRIVER_H

#include "base/attr.h"
#include "base/scope.h"
#include "hal-neutral/image.h"
#include "hal-neutral/inf.h"
#include "hal-neutral/platform.h"

struct err;

/* One INF file of the folder. */
struct hn_package {
	char *path, *dir;	/* host paths, absolute; owned */
	struct hn_inf inf;
};

struct hn_packages {
	size_t count, cap;
	struct hn_package *at;	/* owned */
};

#define HN_PACKAGES_EMPTY { .at = NULL }
#define HN_PACKAGES_SCOPED SCOPED(hn_packages_done)

void hn_packages_done(struct hn_packages *p);

/* Read every *.inf below `dir`, in order of their paths, and add them. */
MUST_CHECK int hn_packages_add(struct hn_packages *p, const char *dir,
			       struct err *e);

/* A package's answer to a device. */
struct hn_match {
	const struct hn_package *package;
	char *id;		/* the device's id that the INF names; owned */
	char *install;		/* DDInstall section, decorated; owned */
};

#define HN_MATCH_EMPTY { .package = NULL }
#define HN_MATCH_SCOPED SCOPED(hn_match_done)

void hn_match_done(struct hn_match *m);

/* The best match of those packages that were not tried (one flag each): most
 * special id first.  1, 0, -1. */
MUST_CHECK int hn_driver_match(const struct hn_packages *all,
			       const bool *tried, const struct hn_image *im,
			       const struct hn_device *d, struct hn_match *ret,
			       struct err *e);

/* How INF files call the image's processor: "x86", "amd64", "arm64". */
const char *hn_arch_word(const struct hn_image *im);

/* Every line of the package's Models sections that are for this image; fn may
 * stop with -1. */
typedef int (*hn_model_fn)(void *arg, const struct hn_package *p,
			   const char *maker, const struct hn_inf_line *line,
			   struct err *e);
MUST_CHECK int hn_package_models(const struct hn_package *p,
				 const struct hn_image *im, hn_model_fn fn,
				 void *arg, struct err *e);

/* The install section of a model's line, with the decoration that this image
 * takes; the caller frees. */
MUST_CHECK char *hn_install_name(const struct hn_image *im,
				 const struct hn_inf *inf,
				 const struct hn_inf_line *line,
				 struct err *e);

/*
 * The file `name` of a package on this computer, found without regard to case
 * beside the INF or where SourceDisksFiles and SourceDisksNames (first those
 * decorated with the processor) say; the caller frees.  1, 0, -1.
 */
MUST_CHECK int hn_package_file(const struct hn_package *p, const char *arch,
			       const char *name, char **ret, struct err *e);

#endif /* HAL_NEUTRAL_DRIVER_H */
