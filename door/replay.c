/* What reads packets: from files, or from interfaces. */
#include "capture/base.h"
#include "classify/certificate.h"
#include "classify/dpi.h"
#include "door/command.h"
#include "door/enclosure.h"
#include "door/private_net.h"
#include "door/progress.h"
#include "door/run.h"
#include "door/watch.h"
#include "report/judge.h"
#include "report/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

static void show_progress(void *context, uint64_t packets, uint64_t bytes)
{
	progress_show(context, packets, bytes);
}

/* One clear line for every file that was not read whole. */
static void show_end(void *context, const struct source_end *end)
{
	if (end->how != SOURCE_COMPLETE)
		progress_clear(context);
	if (end->how == SOURCE_UNREADABLE)
		base_log("%s: %s", end->path, end->why);
	else if (end->how != SOURCE_COMPLETE)
		base_log("%s: %s at byte %llu: %s; %llu packets before it were read", end->path,
			 source_how_name(end->how), (unsigned long long)end->at_byte, end->why,
			 (unsigned long long)end->packets);
}

/* Files, and a command, are one run: those of two would judge each other. */
static void refuse_old_case(const char *path)
{
	struct stat file;

	if (path != NULL && stat(path, &file) == 0 && file.st_size > 0) {
		base_log("%s is there already; a case is not written twice", path);
		exit(EX_CANTCREAT);
	}
}

/* Reads files, or watches what is not NULL, in what encloses it. */
static int read_and_judge(const struct options *o, struct enclosure *enclosure, struct watch *watch)
{
	struct knowledge k;
	struct certificate_store *trust;
	struct progress *progress = watch == NULL ? progress_begin(o->files.of, o->files.count) : NULL;
	char error[512];
	struct judgement *judgement = NULL;
	struct store *st;
	bool ok;
	int status;
	struct run_info run = {
		.version = VERSION, .ndpi_version = dpi_version(), .command_line = o->command_line,
		.scope = RUN_MAIL_ONLY, .filter = o->filter != NULL ? o->filter : "",
	};

	k = knowledge_open(o);
	run.catalogue_version = k.book.version;
	run.asn_database = k.book.asn_database;
	run.attribution = k.book.attribution;
	trust = certificate_store_new(o->ca_file, error, sizeof(error));
	if (trust == NULL)
		command_fail(EX_NOINPUT, error);
	if (watch != NULL)
		watch_know(watch, &k);
	enclosure_enter(enclosure);
	if (watch == NULL)
		refuse_old_case(o->write_path);
	st = store_create(o->write_path, error, sizeof(error));
	if (st == NULL)
		command_fail(EX_CANTCREAT, error);
	if (watch == NULL)
		judgement = judgement_new(st, k.policy, &k.book, false);
	ok = (watch != NULL ? watch_run(watch, st, &run) : store_run(st, &run)) &&
	     pipeline_run(&(struct pipeline_settings){
			.paths = o->files.of, .path_count = o->files.count,
			.vantages = o->file_vantages, .vantage_names = o->vantages.of, .filter = o->filter,
			.trust = trust, .workers = o->workers, .ended = watch == NULL ? show_end : NULL,
			.live = watch == NULL ? NULL : watch_live(watch),
			.progress = progress != NULL ? show_progress : NULL, .context = progress }, st) &&
	     store_run_ca(st, certificate_store_describe(trust)) && (watch == NULL || watch_store(watch, st));
	progress_clear(progress);
	if (!ok)
		command_fail(EX_CANTCREAT, store_error(st));
	progress_say(progress, "judging ...");
	ok = watch != NULL ? watch_judge(watch, st) : judgement_renew(judgement);
	judgement_free(&judgement);
	progress_end(&progress);
	if (!ok)
		command_fail(EX_SOFTWARE, store_error(st));
	status = command_emit(st, o);
	if (store_gathers(st)) {
		base_log("%s lacks what came last: %s", o->write_path, store_error(st));
		status = EX_CANTCREAT;
	}
	store_close(&st);
	certificate_store_free(&trust);
	knowledge_close(&k);
	return status;
}

static void check_filter(const struct options *o)
{
	char error[512];

	if (o->filter != NULL && !source_filter_valid(o->filter, error, sizeof(error)))
		options_misuse("filter", error);
}

int command_replay(const struct options *o)
{
	struct enclosure *enclosure;
	int status;

	check_filter(o);
	enclosure = enclosure_begin(o, false);
	status = read_and_judge(o, enclosure, NULL);
	enclosure_end(&enclosure);
	return status;
}

int command_watch(const struct options *o)
{
	struct enclosure *enclosure;
	struct watch *watch;
	int status;

	check_filter(o);
	enclosure = enclosure_begin(o, true);
	watch = watch_begin(o, NULL);
	status = read_and_judge(o, enclosure, watch);
	watch_end(&watch);
	enclosure_end(&enclosure);
	return status;
}

int command_run(const struct options *o)
{
	struct enclosure *enclosure;
	struct watch *watch;
	struct run *run;
	int status;

	check_filter(o);
	refuse_old_case(o->write_path);
	run = run_begin(o);
	enclosure = enclosure_begin(o, true);
	watch = watch_begin(o, run);
	private_net_give_up();
	status = read_and_judge(o, enclosure, watch);
	watch_end(&watch);
	enclosure_end(&enclosure);
	run_end(&run);
	return status;
}
