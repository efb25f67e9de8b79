#include "door/command.h"

#include "capture/base.h"
#include "report/emit.h"
#include "report/judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

_Noreturn void command_fail(int status, const char *why)
{
	base_log("%s", why);
	exit(status);
}

int command_emit(struct store *st, const struct options *o)
{
	bool ok = o->json ? emit_json(st, &o->emit, stdout) :
		  strcmp(o->verb, "experiment") == 0 ? emit_experiment(st, &o->emit, stdout) :
		  emit_text(st, &o->emit, stdout);

	if (!ok)
		command_fail(EX_SOFTWARE, store_error(st));
	if (fflush(stdout) != 0 || ferror(stdout))
		command_fail(EX_IOERR, strerror(errno));
	return o->exit_zero ? EX_OK : judge_exit_status(st);
}
