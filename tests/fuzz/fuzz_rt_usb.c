/* fuzz_rt_usb.c - what a USB device says of itself
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdlib.h>

#include "base/err.h"
#include "runtime/usb.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static const struct rt_usb_rules none = RT_USB_RULES_EMPTY;
	struct rt_usb_device d = { .vendor = 0 };
	struct err e = ERR_INIT;
	const char *why = NULL;

	if (rt_usb_parse(in, len, &d, &e) < 0)
		return 0;
	/* Whatever it says, nothing is allowed by itself. */
	if (d.class_count > RT_USB_CLASSES_MAX ||
	    rt_usb_allowed(&none, &none, &d, &why) || why == NULL)
		abort();
	return 0;
}
