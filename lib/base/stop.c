/* stop.c - see stop.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/stop.h"

#include <signal.h>
#include <stddef.h>

#include "base/err.h"

static volatile sig_atomic_t asked;

static void
on_signal(int sig)
{
	(void)sig;
	asked = 1;
}

void
stop_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART | (int)SA_RESETHAND,
	};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &act, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

bool
stop_asked(void)
{
	return asked != 0;
}

int
stop_check(struct err *e)
{
	return asked ? err_set(e, ERR_INTERRUPTED, "interrupted") : 0;
}
