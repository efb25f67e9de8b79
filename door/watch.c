#include "door/watch.h"

#include "capture/base.h"
#include "door/command.h"
#include "door/private_net.h"
#include "door/service.h"
#include "report/judge.h"
#include "report/news.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

/* Judging begins anew this often, where something came, and takes no more than one part in WATCH_SHARE of the
 * writer's time: while it judges, facts wait. */
#define WATCH_JUDGE_NS (2 * BASE_NS_PER_S)
#define WATCH_SHARE 4
#define WATCH_ALIVE SIGUSR2	/* from the writer's thread, every second */
#define WATCH_LAST_TRIES 10	/* of judging at the end, while room is made */
#define WATCH_BUSY_NS (3 * BASE_NS_PER_S)	/* as long judging waits while old facts go */

struct watch {
	const struct options *options;
	struct run *run;		/* the command that is watched, or NULL */
	struct knowledge *knowledge;	/* borrowed; of the writer's thread while there is one */
	atomic_bool read_again;		/* the knowledge */
	struct news *news;
	struct notify *notify;
	struct eve *eve;		/* NULL: none */
	struct service *service;	/* NULL: none */
	const char *const *interfaces;
	struct retain *retain;
	struct source_live **sources;
	unsigned count;
	struct process_matcher *processes;	/* NULL: flows are not matched to them */
	struct pipeline_live live;
	sigset_t signals;
	/* The writer's thread. */
	struct judgement *judgement;	/* NULL: judged at the end only */
	bool unjudged;
	int64_t judge_ns;		/* not before */
};

static _Noreturn void cannot_open(enum source_live_open how, const char *why)
{
	base_log("%s", why);
	switch (how) {
	case SOURCE_LIVE_DENIED:
		base_log("run it as root, or once: setcap cap_net_raw+ep on this program");
		exit(EX_NOPERM);
	case SOURCE_LIVE_MISSING:
		base_log("mailwitness -D lists the interfaces");
		exit(EX_NOINPUT);
	case SOURCE_LIVE_BAD_FILTER:
		exit(EX_USAGE);
	default:
		exit(EX_UNAVAILABLE);
	}
}

/* Without it flows are watched all the same. */
static void open_processes(struct watch *w, char *error, size_t size)
{
	error[0] = '\0';
	if (!w->options->no_processes)
		w->processes = process_open(w->interfaces, w->count, error, size);
}

static void open_sources(struct watch *w)
{
	const struct options *o = w->options;
	const struct source_live_settings settings = {
		.filter = o->filter, .buffer_mib = o->buffer_mib, .promiscuous = !o->not_promiscuous,
	};

	w->sources = base_alloc_array(w->count, sizeof(w->sources[0]));
	for (unsigned i = 0; i < w->count; i++) {
		enum source_live_open how;
		char error[512];

		w->sources[i] = source_live_open(w->interfaces[i], &settings, &how, error, sizeof(error));
		if (w->sources[i] == NULL)
			cannot_open(how, error);
	}
}

/* The processes first: theirs must not hold the rings of the sources. */
static void open_all(struct watch *w)
{
	static const char *const door[] = { PRIVATE_NET_DOOR };
	char error[512];

	w->count = w->run != NULL ? 1 : w->options->interfaces.count;
	w->interfaces = w->run != NULL ? door : w->options->interfaces.of;
	open_processes(w, error, sizeof(error));
	open_sources(w);
	if (error[0] != '\0')
		base_log("flows are not matched to processes: %s", error);
}

static void tell_counts(struct watch *w, bool now)
{
	for (unsigned i = 0; i < w->count; i++) {
		struct source_live_counts c = source_live_counts(w->sources[i], now);

		base_log("%s: %llu packets captured, %llu packets received by filter, %llu packets dropped by kernel,"
			 " %llu packets dropped by interface", source_live_name(w->sources[i]),
			 (unsigned long long)c.captured, (unsigned long long)c.received,
			 (unsigned long long)c.kernel, (unsigned long long)c.interface);
	}
}

static uint64_t captured(const struct watch *w)
{
	uint64_t packets = 0;

	for (unsigned i = 0; i < w->count; i++)
		packets += source_live_counts(w->sources[i], false).captured;
	return packets;
}

/* A signal: false where it is one to end by. Whoever sends a second one does not want to wait for the report. */
static bool controlled(void *context)
{
	struct watch *w = context;
	struct signalfd_siginfo info;

	if (read(w->live.control, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return true;
	if (info.ssi_signo == SIGUSR1) {
		tell_counts(w, true);
		return true;
	}
	if (info.ssi_signo == WATCH_ALIVE) {
		service_alive(w->service, captured(w));
		return true;
	}
	if (w->run != NULL && run_signal(w->run, &info))
		return true;
	if (info.ssi_signo == SIGHUP) {
		service_reloading(w->service);
		w->read_again = true;
		return true;
	}
	service_stopping(w->service);
	sigdelset(&w->signals, WATCH_ALIVE);
	pthread_sigmask(SIG_UNBLOCK, &w->signals, NULL);
	return false;
}

/* Between two judgements nobody else holds any of it: workers know of no owner. Packets wait meanwhile. */
static void read_again(struct watch *w, struct store *store)
{
	struct knowledge fresh;
	char error[512];
	bool ok = knowledge_read(w->options, &fresh, error, sizeof(error)) == EX_OK;

	service_ready(w->service, ok ? "read again" : "going on with what was read before");
	if (!ok) {
		base_log("%s; going on with what was read before", error);
		return;
	}
	judgement_free(&w->judgement);
	knowledge_close(w->knowledge);
	*w->knowledge = fresh;
	w->judgement = judgement_new(store, w->knowledge->policy, &w->knowledge->book, true);
	base_log("catalogue, policy and AS database were read again");
	w->unjudged = true;
	w->judge_ns = 0;
}

/* It takes room in the case. */
static bool or_make_room(struct watch *w, bool judged)
{
	if (!judged)
		retain_more(w->retain);
	return judged;
}

/* Those of what is judged. */
static enum writer_told tell_events(struct watch *w, struct store *store)
{
	return w->eve == NULL || eve_tell(w->eve, store) ? WRITER_DONE : WRITER_FAILED;
}

static enum writer_told stored(void *context, struct store *store, bool facts)
{
	struct watch *w = context;
	int64_t now = base_clock_ns(CLOCK_MONOTONIC), spent, until;

	/* A command's own output is not to be written into. */
	if (w->run != NULL)
		return WRITER_DONE;
	/* The capture thread tells it on, so what is told means both. */
	if (w->service != NULL)
		kill(getpid(), WATCH_ALIVE);
	if (atomic_exchange(&w->read_again, false))
		read_again(w, store);
	w->unjudged = w->unjudged || facts || store_gathers(store);
	/* What was gathered before was rolled back as it was judged, and some of it may have been given up since. */
	if (store_gathers(store))
		judgement_forget(w->judgement);
	if (!w->unjudged)
		return tell_events(w, store);
	if (now < w->judge_ns || (retain_is_busy(w->retain) && now < w->judge_ns + WATCH_BUSY_NS))
		return WRITER_LATER;
	until = store_run_is_until(store);
	if (!or_make_room(w, judgement_renew(w->judgement)))
		return WRITER_FAILED;
	/* When nobody reads the news there is still the case. */
	if (!news_tell(w->news, store, stdout) && !ferror(stdout))
		return WRITER_FAILED;
	if (!store_gathers(store))
		retain_judged(w->retain, until);
	spent = base_clock_ns(CLOCK_MONOTONIC) - now;
	w->unjudged = false;
	w->judge_ns = now + (spent * WATCH_SHARE > WATCH_JUDGE_NS ? spent * WATCH_SHARE : WATCH_JUDGE_NS);
	return tell_events(w, store);
}

static void make_room(void *context, struct store *store)
{
	struct watch *w = context;

	if (!retain_step(w->retain, store))
		return;
	w->unjudged = true;
	if (w->judgement != NULL)
		judgement_forget(w->judgement);
}

static int catch_signals(struct watch *w)
{
	static const int of_all[] = { SIGINT, SIGTERM, SIGUSR1, SIGHUP, WATCH_ALIVE }, of_run[] = { SIGCHLD, SIGQUIT };
	int fd;

	sigemptyset(&w->signals);
	for (unsigned i = 0; i < sizeof(of_all) / sizeof(of_all[0]); i++)
		sigaddset(&w->signals, of_all[i]);
	for (unsigned i = 0; w->run != NULL && i < sizeof(of_run) / sizeof(of_run[0]); i++)
		sigaddset(&w->signals, of_run[i]);
	sigprocmask(SIG_BLOCK, &w->signals, NULL);
	fd = signalfd(-1, &w->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		base_log("signalfd: %s", strerror(errno));
		exit(EX_OSERR);
	}
	return fd;
}

/* Of packets: no more than a quarter of what the case may take. */
static uint64_t keep_bytes(const struct options *o)
{
	uint64_t keep = (uint64_t)o->keep_mib << 20, most = o->retain.bytes / 4;

	return o->write_path == NULL ? 0 : most > 0 && keep > most ? most : keep;
}

struct watch *watch_begin(const struct options *o, struct run *run)
{
	struct watch *w = base_alloc(sizeof(*w));

	w->options = o;
	w->run = run;
	w->service = run == NULL ? service_begin() : NULL;
	open_all(w);
	w->live = (struct pipeline_live){
		.processes = w->processes, .sources = w->sources, .source_count = w->count, .control = catch_signals(w),
		.controlled = controlled, .stored = stored, .make_room = make_room, .context = w,
		.keep = keep_bytes(o),
	};
	return w;
}

void watch_know(struct watch *w, struct knowledge *knowledge)
{
	char error[512] = "";

	w->knowledge = knowledge;
	w->notify = w->run != NULL ? NULL : notify_start(knowledge->policy, error, sizeof(error));
	if (w->notify == NULL && error[0] != '\0')
		command_fail(EX_CONFIG, error);
	w->eve = w->options->eve_path != NULL ? eve_open(w->options->eve_path, error, sizeof(error)) : NULL;
	if (w->options->eve_path != NULL && w->eve == NULL)
		command_fail(EX_CANTCREAT, error);
	w->news = news_new(&(struct news_settings){
			.json = w->options->json, .quiet = w->options->emit.quiet, .color = w->options->emit.color,
			.columns = w->options->emit.columns, .notify = w->notify,
			.eve = w->eve });
}

const struct pipeline_live *watch_live(struct watch *w)
{
	if (w->run != NULL)
		run_go(w->run);
	for (unsigned i = 0; w->run == NULL && i < w->count; i++)
		base_log("watching %s", source_live_name(w->sources[i]));
	service_ready(w->service, "watching");
	return &w->live;
}

bool watch_run(struct watch *w, struct store *store, struct run_info *run)
{
	run->from_ns = base_clock_ns(CLOCK_REALTIME);
	run->scope = w->run != NULL ? RUN_ALL_TRAFFIC : RUN_MAIL_ONLY;
	w->retain = retain_new(&w->options->retain, run->from_ns);
	if (!store_sync(store) || !store_run_again(store, run, w->count, &w->live.first_number) ||
	    !store_keep(store, w->live.keep))
		return false;
	if (w->run == NULL)
		w->judgement = judgement_new(store, w->knowledge->policy, &w->knowledge->book, true);
	if (w->eve != NULL && w->run == NULL)
		eve_listen(w->eve, store);
	return true;
}

bool watch_store(const struct watch *w, struct store *store)
{
	struct store_command command;

	if (w->run == NULL)
		return true;
	command = run_outcome(w->run);
	return store_command(store, &command);
}

/* All of it once more: the last word does not rest on what was remembered. */
static bool judge_last(struct watch *w, struct store *store)
{
	return or_make_room(w, judge(store, w->knowledge->policy, &w->knowledge->book));
}

bool watch_judge(struct watch *w, struct store *store)
{
	bool ok;

	judgement_free(&w->judgement);
	ok = judge_last(w, store);
	for (unsigned i = 0; !ok && !store_gathers(store) && i < WATCH_LAST_TRIES; i++) {
		retain_step(w->retain, store);
		ok = judge_last(w, store);
	}
	ok = ok && (w->run != NULL || news_tell(w->news, store, stdout));
	return ok && (w->eve == NULL || eve_end(w->eve, store));
}

void watch_end(struct watch **w)
{
	tell_counts(*w, false);
	for (unsigned i = 0; i < (*w)->count; i++)
		source_live_close(&(*w)->sources[i]);
	process_close(&(*w)->processes);
	close((*w)->live.control);
	news_free(&(*w)->news);
	eve_close(&(*w)->eve);
	retain_free(&(*w)->retain);
	notify_end(&(*w)->notify);
	service_end(&(*w)->service);
	free((*w)->sources);
	free(*w);
	*w = NULL;
}

int watch_list(void)
{
	char error[512];

	if (source_live_list(stdout, error, sizeof(error)))
		return EX_OK;
	base_log("%s", error);
	return EX_UNAVAILABLE;
}
