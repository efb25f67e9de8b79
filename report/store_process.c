#include "report/store_sql.h"

/* A process's number in the case: those of several runs are apart. */
#define NUMBER(of) "iif(" of " = 0, 0, (SELECT max(id) FROM run) << 32 | " of ")"

static bool store_one(struct store *st, const struct process *p)
{
	sqlite3_stmt *q = store_kept(st, "INSERT OR REPLACE INTO process VALUES (" NUMBER("?1") ",?,?,?,?,?,?,?,?,?)");

	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, p->number);
	sqlite3_bind_int64(q, 2, p->pid);
	sqlite3_bind_int64(q, 3, (sqlite3_int64)p->start);
	sqlite3_bind_text(q, 4, p->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 5, p->path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 6, p->uid);
	sqlite3_bind_text(q, 7, p->user, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 8, p->cgroup, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 9, p->unit, -1, SQLITE_STATIC);
	if (p->has_sha256)
		sqlite3_bind_blob(q, 10, p->sha256, sizeof(p->sha256), SQLITE_STATIC);
	else
		sqlite3_bind_null(q, 10);
	return store_do(st, q);
}

/* One row for each holder; one without a process where nobody was found. */
static bool store_socket(struct store *st, const struct socket_owner *o)
{
	sqlite3_stmt *q = store_kept(st, "INSERT OR REPLACE INTO socket_owner VALUES (?,?,?,?,?,?,?,?,?,?,?,?," NUMBER("?13") ")");
	unsigned rows = o->holders < PROCESS_HOLDERS ? o->holders : PROCESS_HOLDERS;
	bool ok = q != NULL;

	for (unsigned i = 0; ok && (i == 0 || i < rows); i++) {
		sqlite3_bind_blob(q, 1, o->local.addr, sizeof(o->local.addr), SQLITE_STATIC);
		sqlite3_bind_int(q, 2, o->local.port);
		sqlite3_bind_blob(q, 3, o->remote.addr, sizeof(o->remote.addr), SQLITE_STATIC);
		sqlite3_bind_int(q, 4, o->remote.port);
		sqlite3_bind_int(q, 5, o->proto);
		sqlite3_bind_int64(q, 6, o->from_ns);
		sqlite3_bind_int64(q, 7, i);
		sqlite3_bind_int64(q, 8, o->until_ns);
		sqlite3_bind_text(q, 9, socket_state_name(o->state), -1, SQLITE_STATIC);
		sqlite3_bind_int(q, 10, o->asked);
		if (o->has_uid)
			sqlite3_bind_int64(q, 11, o->uid);
		else
			sqlite3_bind_null(q, 11);
		sqlite3_bind_int64(q, 12, o->holders);
		sqlite3_bind_int64(q, 13, i < rows ? o->processes[i] : 0);
		ok = store_do(st, q);
	}
	return ok;
}

static bool store_counts(struct store *st, const struct process_counts *c)
{
	sqlite3_stmt *q = store_kept(st, "INSERT OR REPLACE INTO process_count VALUES ((SELECT max(id) FROM run),?,?,?)");

	if (q == NULL)
		return false;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)c->asked);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)c->missed);
	sqlite3_bind_int64(q, 3, (sqlite3_int64)c->hidden);
	return store_do(st, q);
}

bool store_process(struct store *st, const struct process_fact *fact)
{
	return fact->kind == PROCESS_IS ? store_one(st, &fact->process) :
	       fact->kind == PROCESS_SOCKET ? store_socket(st, &fact->socket) : store_counts(st, &fact->counts);
}
