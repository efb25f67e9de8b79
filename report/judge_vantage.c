#include "report/judge_vantage.h"

#include "capture/base.h"
#include "capture/packet.h"

#include <stdlib.h>
#include <string.h>

struct vantages {
	uint8_t *of_source;	/* by number */
	int64_t source_count;
	char **names;
	unsigned count;
};

static unsigned number_of(struct vantages *v, const char *name)
{
	unsigned i = 0;

	while (i < v->count && strcmp(v->names[i], name) != 0)
		i++;
	if (i == v->count) {
		size_t size = strlen(name) + 1;

		v->names = base_realloc(v->names, (v->count + 1) * sizeof(*v->names));
		v->names[v->count] = base_alloc(size);
		memcpy(v->names[v->count++], name, size);
	}
	return i;
}

struct vantages *vantages_read(struct store *st)
{
	struct vantages *v = base_alloc(sizeof(*v));
	sqlite3_stmt *q = store_prepare(st, "SELECT number, vantage FROM source ORDER BY number");
	int rc = SQLITE_ERROR;

	v->source_count = store_number(st, "SELECT coalesce(max(number) + 1, 0) FROM source", -1);
	v->of_source = base_alloc_array((size_t)(v->source_count + 1), 1);
	while (v->source_count >= 0 && q != NULL && (rc = store_step(st, q)) == SQLITE_ROW)
		v->of_source[sqlite3_column_int64(q, 0)] =
			(uint8_t)number_of(v, (const char *)sqlite3_column_text(q, 1));
	sqlite3_finalize(q);
	if (v->count == 0)
		number_of(v, "");
	if (rc != SQLITE_DONE)
		vantages_free(&v);
	return v;
}

void vantages_free(struct vantages **v)
{
	if (*v == NULL)
		return;
	for (unsigned i = 0; i < (*v)->count; i++)
		free((*v)->names[i]);
	free((*v)->names);
	free((*v)->of_source);
	free(*v);
	*v = NULL;
}

unsigned vantages_count(const struct vantages *v)
{
	return v->count;
}

unsigned vantages_of(const struct vantages *v, int64_t flow)
{
	int64_t source = flow >> FRAME_BITS;

	return source < v->source_count ? v->of_source[source] : 0;
}

const char *vantages_name(const struct vantages *v, unsigned vantage)
{
	return v->names[vantage];
}
