/* Evidence of a live case: its packets stand in the case itself, as many as were kept. */
#include "report/evidence_part.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define MISSING_SHOWN 16	/* explain has all */

enum { KEPT_FRAME, KEPT_TIME, KEPT_WIRE_LEN, KEPT_CAPLEN, KEPT_MASKED, KEPT_LINK, KEPT_DATA };

static const char kept_sql[] =
	"SELECT p.frame, p.time_ns, p.wire_len, p.caplen, p.masked, (SELECT i.link_type FROM source_interface AS i"
	" WHERE i.source = p.frame >> 40 AND i.number = 0), p.data FROM evidence AS e"
	" CROSS JOIN packet AS p ON p.frame = e.frame WHERE e.finding = ?1 ORDER BY p.frame, p.place";

/* Gathers the pieces of a frame, whose first row q stands at; returns what came behind the last of them. */
static int write_kept(struct evidence *e, sqlite3_stmt *q)
{
	struct frame frame = {
		.id = (uint64_t)sqlite3_column_int64(q, KEPT_FRAME), .time_ns = sqlite3_column_int64(q, KEPT_TIME),
		.wire_len = (uint32_t)sqlite3_column_int64(q, KEPT_WIRE_LEN),
		.link_type = (uint16_t)sqlite3_column_int(q, KEPT_LINK),
	};
	size_t masked = (size_t)sqlite3_column_int64(q, KEPT_MASKED), size = (size_t)sqlite3_column_int64(q, KEPT_CAPLEN);
	const struct evidence_frame *wanted = evidence_find(e->frames, e->frame_count, frame.id);
	uint8_t *data = base_alloc(size + 1);
	int rc = SQLITE_ROW;

	while (rc == SQLITE_ROW && (uint64_t)sqlite3_column_int64(q, KEPT_FRAME) == frame.id) {
		size_t n = (size_t)sqlite3_column_bytes(q, KEPT_DATA), left = size - frame.caplen;

		n = n < left ? n : left;
		if (n > 0)
			memcpy(data + frame.caplen, sqlite3_column_blob(q, KEPT_DATA), n);
		frame.caplen += (uint32_t)n;
		rc = store_step(e->st, q);
	}
	frame.data = data;
	evidence_put(e, (unsigned)(frame.id >> FRAME_BITS), &frame, wanted != NULL ? wanted->note : "", masked);
	free(data);
	return rc;
}

int evidence_kept(struct evidence *e)
{
	sqlite3_stmt *q = store_prepare(e->st, kept_sql);
	int rc = SQLITE_ERROR;

	if (q != NULL) {
		sqlite3_bind_int64(q, 1, e->finding);
		rc = store_step(e->st, q);
	}
	while (rc == SQLITE_ROW)
		rc = write_kept(e, q);
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? EX_OK : evidence_fail(e, EX_SOFTWARE, "%s", store_error(e->st));
}

char *evidence_missing(const struct evidence *e)
{
	char *words = NULL;
	size_t size = 0;
	unsigned count = 0;
	FILE *out = open_memstream(&words, &size);
	const char *why = "";

	if (out == NULL)
		abort();
	for (unsigned i = 0; i < e->frame_count; i++) {
		const struct evidence_frame *f = &e->frames[i];

		if (f->missing == NULL || count++ >= MISSING_SHOWN)
			continue;
		if (strcmp(why, f->missing) != 0)
			fprintf(out, "%s%s:", count > 1 ? "; " : "", f->missing);
		else
			putc(',', out);
		fprintf(out, " frame %llu", (unsigned long long)(f->id & ((1ULL << FRAME_BITS) - 1)));
		why = f->missing;
	}
	if (count > MISSING_SHOWN)
		fprintf(out, "; and %u more", count - MISSING_SHOWN);
	fclose(out);
	return words;
}
