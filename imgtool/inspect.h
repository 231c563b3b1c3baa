/* inspect.h - what inspect tells of an installation beyond its first facts
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef IMGTOOL_INSPECT_H
#define IMGTOOL_INSPECT_H

struct js;
struct wn_install;

/* Programs, devices, boot drivers, HAL; and of each user the known folders and
 * whether Windows would load the profile.  What cannot be read is left out, and
 * said in `notes`. */
void inspect_json(struct js *o, struct wn_install *in);
void inspect_text(struct wn_install *in);

#endif /* IMGTOOL_INSPECT_H */
