#include "report/notify_part.h"

#include "capture/base.h"
#include "capture/sandbox.h"
#include "capture/siphash.h"
#include "report/secret.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TARGETS_MAX 16
#define QUEUE_MAX 1000		/* deliveries that wait; more are dropped */
#define TOLD_MAX 4096		/* findings remembered for suppress_for, of each target */
#define TRIES_MAX 7		/* after 1, 2, 4, 8, 16 and 32 seconds: a minute */
#define END_NS (10 * BASE_NS_PER_S)
#define MESSAGE_MAX (64 * 1024)
#define SOCKET_BUFFER (1024 * 1024)
#define TEXTS 9			/* of struct notify_news */

struct notify {
	pid_t process;
	int to;
	uint64_t dropped;
};

struct told {
	uint64_t finding;
	int64_t ns;
};

struct target {
	const struct policy_notify *policy;
	notify_deliver *deliver;
	char *secret;
	struct told told[TOLD_MAX];	/* a finding's place is its hash's: two that share one are told once more */
};

struct delivery {
	struct delivery *next;
	struct target *target;
	unsigned tries;
	int64_t due_ns;
	struct notify_news news;
	char texts[];
};

struct notifier {
	int from;
	struct target *targets;
	unsigned target_count;
	struct delivery *queue;
	unsigned waiting;
	uint64_t dropped;
	bool ended;		/* nobody tells any more */
	int64_t end_ns;		/* then: when to give up */
};

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * BASE_NS_PER_S + now.tv_nsec;
}

/* The texts of news, in the order in which they travel. */
static void texts_of(struct notify_news *news, const char ***texts)
{
	texts[0] = &news->event;
	texts[1] = &news->key;
	texts[2] = &news->kind;
	texts[3] = &news->class;
	texts[4] = &news->strength;
	texts[5] = &news->client;
	texts[6] = &news->owner;
	texts[7] = &news->account;
	texts[8] = &news->sentence;
}

static bool wanted(const struct policy_notify *p, const struct notify_news *news)
{
	enum strength strength = STRENGTH_SUSPECTED;
	bool class = p->class_count == 0;

	for (unsigned i = 0; i < p->class_count; i++)
		class = class || strcmp(p->classes[i], news->class) == 0;
	while (strength < STRENGTH_PROVEN && strcmp(fact_strength_name(strength), news->strength) != 0)
		strength++;
	return class && strength >= p->least;
}

/* Notes it where it was not. */
static bool was_told(struct target *t, const struct notify_news *news, int64_t now)
{
	char text[1024];
	uint64_t finding;
	struct told *told;

	snprintf(text, sizeof(text), "%s/%s/%s", news->event, news->strength, news->key);
	finding = siphash(text, strlen(text), 0, 0);
	told = &t->told[finding % TOLD_MAX];
	if (told->finding == finding && told->ns != 0 && now - told->ns < t->policy->suppress_s * BASE_NS_PER_S)
		return true;
	*told = (struct told){ .finding = finding, .ns = now };
	return false;
}

static void queue(struct notifier *n, struct target *t, const char *message, size_t size, int64_t now)
{
	struct delivery *d, **last = &n->queue;
	const char **texts[TEXTS], *at;

	if (n->waiting == QUEUE_MAX) {
		n->dropped++;
		return;
	}
	d = base_alloc(sizeof(*d) + size);
	memcpy(d->texts, message, size);
	memcpy(&d->news.time_ns, message, sizeof(d->news.time_ns));
	at = d->texts + sizeof(d->news.time_ns);
	texts_of(&d->news, texts);
	for (unsigned i = 0; i < TEXTS; i++, at += strlen(at) + 1)
		*texts[i] = at;
	if (!wanted(t->policy, &d->news) || was_told(t, &d->news, now)) {
		free(d);
		return;
	}
	d->target = t;
	d->due_ns = now;
	while (*last != NULL)
		last = &(*last)->next;
	*last = d;
	n->waiting++;
}

static void receive(struct notifier *n)
{
	static char message[MESSAGE_MAX];
	ssize_t size;

	while ((size = recv(n->from, message, sizeof(message), MSG_DONTWAIT)) > 0)
		for (unsigned i = 0; i < n->target_count; i++)
			queue(n, &n->targets[i], message, (size_t)size, clock_ns());
	n->ended = n->ended || size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

void notify_where(const char *to, char out[NOTIFY_WHERE_SIZE])
{
	const char *slashes = strstr(to, "://"), *host = slashes != NULL ? slashes + 3 : to;
	size_t scheme = (size_t)(host - to), n = strcspn(host, "/?#");
	const char *user = memrchr(host, '@', n);

	if (user != NULL) {
		n -= (size_t)(user + 1 - host);
		host = user + 1;
	}
	snprintf(out, NOTIFY_WHERE_SIZE, "%.*s%.*s", (int)scheme, to, (int)n, host);
}

/* Tries once what is due. The time when the next is; INT64_MAX when nothing waits. */
static int64_t deliver_due(struct notifier *n)
{
	int64_t next = INT64_MAX;

	for (struct delivery **at = &n->queue; *at != NULL;) {
		struct delivery *d = *at;
		char why[256] = "", where[NOTIFY_WHERE_SIZE];
		bool done = false;

		if (clock_ns() >= n->end_ns)
			break;
		if (d->due_ns <= clock_ns()) {
			done = d->target->deliver(d->target->policy, d->target->secret, &d->news, why, sizeof(why));
			if (!done && ++d->tries == TRIES_MAX) {
				notify_where(d->target->policy->to, where);
				base_log("notify: %s: %s; %s of %s is not told there", where, why, d->news.kind,
					 d->news.client);
				done = true;
			}
			d->due_ns = clock_ns() + (BASE_NS_PER_S << d->tries) / 2;
		}
		if (done) {
			*at = d->next;
			n->waiting--;
			free(d);
		} else {
			next = d->due_ns < next ? d->due_ns : next;
			at = &d->next;
		}
		receive(n);
	}
	return next;
}

/* The life of the notifying process. It ends when nobody can tell it anything any more and all is delivered,
 * or cannot be for too long. */
static void notifier(struct notifier *n)
{
	int64_t next = INT64_MAX, now;

	n->end_ns = INT64_MAX;
	while (!n->ended || (n->queue != NULL && clock_ns() < n->end_ns)) {
		struct pollfd from = { .fd = n->ended ? -1 : n->from, .events = POLLIN };

		now = clock_ns();
		next = next < n->end_ns ? next : n->end_ns;
		poll(&from, 1, next == INT64_MAX ? -1 : next <= now ? 0 : (int)((next - now) / 1000000) + 1);
		receive(n);
		if (n->ended && n->end_ns == INT64_MAX)
			n->end_ns = clock_ns() + END_NS;
		next = deliver_due(n);
		if (n->dropped > 0)
			base_log("notify: %llu not told: too many wait", (unsigned long long)n->dropped);
		n->dropped = 0;
	}
	if (n->queue != NULL)
		base_log("notify: %u not told: no time is left", n->waiting);
}

static bool take_targets(struct notifier *n, const struct policy_notify *policies, unsigned count, char *error,
			 size_t error_size)
{
	n->targets = base_alloc_array(count, sizeof(n->targets[0]));
	for (; n->target_count < count; n->target_count++) {
		struct target *t = &n->targets[n->target_count];

		t->policy = &policies[n->target_count];
		t->deliver = strncmp(t->policy->to, "syslog", 6) == 0 ? notify_syslog : notify_webhook;
		if (t->policy->secret_file != NULL &&
		    (t->secret = secret_read(t->policy->secret_file, "key", error, error_size)) == NULL)
			return false;
	}
	return true;
}

static void forget_targets(struct notifier *n)
{
	for (unsigned i = 0; i < n->target_count; i++)
		secret_free(&n->targets[i].secret);
	free(n->targets);
}

/* Signals of the terminal end the watch, and by that this process when it has told all. */
static _Noreturn void be_notifier(struct notifier *n, int keep)
{
	char error[256];
	sigset_t none;

	if (!sandbox_leave_root(error, sizeof(error))) {
		base_log("notify: %s", error);
		_exit(1);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "mw-notify");
	prctl(PR_SET_DUMPABLE, 0);
	if (dup2(keep, STDIN_FILENO) != STDIN_FILENO || close_range(STDERR_FILENO + 1, ~0U, 0) != 0)
		_exit(1);
	n->from = STDIN_FILENO;
	notifier(n);
	_exit(0);
}

struct notify *notify_start(const struct policy *policy, char *error, size_t error_size)
{
	const struct policy_notify *policies;
	unsigned count = policy_notify(policy, &policies);
	struct notifier n = { 0 };
	struct notify *notify = NULL;
	int ends[2], size = SOCKET_BUFFER;
	pid_t child = -1;

	error[0] = '\0';
	if (count == 0)
		return NULL;
	if (count > TARGETS_MAX)
		snprintf(error, error_size, "notify: %u are too many, %u can be told", count, TARGETS_MAX);
	else if (take_targets(&n, policies, count, error, error_size)) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
			setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
			child = fork();
			if (child == 0)
				be_notifier(&n, ends[1]);
			close(ends[1]);
		}
		if (child < 0) {
			snprintf(error, error_size, "notify: %s", strerror(errno));
		} else {
			notify = base_alloc(sizeof(*notify));
			*notify = (struct notify){ .process = child, .to = ends[0] };
		}
	}
	forget_targets(&n);
	return notify;
}

void notify_tell(struct notify *n, const struct notify_news *news)
{
	struct notify_news copy = *news;
	const char **texts[TEXTS];
	char *message = NULL;
	size_t size = 0;
	FILE *out;

	if (n == NULL)
		return;
	out = base_checked(open_memstream(&message, &size));
	texts_of(&copy, texts);
	fwrite(&copy.time_ns, sizeof(copy.time_ns), 1, out);
	for (unsigned i = 0; i < TEXTS; i++)
		fwrite(*texts[i] != NULL ? *texts[i] : "", 1, *texts[i] != NULL ? strlen(*texts[i]) + 1 : 1, out);
	fclose(out);
	if (size > MESSAGE_MAX || send(n->to, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
		n->dropped++;
	free(message);
}

void notify_end(struct notify **n)
{
	if (*n == NULL)
		return;
	if ((*n)->dropped > 0)
		base_log("notify: %llu not told: its process could not take them", (unsigned long long)(*n)->dropped);
	close((*n)->to);
	waitpid((*n)->process, NULL, 0);
	free(*n);
	*n = NULL;
}
