/* The dashboard: until it is told to end. */
#include "capture/base.h"
#include "door/command.h"
#include "door/enclosure.h"
#include "report/serve.h"
#include "report/view.h"

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

/* The case, and the capture files that it rests on: evidence is read from them. */
static void add_files(struct words *w, const char *path)
{
	char error[512];
	struct store *st = store_view(path, error, sizeof(error));
	struct view v;
	struct view_source source;

	if (st == NULL)
		command_fail(EX_NOINPUT, error);
	options_add_word(w, base_strdup(path));
	v = view_sources(st, VIEW_ALL_SOURCES);
	while (view_source(&v, &source))
		if (source.sha256[0] != '\0')
			options_add_word(w, base_strdup(source.path));
	view_end(&v);
	store_close(&st);
}

int command_serve(const struct options *o)
{
	struct serve_settings settings = o->serve;
	struct words files = { 0 };
	struct enclosure *enclosure;
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
	add_files(&files, settings.path);
	enclosure = enclosure_begin_serving(o, &files);
	s = serve_begin(&settings, url, error, sizeof(error));
	if (s == NULL)
		command_fail(EX_UNAVAILABLE, error);
	enclosure_enter(enclosure);
	if (!serve_start(s, error, sizeof(error)))
		command_fail(EX_UNAVAILABLE, error);
	base_log("serving %s at %s", settings.path, url);
	sigwait(&ends, &signal);
	serve_end(&s);
	enclosure_end(&enclosure);
	options_free_copies(&files);
	return EX_OK;
}
