/* The dashboard: until it is told to end. */
#include "capture/base.h"
#include "door/command.h"
#include "report/serve.h"

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

int command_serve(const struct options *o)
{
	struct serve_settings settings = o->serve;
	char url[256], error[512];
	struct serve *s;
	sigset_t ends;
	int signal;

	if (o->files.count != 1)
		options_misuse("one case file is wanted", o->verb);
	settings.path = o->files.of[0];
	settings.emit = o->emit;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	s = serve_begin(&settings, url, error, sizeof(error));
	if (s == NULL)
		command_fail(EX_UNAVAILABLE, error);
	base_log("serving %s at %s", settings.path, url);
	sigwait(&ends, &signal);
	serve_end(&s);
	return EX_OK;
}
