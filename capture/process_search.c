#include "capture/process_search.h"

#include "capture/base.h"
#include "capture/process_hash.h"
#include "capture/procfs.h"

#include <stdlib.h>
#include <string.h>

#define REQUESTS 1024
#define TOLD 1024		/* processes remembered: one that is found again after so many others is told as new */
#define ROUND_CHEAP_NS (10 * 1000000LL)	/* a round of looks that takes longer is followed by a rest as long */

struct wants {
	struct procfs_want of[REQUESTS * SOCKETS_MAX];
	unsigned count;
};

struct process_search {
	struct procfs *procfs;
	struct process_hash *hash;
	struct process_search_sink sink;
	struct process_request waiting[REQUESTS];
	unsigned count;
	struct wants first, round;	/* of the requests at their first look, and in this round */
	bool first_waits, in_round;
	int64_t next_ns, round_ns;	/* not before; what this round took so far */
	struct process told[TOLD];
	uint32_t told_count;		/* number of the last; it stands at this place, modulo */
	uint64_t hidden;
};

struct process_search *process_search_open(const char *root)
{
	struct procfs *procfs = procfs_open(root);
	struct process_search *s;

	if (procfs == NULL)
		return NULL;
	s = base_alloc(sizeof(*s));
	s->procfs = procfs;
	s->hash = process_hash_new();
	return s;
}

void process_search_close(struct process_search **s)
{
	if (*s == NULL)
		return;
	procfs_close(&(*s)->procfs);
	process_hash_free(&(*s)->hash);
	free(*s);
	*s = NULL;
}

void process_search_sink(struct process_search *s, const struct process_search_sink *sink)
{
	s->sink = *sink;
}

bool process_search_add(struct process_search *s, const struct process_request *request)
{
	if (s->count == REQUESTS)
		return false;
	s->waiting[s->count] = *request;
	s->waiting[s->count++].stage = SEARCH_FIRST;
	s->first_waits = true;
	return true;
}

/* The number of a process, told if it is new. Its name and executable change when it becomes another program. */
static uint32_t number_of(struct process_search *s, const struct process *p, int exe)
{
	struct process *to;

	for (unsigned i = 0; i < TOLD; i++) {
		const struct process *t = &s->told[i];

		if (t->number != 0 && t->pid == p->pid && t->start == p->start && t->uid == p->uid &&
		    strcmp(t->name, p->name) == 0 && strcmp(t->path, p->path) == 0)
			return t->number;
	}
	to = &s->told[++s->told_count % TOLD];
	*to = *p;
	to->number = s->told_count;
	to->has_sha256 = exe >= 0 && process_hash_ask(s->hash, exe, to->number, to->sha256);
	s->sink.process(s->sink.context, to);
	return to->number;
}

static void found_holder(void *context, const struct procfs_want *want, const struct process *process, int exe)
{
	struct process_search *s = context;
	struct socket_owner *o = &s->waiting[want->of].owner;
	uint32_t number = number_of(s, process, exe);

	for (unsigned i = 0; i < PROCESS_HOLDERS && i < o->holders; i++) {
		if (o->processes[i] == number)
			return;
	}
	if (o->holders < PROCESS_HOLDERS)
		o->processes[o->holders] = number;
	o->holders++;
}

static int by_inode(const void *a, const void *b)
{
	const struct procfs_want *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Moves the requests of a stage to the next, and gathers what those want. */
static void gather(struct process_search *s, unsigned from, unsigned to, struct wants *wants)
{
	wants->count = 0;
	for (unsigned i = 0; i < s->count; i++) {
		struct process_request *r = &s->waiting[i];

		if (r->stage != from)
			continue;
		r->stage = to;
		for (unsigned k = 0; k < r->sockets.count; k++)
			wants->of[wants->count++] = (struct procfs_want){ .inode = r->sockets.inodes[k], .of = i };
	}
	if (wants->count > 0)
		qsort(wants->of, wants->count, sizeof(wants->of[0]), by_inode);
}

static void look_first(struct process_search *s, int64_t now)
{
	gather(s, SEARCH_FIRST, SEARCH_NEXT, &s->first);
	procfs_list(s->procfs, now);
	procfs_first(s->procfs, s->first.of, s->first.count, found_holder, s);
	s->first_waits = false;
}

static void say_hidden(struct process_search *s)
{
	if (s->hidden++ == 0)
		base_log("some processes of other users cannot be looked into; run it as root, or once:"
			 " setcap cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep on this program");
}

/* All processes were looked into for the requests in it. */
static void end_round(struct process_search *s)
{
	unsigned left = 0;

	for (unsigned i = 0; i < s->count; i++) {
		struct process_request *r = &s->waiting[i];
		uint32_t holders = r->owner.holders;

		if (r->stage != SEARCH_ROUND) {
			s->waiting[left++] = *r;
			continue;
		}
		if (holders == 0 && procfs_hidden(s->procfs) > 0)
			say_hidden(s);
		qsort(r->owner.processes, holders < PROCESS_HOLDERS ? holders : PROCESS_HOLDERS,
		      sizeof(r->owner.processes[0]), by_number);
		s->sink.found(s->sink.context, r);
	}
	s->count = left;
	s->in_round = false;
}

static void look_on(struct process_search *s, int64_t now)
{
	bool more;

	if (!s->in_round) {
		gather(s, SEARCH_NEXT, SEARCH_ROUND, &s->round);
		s->in_round = true;
		s->round_ns = 0;
	}
	more = procfs_next(s->procfs, s->round.of, s->round.count, found_holder, s);
	s->round_ns += base_clock_ns(CLOCK_MONOTONIC) - now;
	if (more)
		return;
	end_round(s);
	s->next_ns = now + (s->round_ns > ROUND_CHEAP_NS ? s->round_ns : 0);
}

int64_t process_search_due(const struct process_search *s)
{
	return s->first_waits ? 0 : s->count > 0 ? s->next_ns : INT64_MAX;
}

void process_search_step(struct process_search *s, int64_t now_ns)
{
	if (s->first_waits)
		look_first(s, now_ns);
	else if (s->count > 0 && now_ns >= s->next_ns)
		look_on(s, now_ns);
}

void process_search_finish(struct process_search *s)
{
	s->next_ns = 0;
	while (s->count > 0) {
		int64_t now = base_clock_ns(CLOCK_MONOTONIC);

		process_search_step(s, now > s->next_ns ? now : s->next_ns);
	}
}

bool process_search_hashes(const struct process_search *s)
{
	return process_hash_waits(s->hash);
}

void process_search_hash(struct process_search *s)
{
	uint8_t hash[PROCESS_HASH_SIZE];
	struct process *p;
	uint32_t number;

	if (!process_hash_step(s->hash, &number, hash))
		return;
	p = &s->told[number % TOLD];
	if (p->number != number)
		return;
	p->has_sha256 = true;
	memcpy(p->sha256, hash, sizeof(p->sha256));
	s->sink.process(s->sink.context, p);
}

uint64_t process_search_hidden(const struct process_search *s)
{
	return s->hidden;
}
