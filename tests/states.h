/* states.h - the rows of tests/states/table, and the TCP conversations of a capture */
#ifndef TESTS_STATES_H
#define TESTS_STATES_H

#include "tests/test.h"

#include "capture/source.h"
#include "classify/fact.h"
#include "tests/mangle.h"

#include <netinet/in.h>

#define TABLE "tests/states/table"
#define ROWS 256
#define WORDS 24
#define PACKETS 16384
#define CONVERSATIONS 64

/* A line of the table. */
struct row {
	char capture[96];
	unsigned session;
	char transport[32], mechanism[32], account[FACT_TEXT_SIZE];
	bool accepted, moved;
	char so_far[128];	/* states, comma separated, that are true of a beginning or a part */
};

struct table {
	struct row rows[ROWS];
	unsigned count;
};

/* The packets of one capture, sorted by conversation. */
struct capture {
	struct segments conversations[CONVERSATIONS];
	unsigned count;
};

static inline const char *dash(const char *text)
{
	return strcmp(text, "-") == 0 ? "" : text;
}

static inline bool row_of(char *line, struct row *row)
{
	char *words[WORDS], *save = NULL, *comment = line[0] == '#' ? line : strstr(line, " # ");
	unsigned n = 0;

	memset(row, 0, sizeof(*row));
	line[comment == NULL ? strcspn(line, "\n") : (size_t)(comment - line)] = '\0';
	for (char *w = strtok_r(line, " \t", &save); w != NULL && n < WORDS; w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	if (n == 0)
		return false;
	assert_true(n >= 8 && n < WORDS);
	snprintf(row->capture, sizeof(row->capture), "tests/%s", words[0]);
	row->session = (unsigned)atoi(words[1]);
	snprintf(row->transport, sizeof(row->transport), "%s", words[3]);
	snprintf(row->mechanism, sizeof(row->mechanism), "%s", dash(words[4]));
	snprintf(row->account, sizeof(row->account), "%s", dash(words[5]));
	row->accepted = strcmp(words[6], "accepted") == 0;
	row->moved = strcmp(words[7], "moved") == 0;
	for (unsigned i = 8; i < n; i++)
		if (strncmp(words[i], "so_far=", 7) == 0)
			snprintf(row->so_far, sizeof(row->so_far), "%s", words[i] + 7);
	return true;
}

static inline void read_table(struct table *t)
{
	FILE *f = fopen(TABLE, "r");
	char line[1024];

	assert_non_null(f);
	t->count = 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		assert_true(t->count < ROWS);
		t->count += row_of(line, &t->rows[t->count]);
	}
	fclose(f);
	assert_true(t->count > 0);
}

static inline struct segments *conversation_of(struct capture *c, const struct packet *p)
{
	for (unsigned i = 0; i < c->count; i++)
		if (memcmp(&c->conversations[i].packets[0].key, &p->key, sizeof(p->key)) == 0)
			return &c->conversations[i];
	assert_true(c->count < CONVERSATIONS);
	c->conversations[c->count].packets = base_alloc_array(PACKETS, sizeof(struct packet));
	return &c->conversations[c->count++];
}

static inline void add_packet(struct capture *c, struct packet p)
{
	struct segments *to = conversation_of(c, &p);
	uint8_t *copy = base_alloc(p.payload_len + 1);

	if (p.payload_len > 0)
		memcpy(copy, p.payload, p.payload_len);
	p.payload = copy;
	assert_true(to->count < PACKETS);
	to->packets[to->count++] = p;
}

static inline void read_capture(const char *path, struct capture *c)
{
	struct slab_pool *pool = slab_pool_new(3);
	struct source *s = source_open(path, 0, pool, NULL);
	struct frame frame;
	struct slab *slab;

	memset(c, 0, sizeof(*c));
	while (source_next(s, &frame, &slab)) {
		struct packet_fragment fragment;
		struct packet p = { 0 };

		if (packet_decode(&frame, &p, &fragment) == PACKET_IP && p.key.proto == IPPROTO_TCP)
			add_packet(c, p);
	}
	if (source_end(s)->how != SOURCE_COMPLETE)
		fail_msg("%s: %s", path, source_end(s)->why);
	source_close(&s);
	slab_pool_free(&pool);
}

static inline void free_capture(struct capture *c)
{
	for (unsigned i = 0; i < c->count; i++) {
		for (size_t k = 0; k < c->conversations[i].count; k++)
			free((void *)(uintptr_t)c->conversations[i].packets[k].payload);
		segments_free(&c->conversations[i]);
	}
}

#endif
