#include "report/judge_class.h"

#include "capture/base.h"
#include "report/judge_contact.h"

#include <stdlib.h>
#include <string.h>

#define FLOWS_MAX 65536		/* of a class; then they are written */

struct members {
	const char *class;
	int64_t *flows;
	size_t count;
};

struct class_table {
	const struct judge_part *part;
	struct members classes[CONTACT_CLASSES];	/* in the order they came */
	unsigned count;
};

struct class_table *class_table_new(const struct judge_part *part)
{
	struct class_table *t = base_alloc(sizeof(*t));

	t->part = part;
	return t;
}

void class_table_free(struct class_table **t)
{
	for (unsigned i = 0; *t != NULL && i < (*t)->count; i++)
		free((*t)->classes[i].flows);
	free(*t);
	*t = NULL;
}

static struct members *members_of(struct class_table *t, const char *class)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (strcmp(t->classes[i].class, class) == 0)
			return &t->classes[i];
	}
	t->classes[t->count] = (struct members){ class, base_alloc_array(FLOWS_MAX, sizeof(int64_t)), 0 };
	return &t->classes[t->count++];
}

static void bind_member(sqlite3_stmt *q, int at, const void *rows, size_t row)
{
	const struct members *m = rows;

	sqlite3_bind_text(q, at, m->class, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, at + 1, m->flows[row]);
}

static bool write_members(struct class_table *t, struct members *m)
{
	size_t count = m->count;

	m->count = 0;
	return store_insert_pairs(t->part->st, "contact_class", m, count, bind_member);
}

bool class_table_add(struct class_table *t, const char *class, int64_t flow)
{
	struct members *m = members_of(t, class);

	m->flows[m->count++] = flow;
	return m->count < FLOWS_MAX || write_members(t, m);
}

static int by_class(const void *a, const void *b)
{
	return strcmp(((const struct members *)a)->class, ((const struct members *)b)->class);
}

bool class_table_write(struct class_table *t)
{
	bool ok = true;

	qsort(t->classes, t->count, sizeof(t->classes[0]), by_class);
	for (unsigned i = 0; ok && i < t->count; i++)
		ok = write_members(t, &t->classes[i]);
	return ok;
}
