#include "report/judge_part.h"
#include "report/sql.h"

/* What the rules yield: a row for each frame of each flow of each finding. */
static const char found_sql[] =
	"DROP TABLE IF EXISTS temp.found;"
	"CREATE TEMP TABLE found (kind TEXT, class TEXT, client INTEGER, owner TEXT, account TEXT,"
	" mechanism TEXT, secret_len INTEGER, strength TEXT, first_ns INTEGER, last_ns INTEGER, flow INTEGER,"
	" frame INTEGER, sentence TEXT, refuted_by TEXT, about TEXT)";

/* Rows of one client, owner, account, mechanism and what they are about are one finding. With min(flow)
 * SQLite takes the bare columns from the row of that minimum (lang_select, "bare columns"). */
static const char finding_sql[] =
	"CREATE TEMP TABLE grouped AS SELECT row_number() OVER"
	"  (ORDER BY client, kind, owner, first_flow, account, mechanism, about) AS id, * FROM"
	"  (SELECT min(flow) AS first_flow, * FROM found GROUP BY kind, client, owner, account, mechanism, about);"
	"INSERT INTO finding SELECT g.id,"
	" g.kind || '/' || host(c.address) || '/' || g.owner || '/' || g.first_flow || '/'"
	"  || coalesce(g.account, '') || '/' || coalesce(g.mechanism, '') || coalesce('/' || g.about, ''),"
	" g.kind, g.class, g.strength, g.client, g.owner, g.account, g.mechanism, g.secret_len, g.first_ns,"
	" g.last_ns, g.sentence, g.refuted_by FROM grouped AS g JOIN client AS c ON c.id = g.client;"
	"CREATE TEMP TABLE matched AS SELECT g.id, f.flow, f.frame FROM found AS f"
	" CROSS JOIN grouped AS g ON g.kind = f.kind AND g.client = f.client AND g.owner = f.owner"
	"  AND g.account IS f.account AND g.mechanism IS f.mechanism AND g.about IS f.about;"
	"INSERT OR IGNORE INTO finding_flow SELECT id, flow FROM matched;"
	"INSERT OR IGNORE INTO evidence SELECT id, frame FROM matched WHERE frame > 0;"
	"DROP TABLE matched; DROP TABLE grouped; DROP TABLE found";

static const char *const columns[] = {
	"class", "client", "owner", "account", "mechanism", "secret_len", "strength", "first_ns", "last_ns",
	"flow", "frame", "sentence", "refuted_by", "about",
};
#define COLUMN_COUNT ((int)(sizeof(columns) / sizeof(columns[0])))

/* Rules name their columns, and all rules the same ones in the same order. The last, about, may be left
 * out: it tells findings of one client and owner apart, by server or certificate. */
static bool has_the_columns(const struct judge_part *part, const struct sql_rule *rule, sqlite3_stmt *q)
{
	int count = sqlite3_column_count(q);

	for (int i = 0; i < COLUMN_COUNT - 1 || i < count; i++) {
		if (count < COLUMN_COUNT - 1 || count > COLUMN_COUNT ||
		    sqlite3_stricmp(sqlite3_column_name(q, i), columns[i]) != 0)
			return store_fail(part->st, "rule %s: column %d must be %s", rule->kind, i + 1,
					  columns[i]);
	}
	return true;
}

static bool run(const struct judge_part *part, const struct sql_rule *rule, sqlite3_stmt *insert)
{
	sqlite3_stmt *q = store_prepare(part->st, rule->select);
	int rc = SQLITE_ERROR;

	/* :client and :from stay NULL: everyone, from the beginning. */
	if (q != NULL && has_the_columns(part, rule, q)) {
		while ((rc = store_step(part->st, q)) == SQLITE_ROW) {
			sqlite3_bind_text(insert, 1, rule->kind, -1, SQLITE_STATIC);
			sqlite3_bind_null(insert, COLUMN_COUNT + 1);
			for (int i = 0; i < sqlite3_column_count(q); i++)
				sqlite3_bind_value(insert, i + 2, sqlite3_column_value(q, i));
			if (!store_do(part->st, insert))
				break;
		}
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

bool judge_finding(const struct judge_part *part)
{
	sqlite3_stmt *insert;
	bool ok;

	if (!store_exec(part->st, found_sql))
		return false;
	insert = store_prepare(part->st, "INSERT INTO temp.found VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	ok = insert != NULL;
	for (const struct sql_rule *rule = sql_rules; ok && rule->kind != NULL; rule++)
		ok = run(part, rule, insert);
	sqlite3_finalize(insert);
	return ok && store_exec(part->st, finding_sql);
}
