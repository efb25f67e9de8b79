#include "door/command.h"

#include "capture/base.h"
#include "report/emit.h"
#include "report/judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

_Noreturn void command_fail(int status, const char *why)
{
	base_log("%s", why);
	exit(status);
}

/* No half of a page stays. */
static void write_page(struct store *st, const struct options *o)
{
	FILE *out = fopen(o->html_path, "w");
	char error[512];

	if (out == NULL) {
		snprintf(error, sizeof(error), "%s: %s", o->html_path, strerror(errno));
		command_fail(EX_CANTCREAT, error);
	}
	bool ok = emit_html(st, &o->emit, out);

	snprintf(error, sizeof(error), "%s: %s", o->html_path, ok ? "" : store_error(st));
	if (fclose(out) != 0 && ok) {
		snprintf(error, sizeof(error), "%s: %s", o->html_path, strerror(errno));
		ok = false;
	}
	if (!ok) {
		unlink(o->html_path);
		command_fail(EX_IOERR, error);
	}
}

int command_emit(struct store *st, const struct options *o)
{
	bool page = o->html_path != NULL && strcmp(o->html_path, "-") == 0;
	FILE *out = o->export.to == NULL ? stdout : fopen(o->export.to, "we");
	bool ok;

	if (out == NULL) {
		base_log("%s: %s", o->export.to, strerror(errno));
		exit(EX_CANTCREAT);
	}
	ok = page ? emit_html(st, &o->emit, out) :
	     o->json ? emit_json(st, &o->emit, out) :
	     strcmp(o->verb, "experiment") == 0 ? emit_experiment(st, &o->emit, out) :
	     emit_text(st, &o->emit, out);
	if (ok && o->html_path != NULL && !page)
		write_page(st, o);
	if (!ok)
		command_fail(EX_SOFTWARE, store_error(st));
	if (fflush(out) != 0 || ferror(out) || (out != stdout && fclose(out) != 0))
		command_fail(EX_IOERR, strerror(errno));
	return o->exit_zero ? EX_OK : judge_exit_status(st);
}
