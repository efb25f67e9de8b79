#include "report/judge_class.h"

#include "capture/base.h"
#include "report/judge_contact.h"

#include <stdlib.h>

#define FLOWS_MAX 65536		/* of a class; then they are written */

struct members {
	const char *class;
	int64_t *flows;
	size_t count, size;
};

struct class_table {
	const struct judge_part *part;
	struct members classes[CONTACT_CLASSES];
	sqlite3_stmt *take_back;
};

struct class_table *class_table_new(const struct judge_part *part)
{
	struct class_table *t = base_alloc(sizeof(*t));

	t->part = part;
	t->take_back = store_prepare(part->st, "DELETE FROM contact_class WHERE class = ? AND flow = ?");
	for (unsigned i = 0; i < CONTACT_CLASSES; i++)
		t->classes[i].class = contact_class_name(i);
	if (t->take_back == NULL)
		class_table_free(&t);
	return t;
}

void class_table_free(struct class_table **t)
{
	if (*t == NULL)
		return;
	for (unsigned i = 0; i < CONTACT_CLASSES; i++)
		free((*t)->classes[i].flows);
	sqlite3_finalize((*t)->take_back);
	free(*t);
	*t = NULL;
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

static bool add(struct class_table *t, struct members *m, int64_t flow)
{
	if (m->count == m->size) {
		m->size = m->size > 0 ? m->size * 2 : 64;
		m->flows = base_realloc(m->flows, m->size * sizeof(*m->flows));
	}
	m->flows[m->count++] = flow;
	return m->count < FLOWS_MAX || write_members(t, m);
}

bool class_table_add(struct class_table *t, unsigned classes, int64_t flow)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < CONTACT_CLASSES; i++)
		ok = (classes >> i & 1) == 0 || add(t, &t->classes[i], flow);
	return ok;
}

bool class_table_take_back(struct class_table *t, unsigned classes, int64_t flow)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < CONTACT_CLASSES; i++) {
		if ((classes >> i & 1) == 0)
			continue;
		sqlite3_bind_text(t->take_back, 1, t->classes[i].class, -1, SQLITE_STATIC);
		sqlite3_bind_int64(t->take_back, 2, flow);
		ok = store_do(t->part->st, t->take_back);
	}
	return ok;
}

bool class_table_write(struct class_table *t)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < CONTACT_CLASSES; i++)
		ok = write_members(t, &t->classes[i]);
	return ok;
}
