/* What is done with a case that is there. */
#include "capture/base.h"
#include "door/command.h"
#include "report/evidence.h"
#include "report/judge.h"
#include "report/store_lock.h"
#include "report/store_sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* The case that the first of so many words names. */
static struct store *open_case(const struct options *o, unsigned words)
{
	char error[512];
	struct store *st;

	if (o->files.count != words)
		options_misuse(words == 1 ? "one case file is wanted" : "a case file and a finding's number are wanted",
			       o->verb);
	st = store_open(o->files.of[0], error, sizeof(error));
	if (st == NULL)
		command_fail(EX_NOINPUT, error);
	return st;
}

/* Judges a kept case by today's catalogue and this policy. A run that writes it judges it itself. */
int command_judge(const struct options *o)
{
	struct store *st = open_case(o, 1);
	struct knowledge k;
	char error[128];
	int lock, status;

	if (!store_lock(o->files.of[0], &lock, error, sizeof(error))) {
		base_log("%s: %s", o->files.of[0], error);
		exit(EX_CANTCREAT);
	}
	k = knowledge_open(o);
	if (!store_killed(st) || !judge(st, k.policy, &k.book))
		command_fail(EX_SOFTWARE, store_error(st));
	status = command_emit(st, o);
	store_close(&st);
	store_unlock(&lock);
	knowledge_close(&k);
	return status;
}

/* Its last judgement knew nothing of what was not stored any more: no verdict of it but `leak` holds. */
static bool was_killed(struct store *st, const char *path, int *lock_out)
{
	char error[128];

	*lock_out = -1;
	return store_number(st, "SELECT count(*) FROM source WHERE end = 'running'", 0) > 0 &&
	       store_lock(path, lock_out, error, sizeof(error));
}

int command_report(const struct options *o)
{
	struct store *st = open_case(o, 1);
	int status = EX_OK, lock;
	bool killed = was_killed(st, o->files.of[0], &lock);

	if (killed)
		base_log("%s: the run that wrote it was killed; what its verdicts are worth, mailwitness judge says",
			 o->files.of[0]);
	if (o->letter == 0)
		status = command_emit(st, o);
	else if (!emit_letter(st, o->letter, o->letter_to, stdout))
		command_fail(EX_NOINPUT, store_error(st));
	store_close(&st);
	store_unlock(&lock);
	return killed && status != 1 && !o->exit_zero ? EX_DATAERR : status;
}

int command_export(const struct options *o)
{
	char error[512];
	struct store *st;
	int status;

	if (!export_check(&o->export, error, sizeof(error)))
		options_misuse("export", error);
	st = open_case(o, 1);
	status = export_case(st, &o->export, error, sizeof(error));
	if (status != EX_OK)
		base_log("%s", error);
	store_close(&st);
	return status;
}

int command_explain(const struct options *o)
{
	struct store *st = open_case(o, 2);
	bool ok = emit_explain(st, options_finding(o->files.of[1]), &o->emit, stdout);

	if (!ok)
		command_fail(EX_NOINPUT, store_error(st));
	store_close(&st);
	return EX_OK;
}

int command_evidence(const struct options *o)
{
	struct store *st = open_case(o, 2);
	int64_t finding = options_finding(o->files.of[1]);
	char error[512];
	FILE *out;
	int status;

	if (o->write_path == NULL)
		options_misuse("where to write is wanted", "-w");
	out = strcmp(o->write_path, "-") == 0 ? stdout : fopen(o->write_path, "wb");
	if (out == NULL) {
		base_log("%s: %s", o->write_path, strerror(errno));
		store_close(&st);
		return EX_CANTCREAT;
	}
	status = evidence_write(st, finding, "mailwitness " VERSION, out, error, sizeof(error));
	if (error[0] != '\0')
		base_log("%s", error);
	if (fclose(out) != 0 && status == EX_OK) {
		base_log("%s: %s", o->write_path, strerror(errno));
		status = EX_IOERR;
	}
	if (status != EX_OK && out != stdout)
		unlink(o->write_path);
	store_close(&st);
	return status;
}
