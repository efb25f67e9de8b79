/* The frames of a finding, what they show, and where their packets are. */
#include "report/evidence.h"

#include "capture/base.h"
#include "capture/packet.h"
#include "report/store_sql.h"

#include <stdlib.h>
#include <string.h>

static int by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct evidence_frame *)a)->id, y = ((const struct evidence_frame *)b)->id;

	return (x > y) - (x < y);
}

struct evidence_frame *evidence_find(struct evidence_frame *frames, unsigned count, uint64_t id)
{
	struct evidence_frame key = { .id = id };

	return count == 0 ? NULL : bsearch(&key, frames, count, sizeof(key), by_id);
}

static void add_note(struct evidence_frame *frame, const char *note)
{
	char *both;

	if (asprintf(&both, "%s%s%s", frame->note, frame->note[0] != '\0' ? "; " : "", note) < 0)
		abort();
	free(frame->note);
	frame->note = both;
}

static char *text_or_null(sqlite3_stmt *q, int column)
{
	const char *text = (const char *)sqlite3_column_text(q, column);

	return text != NULL ? base_strdup(text) : NULL;
}

#define HEADERS_MAX 256	/* of a frame; where less room is left, the frame is not kept */

/* With why the packet of a live case is not there. Of a flow that has packets, what is missing came later. */
static const char frames_sql[] =
	"WITH kept AS (SELECT f.*, h.frame AS hello, m.credential_frame AS login,"
	" (SELECT sum(size) FROM packet AS p WHERE p.flow = f.id) > ?2 AS is_full FROM"
	" (SELECT DISTINCT flow FROM finding_flow WHERE ?1 IN (0, finding)) AS x CROSS JOIN flow AS f ON f.id = x.flow"
	" LEFT JOIN handshake AS h ON h.flow = f.id LEFT JOIN mail_session AS m ON m.flow = f.id"
	" WHERE EXISTS (SELECT 1 FROM packet AS p WHERE p.flow = f.id)),"
	" of_kept (frame, is_full) AS (SELECT id, is_full FROM kept UNION ALL SELECT last_frame, is_full FROM kept"
	"  UNION ALL SELECT orig_first_sent, is_full FROM kept UNION ALL SELECT resp_first_sent, is_full FROM kept"
	"  UNION ALL SELECT orig_last_sent, is_full FROM kept UNION ALL SELECT resp_last_sent, is_full FROM kept"
	"  UNION ALL SELECT hello, is_full FROM kept UNION ALL SELECT login, is_full FROM kept)"
	" SELECT e.frame, CASE"
	" WHEN NOT EXISTS (SELECT 1 FROM keep) OR EXISTS (SELECT 1 FROM packet AS p WHERE p.frame = e.frame) THEN NULL"
	" WHEN (SELECT limit_bytes FROM keep) = 0 THEN 'no packet was kept'"
	" WHEN e.frame IN (SELECT frame FROM of_kept WHERE is_full AND frame IS NOT NULL)"
	"  THEN printf('packet not kept: behind the first %d KiB of its connection', ?3)"
	" WHEN e.frame IN (SELECT frame FROM of_kept WHERE frame IS NOT NULL)"
	"  THEN 'packet not kept: too much came at once'"
	" WHEN (SELECT dropped_flows FROM keep) > 0 THEN printf('packet not kept: dropped for newer ones, the case holds"
	" %d MiB', (SELECT limit_bytes FROM keep) / 1048576)"
	" ELSE 'packet not kept' END"
	" FROM (SELECT DISTINCT frame FROM evidence WHERE ?1 IN (0, finding)) AS e ORDER BY e.frame";

struct evidence_frame *evidence_frames(struct store *st, int64_t finding, unsigned *count_out)
{
	sqlite3_stmt *q = store_prepare(st, frames_sql);
	sqlite3_stmt *notes = store_prepare(st, "SELECT frame, note FROM frame_note"
		" WHERE frame IN (SELECT frame FROM evidence WHERE ?1 IN (0, finding)) ORDER BY frame, note");
	struct evidence_frame *frames = base_alloc(sizeof(*frames));
	unsigned count = 0;
	int rc = SQLITE_ERROR;

	if (q != NULL && notes != NULL) {
		sqlite3_bind_int64(q, 1, finding);
		sqlite3_bind_int64(q, 2, FACT_KEPT_OF_FLOW - HEADERS_MAX);
		sqlite3_bind_int64(q, 3, FACT_KEPT_OF_FLOW / 1024);
		while ((rc = store_step(st, q)) == SQLITE_ROW) {
			frames = base_realloc(frames, (count + 1) * sizeof(*frames));
			frames[count++] = (struct evidence_frame){
				.id = (uint64_t)sqlite3_column_int64(q, 0), .note = base_strdup(""),
				.missing = text_or_null(q, 1) };
		}
	}
	if (rc == SQLITE_DONE) {
		sqlite3_bind_int64(notes, 1, finding);
		while ((rc = store_step(st, notes)) == SQLITE_ROW)
			add_note(evidence_find(frames, count, (uint64_t)sqlite3_column_int64(notes, 0)),
				 (const char *)sqlite3_column_text(notes, 1));
	}
	for (unsigned i = 0; i < count; i++)
		if (frames[i].missing != NULL)
			add_note(&frames[i], frames[i].missing);
	sqlite3_finalize(q);
	sqlite3_finalize(notes);
	*count_out = count;
	if (rc != SQLITE_DONE)
		evidence_frames_free(&frames, count);
	return frames;
}

void evidence_frames_free(struct evidence_frame **frames, unsigned count)
{
	for (unsigned i = 0; *frames != NULL && i < count; i++) {
		free((*frames)[i].note);
		free((*frames)[i].missing);
	}
	free(*frames);
	*frames = NULL;
}

unsigned evidence_of_source(const struct evidence_frame *frames, unsigned count)
{
	unsigned n = 0;

	while (n < count && frames[n].id >> FRAME_BITS == frames[0].id >> FRAME_BITS)
		n++;
	return n;
}

void evidence_filter(const struct evidence_frame *frames, unsigned count, FILE *out)
{
	fputs("frame.number in {", out);
	for (unsigned i = 0; i < count && i < EVIDENCE_FILTER_FRAMES; i++)
		fprintf(out, "%s%llu", i > 0 ? ", " : "", (unsigned long long)(frames[i].id & ((1ULL << FRAME_BITS) - 1)));
	fputs("}", out);
}
