#include "capture/process.h"

#include "capture/base.h"
#include "capture/process_match.h"
#include "capture/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_SIZE (1 << 20)	/* facts that wait to be taken */
#define PRIORITY (-10)
/* It says something every second, unless what it asks of a file system has no answer: the kernel then lets nobody end it.
 * Told to end it takes a second for what it still has. */
#define SILENT_MS 10000
#define END_MS 3000
#define LOOK_MS 5		/* between two looks whether it is gone */

_Static_assert(sizeof(struct process_fact) <= PIPE_BUF, "a fact is written whole or not at all");

struct process_matcher {
	pid_t pid;
	int stop, facts;		/* to it, from it */
	bool given_up;
};

/* What it says first. */
struct hello {
	bool ready;
	char error[256];
};

static bool write_fact(void *context, const struct process_fact *fact)
{
	return write(*(const int *)context, fact, sizeof(*fact)) == (ssize_t)sizeof(*fact);
}

/* Of what it may. */
static void keep_reading_rights(void)
{
	const uint64_t keep = 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	syscall(SYS_capget, &header, data);
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		base_log("the matching of processes keeps its rights: %s", strerror(errno));
}

/* Of what was inherited it needs to hold nothing but these two and where lines go. */
static void keep_descriptors(int *stop, int *facts)
{
	if (dup2(*stop, STDIN_FILENO) != STDIN_FILENO || dup2(*facts, STDOUT_FILENO) != STDOUT_FILENO ||
	    close_range(STDERR_FILENO + 1, ~0U, 0) != 0)
		_exit(0);
	*stop = STDIN_FILENO;
	*facts = STDOUT_FILENO;
}

/* Signals for the program are not for this process: it ends when it is told to, or with who began it. */
static void be_quiet(pid_t parent)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGPIPE };

	for (unsigned i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	prctl(PR_SET_NAME, "processes");
}

static _Noreturn void serve(int stop, int facts, pid_t parent, const char *const *interfaces, unsigned count)
{
	struct hello hello = { 0 };
	struct process_match *m;
	char error[256];

	be_quiet(parent);
	keep_descriptors(&stop, &facts);
	/* Whoever sent a packet may be gone in a millisecond. Where it is not allowed, more are. */
	setpriority(PRIO_PROCESS, 0, PRIORITY);
	m = process_match_open(interfaces, count, hello.error, sizeof(hello.error));
	hello.ready = m != NULL;
	keep_reading_rights();
	if (!sandbox_look_only(error, sizeof(error)))
		base_log("the matching of processes: %s", error);
	if (write(facts, &hello, sizeof(hello)) == (ssize_t)sizeof(hello) && hello.ready)
		process_match_run(m, stop, write_fact, &facts);
	process_match_close(&m);
	_exit(0);
}

static struct process_matcher *start(const char *const *interfaces, unsigned count, int *facts)
{
	struct process_matcher *m = base_alloc(sizeof(*m));
	pid_t parent = getpid();

	*m = (struct process_matcher){ .stop = eventfd(0, EFD_CLOEXEC), .facts = facts[0] };
	fcntl(facts[1], F_SETPIPE_SZ, PIPE_SIZE);
	fcntl(facts[1], F_SETFL, O_NONBLOCK);
	m->pid = m->stop < 0 ? -1 : fork();
	if (m->pid == 0) {
		close(facts[0]);
		serve(m->stop, facts[1], parent, interfaces, count);
	}
	close(facts[1]);
	return m;
}

struct process_matcher *process_open(const char *const *interfaces, unsigned count, char *error, size_t size)
{
	struct process_matcher *m;
	struct hello hello = { 0 };
	int facts[2];

	snprintf(error, size, "a process of its own: %s", strerror(errno));
	if (pipe2(facts, O_CLOEXEC) != 0)
		return NULL;
	m = start(interfaces, count, facts);
	if (m->pid > 0 && read(m->facts, &hello, sizeof(hello)) == (ssize_t)sizeof(hello))
		base_copy(error, size, hello.error);
	if (!hello.ready)
		process_close(&m);
	return m;
}

/* What is heard of it. */
struct ear {
	process_sink *sink;
	void *context;
	struct process_counts counts;	/* as they were given last; a number nobody reaches: never */
	uint64_t missed;		/* by the sink */
	int64_t heard_ns;
	bool silent;			/* it was said that it is */
};

static void give(struct ear *e, struct process_fact *fact)
{
	if (fact->kind == PROCESS_COUNTS) {
		fact->counts.missed += e->missed;
		if (memcmp(&fact->counts, &e->counts, sizeof(e->counts)) == 0)
			return;
		e->counts = fact->counts;
	}
	e->missed += !e->sink(e->context, fact);
}

/* False at the end. */
static bool hear(struct process_matcher *m, struct ear *e)
{
	struct process_fact fact;
	ssize_t n = read(m->facts, &fact, sizeof(fact));

	if (n != (ssize_t)sizeof(fact))
		return n < 0 && errno == EINTR;
	if (e->silent)
		base_log("the matching of processes goes on");
	e->silent = false;
	e->heard_ns = base_clock_ns(CLOCK_MONOTONIC);
	give(e, &fact);
	return true;
}

static void give_up(struct process_matcher *m, const struct ear *e)
{
	m->given_up = true;
	base_log("the matching of processes does not end and is given up: no flow of the last %lld s is matched to one",
		 (long long)((base_clock_ns(CLOCK_MONOTONIC) - e->heard_ns) / BASE_NS_PER_S));
}

static void say_silent(struct ear *e)
{
	e->silent = true;
	base_log("the matching of processes does not answer; no flow is matched to one until it does"
		 " (is an executable on a file system that is gone?)");
}

void process_main(struct process_matcher *m, process_sink *sink, void *context)
{
	struct pollfd fds[] = { { .fd = m->facts, .events = POLLIN }, { .fd = m->stop, .events = POLLIN } };
	struct ear e = { .sink = sink, .context = context, .counts.asked = UINT64_MAX,
		.heard_ns = base_clock_ns(CLOCK_MONOTONIC) };
	bool stopped = false, more = true;

	while (more) {
		int ready = poll(fds, stopped ? 1 : 2, stopped ? END_MS : e.silent ? -1 : SILENT_MS);

		if (ready == 0 && stopped) {
			give_up(m, &e);
			more = false;
		} else if (ready == 0) {
			say_silent(&e);
		} else if (ready > 0) {
			stopped = stopped || fds[1].revents != 0;
			more = fds[0].revents == 0 || hear(m, &e);
		}
	}
}

void process_stop(struct process_matcher *m)
{
	eventfd_write(m->stop, 1);
}

/* One that cannot end is left behind: it does as soon as it can, or after this program. */
static void see_it_end(const struct process_matcher *m)
{
	for (int ms = m->given_up ? END_MS : 0; waitpid(m->pid, NULL, WNOHANG) == 0 && ms < END_MS; ms += LOOK_MS)
		poll(NULL, 0, LOOK_MS);
}

void process_close(struct process_matcher **m)
{
	if (*m == NULL)
		return;
	if ((*m)->pid > 0) {
		process_stop(*m);
		see_it_end(*m);
	}
	if ((*m)->stop >= 0)
		close((*m)->stop);
	close((*m)->facts);
	free(*m);
	*m = NULL;
}
