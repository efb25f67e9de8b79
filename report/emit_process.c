#include "report/emit_process.h"

#include "report/store_sql.h"

enum { NAME, PID, PATH, USER, UID, UNIT, CGROUP, SHA256, QUALITY, FLOWS, BYTES_UP, BYTES_DOWN, PROGRAM, WORDS, EXECUTABLE };

/* One that has no program is known by its number alone, or not at all. */
#define BARE_PID "iif(c.program = 0, c.pid, 0)"

#define PROGRAMS(which) \
	"SELECT p.name, iif(min(c.pid) = max(c.pid), nullif(c.pid, 0), NULL) AS one_pid, nullif(p.path, ''), nullif(p.user, '')," \
	" c.uid, nullif(p.unit, ''), nullif(p.cgroup, ''), iif(p.sha256 IS NULL, NULL, lower(hex(p.sha256)))," \
	" c.quality, count(*), sum(c.up), sum(c.down), c.program," \
	" printf('%s%s, %s: %,d flow%s, %,d bytes up, %,d down', coalesce(p.name, iif(c.pid > 0, 'process', 'no process known')" \
	"  || iif(c.program = 0 AND c.pid = 0 AND c.uid IS NOT NULL, ' of user ' || c.uid, ''))," \
	"  CASE WHEN c.program = 0 AND c.pid > 0 THEN ' ' || c.pid WHEN min(c.pid) = max(c.pid) AND c.pid > 0" \
	"  THEN ' (pid ' || c.pid || ')' ELSE '' END, c.quality, count(*), iif(count(*) = 1, '', 's'), sum(c.up), sum(c.down))," \
	" iif(p.number IS NULL, NULL, printf('%s, user %s%s%s', iif(p.path <> '', p.path, 'executable not known')," \
	"  iif(p.user <> '', p.user, p.uid), iif(p.unit <> '', ', ' || p.unit, '')," \
	"  coalesce(', sha256 ' || lower(hex(p.sha256)), '')))" \
	" FROM contact_process AS c LEFT JOIN process AS p ON p.number = c.program WHERE " which \
	" GROUP BY c.program, " BARE_PID ", c.quality, c.uid" \
	" ORDER BY c.quality = 'none', sum(c.up) DESC, p.name, p.path, c.program, c.pid, c.quality, c.uid"

static const char *const programs_sql[] = {
	[EMIT_OF_CLIENT] = PROGRAMS("c.client = ?1"),
	[EMIT_OF_FINDING] = PROGRAMS("c.flow IN (SELECT flow FROM finding_flow WHERE finding = ?1)"
				     " AND c.client = (SELECT client FROM finding WHERE id = ?1)"),
};

static const char destinations_sql[] =
	"SELECT e.owner, nullif(e.service, ''), e.role, count(*), sum(c.up), sum(c.down)"
	" FROM contact_process AS c JOIN endpoint AS e ON e.id = c.endpoint WHERE c.client = ?1 AND c.program = ?2"
	" AND " BARE_PID " = ?3 AND c.quality = ?4 AND c.uid IS ?5"
	" GROUP BY e.owner, e.service, e.role ORDER BY sum(c.up) DESC, e.owner, e.service, e.role";

/* The same in one line. */
static const char destination_words_sql[] =
	"SELECT group_concat(words, ', ') FROM (SELECT printf('%s %,d bytes',"
	" iif(e.role = 'local', 'local hosts', iif(e.service <> '', e.service, e.owner)), sum(c.up)) AS words"
	" FROM contact_process AS c JOIN endpoint AS e ON e.id = c.endpoint WHERE c.client = ?1 AND c.program = ?2"
	" AND " BARE_PID " = ?3 AND c.quality = ?4 AND c.uid IS ?5"
	" GROUP BY iif(e.role = 'local', 'local hosts', iif(e.service <> '', e.service, e.owner))"
	" ORDER BY sum(c.up) DESC, 1)";

static const char *text_at(sqlite3_stmt *q, int column)
{
	return (const char *)sqlite3_column_text(q, column);
}

/* Binds one of destinations_sql to the program of a row of programs_sql. */
static sqlite3_stmt *destinations_of(struct store *st, const char *sql, int64_t client, sqlite3_stmt *program)
{
	sqlite3_stmt *q = store_kept(st, sql);

	if (q == NULL)
		return NULL;
	sqlite3_bind_int64(q, 1, client);
	sqlite3_bind_value(q, 2, sqlite3_column_value(program, PROGRAM));
	sqlite3_bind_int64(q, 3, sqlite3_column_int64(program, PROGRAM) == 0 ? sqlite3_column_int64(program, PID) : 0);
	sqlite3_bind_value(q, 4, sqlite3_column_value(program, QUALITY));
	sqlite3_bind_value(q, 5, sqlite3_column_value(program, UID));
	return q;
}

bool emit_process_lines(struct store *st, enum emit_process_of of, int64_t id,
			void (*line)(void *context, enum emit_process_line kind, const char *text), void *context)
{
	sqlite3_stmt *q = store_kept(st, programs_sql[of]), *to;
	int rc = SQLITE_ERROR;
	bool ok = q != NULL;

	if (ok)
		sqlite3_bind_int64(q, 1, id);
	while (ok && (rc = store_step(st, q)) == SQLITE_ROW) {
		line(context, EMIT_PROGRAM, text_at(q, WORDS));
		if (text_at(q, EXECUTABLE) != NULL)
			line(context, EMIT_EXECUTABLE, text_at(q, EXECUTABLE));
		if (of != EMIT_OF_CLIENT)
			continue;
		to = destinations_of(st, destination_words_sql, id, q);
		ok = to != NULL && store_step(st, to) == SQLITE_ROW;
		if (ok && text_at(to, 0) != NULL)
			line(context, EMIT_DESTINATIONS, text_at(to, 0));
		sqlite3_reset(to);
	}
	sqlite3_reset(q);
	return ok && rc == SQLITE_DONE;
}

static void number_or_null(struct emit_json_writer *w, const char *key, sqlite3_stmt *q, int column)
{
	if (sqlite3_column_type(q, column) == SQLITE_NULL)
		emit_json_string(w, key, NULL);
	else
		emit_json_number(w, key, sqlite3_column_int64(q, column));
}

static bool destinations(struct store *st, int64_t client, sqlite3_stmt *program, struct emit_json_writer *w)
{
	sqlite3_stmt *q = destinations_of(st, destinations_sql, client, program);
	int rc = SQLITE_ERROR;

	emit_json_open(w, "destinations", '[');
	while (q != NULL && (rc = store_step(st, q)) == SQLITE_ROW) {
		emit_json_open(w, NULL, '{');
		emit_json_string(w, "owner", text_at(q, 0));
		emit_json_string(w, "service", text_at(q, 1));
		emit_json_string(w, "role", text_at(q, 2));
		emit_json_number(w, "flows", sqlite3_column_int64(q, 3));
		emit_json_number(w, "bytes_up", sqlite3_column_int64(q, 4));
		emit_json_number(w, "bytes_down", sqlite3_column_int64(q, 5));
		emit_json_close(w, '}');
	}
	emit_json_close(w, ']');
	sqlite3_reset(q);
	return rc == SQLITE_DONE;
}

static void program(struct emit_json_writer *w, sqlite3_stmt *q)
{
	emit_json_string(w, "name", text_at(q, NAME));
	number_or_null(w, "pid", q, PID);
	emit_json_string(w, "path", text_at(q, PATH));
	emit_json_string(w, "user", text_at(q, USER));
	number_or_null(w, "uid", q, UID);
	emit_json_string(w, "unit", text_at(q, UNIT));
	emit_json_string(w, "cgroup", text_at(q, CGROUP));
	emit_json_string(w, "sha256", text_at(q, SHA256));
	emit_json_string(w, "quality", text_at(q, QUALITY));
	emit_json_number(w, "flows", sqlite3_column_int64(q, FLOWS));
	emit_json_number(w, "bytes_up", sqlite3_column_int64(q, BYTES_UP));
	emit_json_number(w, "bytes_down", sqlite3_column_int64(q, BYTES_DOWN));
}

/* No guess: every flow of the client, and each by an exact match. */
static const char only_sql[] =
	"SELECT CASE WHEN count(DISTINCT c.program) = 1 AND min(c.quality) = 'exact' AND max(c.quality) = 'exact'"
	" AND count(DISTINCT c.flow) = (SELECT sum(flows) FROM traffic WHERE client = ?1)"
	" THEN (SELECT name FROM process WHERE number = c.program) END FROM contact_process AS c WHERE c.client = ?1";

static bool only_process(struct store *st, int64_t client, struct emit_json_writer *w)
{
	sqlite3_stmt *q = store_kept(st, only_sql);
	bool ok;

	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, client);
	ok = store_step(st, q) == SQLITE_ROW;
	emit_json_string(w, "process", ok ? text_at(q, 0) : NULL);
	sqlite3_reset(q);
	return ok;
}

bool emit_process_json(struct store *st, enum emit_process_of of, int64_t id, struct emit_json_writer *w)
{
	sqlite3_stmt *q = store_kept(st, programs_sql[of]);
	bool ok = q != NULL && (of != EMIT_OF_CLIENT || only_process(st, id, w)), some = false;
	int rc = SQLITE_ERROR;

	if (ok)
		sqlite3_bind_int64(q, 1, id);
	while (ok && (rc = store_step(st, q)) == SQLITE_ROW) {
		if (!some)
			emit_json_open(w, "processes", '[');
		some = true;
		emit_json_open(w, NULL, '{');
		program(w, q);
		if (of == EMIT_OF_CLIENT)
			ok = destinations(st, id, q, w);
		emit_json_close(w, '}');
	}
	if (some)
		emit_json_close(w, ']');
	sqlite3_reset(q);
	return ok && rc == SQLITE_DONE;
}
