/* cmd_probe.c - imgrun probe: can this machine run a guest in hardware?
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "base/accel.h"
#include "base/err.h"
#include "base/json.h"
#include "runtime/cmd.h"

static const char *
accel(const struct accel *p)
{
	return accel_kvm(p) ? "kvm" : "tcg";
}

static int
print_json(const struct accel *p, struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgrun probe", 1, e);

	js_str(j, "verdict", accel_words[p->verdict]);
	js_str(j, "reason", p->why);
	js_str(j, "accelerator", accel(p));
	js_bool(j, "isolation", accel_kvm(p));
	js_str(j, "module", p->module[0] == '\0' ? NULL : p->module);
	js_bool(j, "cpu-flag", p->cpu_flag);
	js_bool(j, "in-virtual-machine", p->guest);
	js_u64(j, "exit-ns", p->exit_ns);
	js_u64(j, "loop-us", p->loop_us);
	return js_print(j, stdout, e);
}

static int
probe(const struct cli_args *a, struct err *e)
{
	struct accel p;

	if (accel_probe("/dev/kvm", &p, e) < 0)
		return -1;
	if (a->json)
		return print_json(&p, e);
	(void)printf("verdict      %s\nreason       %s\n"
		     "accelerator  %s\nisolation    %s\n",
		     accel_words[p.verdict], p.why, accel(&p),
		     accel_kvm(&p) ? "hardware"
			: "none: emulation is no security boundary");
	return 0;
}

const struct cli_cmd cmd_probe = {
	.name = "probe", .operands = "",
	.help = "test, within a time limit, whether hardware can run a guest",
	.common = CLI_JSON, .run = probe,
};
