/* What the capture room says of a run as a whole: the run, its sources, losses without a flow. */
#include "capture/packet.h"
#include "report/store_sql.h"

#include <string.h>

static const char *text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static bool finish(struct store *st, sqlite3_stmt *q)
{
	bool ok = q != NULL && store_do(st, q);

	sqlite3_finalize(q);
	return ok;
}

bool store_run(struct store *st, const struct run_info *run)
{
	const char *const texts[] = {
		run->version, run->ndpi_version, run->catalogue_version, run->asn_database,
		run->attribution, run->command_line, run->scope, run->filter,
	};
	sqlite3_stmt *q = store_prepare(st, "INSERT INTO run VALUES (NULL,?,?,?,?,?,?,?,?,'',?,0)");

	if (q == NULL)
		return false;
	for (int i = 0; i < 8; i++)
		sqlite3_bind_text(q, i + 1, text_or_empty(texts[i]), -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 9, run->from_ns);
	return finish(st, q);
}

/* Of all frames that facts name. A run that was killed may have left some without their source. */
static const char next_source_sql[] =
	"SELECT coalesce(max(number) + 1, 0) FROM (SELECT max(number) AS number FROM source"
	" UNION ALL SELECT max(id) >> 40 FROM flow UNION ALL SELECT max(id) >> 40 FROM name"
	" UNION ALL SELECT max(id) >> 40 FROM mail_dns UNION ALL SELECT max(frame) >> 40 FROM loss)";

static bool can_run_again(struct store *st, const char *scope)
{
	sqlite3_stmt *q = store_prepare(st, "SELECT count(*) FROM run WHERE from_ns = 0 OR scope <> ?");
	bool ok;

	if (q == NULL)
		return false;
	sqlite3_bind_text(q, 1, scope, -1, SQLITE_STATIC);
	ok = store_step(st, q) == SQLITE_ROW &&
	     (sqlite3_column_int64(q, 0) == 0 ||
	      store_fail(st, "it is of another kind, and is not written on"));
	sqlite3_finalize(q);
	return ok;
}

bool store_killed(struct store *st)
{
	return store_exec(st, "UPDATE source SET end = 'killed' WHERE end = 'running'");
}

static bool begin_run(struct store *st, const struct run_info *run, unsigned interfaces, unsigned source)
{
	int64_t until = store_number(st, "SELECT coalesce((SELECT max(from_ns, until_ns) FROM run"
				     " ORDER BY id DESC LIMIT 1), 0)", -1);
	bool ok = until >= 0 && store_run(st, run) && store_killed(st);

	for (unsigned i = 0; ok && until > 0 && i < interfaces; i++) {
		uint64_t frame = frame_id(source + i, 0);

		ok = store_loss(st, &(struct loss){ .reason = LOSS_NOT_WATCHED, .frame = frame,
			.last_frame = frame, .time_ns = until < run->from_ns ? until : run->from_ns });
	}
	return ok;
}

bool store_run_again(struct store *st, const struct run_info *run, unsigned interfaces, unsigned *source_out)
{
	int64_t source = store_number(st, next_source_sql, -1);

	if (source < 0 || !can_run_again(st, run->scope) || !store_begin(st))
		return false;
	*source_out = (unsigned)source;
	if (begin_run(st, run, interfaces, *source_out) && store_commit(st))
		return true;
	store_rollback(st);
	return false;
}

bool store_run_until(struct store *st, int64_t until_ns)
{
	sqlite3_stmt *q = store_kept(st, "UPDATE run SET until_ns = max(until_ns, ?)"
				     " WHERE id = (SELECT max(id) FROM run)");

	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, until_ns);
	return store_do(st, q);
}

bool store_run_ca(struct store *st, const char *ca_store)
{
	sqlite3_stmt *q = store_prepare(st, "UPDATE run SET ca_store = ? WHERE id = (SELECT max(id) FROM run)");

	sqlite3_bind_text(q, 1, ca_store, -1, SQLITE_STATIC);
	return finish(st, q);
}

bool store_command(struct store *st, const struct store_command *command)
{
	sqlite3_stmt *q = store_prepare(st, "INSERT INTO command VALUES ((SELECT max(id) FROM run), ?, nullif(?, -1), ?, ?)");

	sqlite3_bind_text(q, 1, command->name, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 2, command->status);
	sqlite3_bind_text(q, 3, command->signal, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 4, command->left, -1, SQLITE_STATIC);
	return finish(st, q);
}

static bool add_interface(struct store *st, unsigned source, unsigned number,
			  const struct source_interface *interface)
{
	sqlite3_stmt *q = store_prepare(st, "INSERT OR REPLACE INTO source_interface VALUES (?,?,?,?,?,?,?,?,?)");

	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, source);
	sqlite3_bind_int64(q, 2, number);
	sqlite3_bind_text(q, 3, interface->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 4, interface->link_type);
	sqlite3_bind_int64(q, 5, interface->snaplen);
	sqlite3_bind_int64(q, 6, (sqlite3_int64)interface->packets);
	sqlite3_bind_int64(q, 7, interface->recorded);
	sqlite3_bind_int64(q, 8, (sqlite3_int64)interface->recorded_received);
	sqlite3_bind_int64(q, 9, (sqlite3_int64)interface->recorded_dropped);
	return finish(st, q);
}

static bool add_source(struct store *st, unsigned number, const struct source_end *end)
{
	sqlite3_stmt *q = store_prepare(st, "INSERT OR REPLACE INTO source VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'')");

	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, number);
	sqlite3_bind_text(q, 2, end->path, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 3, source_how_name(end->how), -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 4, (sqlite3_int64)end->at_byte);
	sqlite3_bind_text(q, 5, end->why, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 6, (sqlite3_int64)end->size);
	sqlite3_bind_text(q, 7, end->sha256, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 8, text_or_empty(end->format), -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 9, text_or_empty(end->compression), -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 10, (sqlite3_int64)end->packets);
	sqlite3_bind_int64(q, 11, end->first_ns);
	sqlite3_bind_int64(q, 12, end->last_ns);
	sqlite3_bind_int64(q, 13, (sqlite3_int64)end->secrets_blocks);
	sqlite3_bind_int64(q, 14, (sqlite3_int64)end->unknown_blocks);
	sqlite3_bind_int64(q, 15, (sqlite3_int64)end->comments);
	return finish(st, q);
}

bool store_source(struct store *st, unsigned number, const struct source_end *end)
{
	bool ok = store_begin(st) && add_source(st, number, end);

	for (unsigned i = 0; ok && i < end->interface_count; i++)
		ok = add_interface(st, number, i, &end->interfaces[i]);
	if (ok && store_commit(st))
		return true;
	store_rollback(st);
	return false;
}

bool store_vantage(struct store *st, unsigned source, const char *vantage)
{
	sqlite3_stmt *q = store_prepare(st, "UPDATE source SET vantage = ? WHERE number = ?");

	if (q == NULL)
		return false;
	sqlite3_bind_text(q, 1, vantage, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, source);
	return finish(st, q);
}

bool store_loss(struct store *st, const struct loss *loss)
{
	sqlite3_stmt *q = store_prepare(st,
		"INSERT INTO loss VALUES (?1,?2,0,(SELECT coalesce(max(place) + 1, 0) FROM loss"
		" WHERE frame = ?1 AND reason = ?2 AND flow = 0),?3,?4,?5,?6,?7,?8)");

	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)loss->frame);
	sqlite3_bind_text(q, 2, loss_reason_name(loss->reason), -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 3, (sqlite3_int64)loss->last_frame);
	sqlite3_bind_int64(q, 4, loss->time_ns);
	sqlite3_bind_int64(q, 5, (sqlite3_int64)loss->packets);
	sqlite3_bind_int64(q, 6, (sqlite3_int64)loss->bytes);
	if (loss->has_hosts) {
		sqlite3_bind_blob(q, 7, loss->src, 16, SQLITE_STATIC);
		sqlite3_bind_blob(q, 8, loss->dst, 16, SQLITE_STATIC);
	}
	return finish(st, q);
}

int64_t store_run_is_until(struct store *st)
{
	return store_number(st, "SELECT until_ns FROM run ORDER BY id DESC LIMIT 1", 0);
}
