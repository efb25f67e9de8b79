#include "report/judge_hint.h"
#include "report/judge_lookup.h"

#include "capture/base.h"

#include <string.h>

static bool write_provider(const struct judge_part *part, sqlite3_stmt *insert, int64_t client,
			   const char *owner, const char *how)
{
	sqlite3_bind_int64(insert, 1, client);
	sqlite3_bind_text(insert, 2, owner, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 3, how, -1, SQLITE_STATIC);
	return store_do(part->st, insert);
}

static bool resolve(const struct judge_part *part, const struct policy_word *word, char owner_out[64])
{
	if (part->book->resolve(part->book->context, word->word, owner_out))
		return true;
	return store_fail(part->st, "%s: %s is no owner of the catalogue and no domain", word->where, word->word);
}

static bool declare(const struct judge_part *part, sqlite3_stmt *insert, int64_t client,
		    const struct policy_word *words, unsigned count)
{
	char owner[64];

	for (unsigned i = 0; i < count; i++) {
		if (!resolve(part, &words[i], owner) ||
		    !write_provider(part, insert, client, owner, "declared"))
			return false;
	}
	return true;
}

/* A client may be declared by any of its addresses; a line of its own goes before everyone's. */
static bool declared(const struct judge_part *part, sqlite3_stmt *insert)
{
	static const uint8_t nobody[16];
	const struct policy_word *everyones, *words, *own = NULL;
	unsigned everyones_count = policy_providers(part->policy, nobody, &everyones), own_count = 0;
	int64_t client = 0;
	int rc = SQLITE_ERROR;
	sqlite3_stmt *q = store_prepare(part->st,
		"SELECT client, address FROM client_address ORDER BY client, address");
	bool ok = q != NULL;
	char owner[64];

	/* A word that nobody is judged by must not pass unread. */
	for (unsigned i = 0; ok && i < everyones_count; i++)
		ok = resolve(part, &everyones[i], owner);
	while (ok && (rc = store_step(part->st, q)) == SQLITE_ROW) {
		int64_t next = sqlite3_column_int64(q, 0);
		unsigned count = policy_providers(part->policy, sqlite3_column_blob(q, 1), &words);

		if (next != client) {
			ok = declare(part, insert, client, own != NULL ? own : everyones,
				     client == 0 ? 0 : own != NULL ? own_count : everyones_count);
			client = next;
			own = NULL;
		}
		if (words != everyones && own == NULL) {
			own = words;
			own_count = count;
		}
	}
	if (ok && client != 0)
		ok = declare(part, insert, client, own != NULL ? own : everyones,
			     own != NULL ? own_count : everyones_count);
	sqlite3_finalize(q);
	return ok && rc == SQLITE_DONE;
}

static bool expected(const struct judge_part *part)
{
	const struct policy_word *words;
	unsigned count = policy_expected(part->policy, &words);
	sqlite3_stmt *insert = store_prepare(part->st, "INSERT OR IGNORE INTO expected VALUES (?)");
	bool ok = insert != NULL;
	char owner[64];

	for (unsigned i = 0; ok && i < count; i++) {
		ok = resolve(part, &words[i], owner);
		sqlite3_bind_text(insert, 1, owner, -1, SQLITE_STATIC);
		ok = ok && store_do(part->st, insert);
	}
	sqlite3_finalize(insert);
	return ok && store_exec(part->st, "INSERT OR IGNORE INTO expected VALUES ('" JUDGE_EXPECTED "')");
}

static bool teaches(const struct owner_tag *tag)
{
	return tag->owner[0] != '\0' && tag->named_by > NAMED_BY_ASN &&
	       (tag->role == ROLE_MAIL_PROVIDER || tag->role == ROLE_MAIL_SERVICE ||
		tag->role == ROLE_OTHER || tag->role == ROLE_ACCESS);
}

/* settled: the domain's MX says that its mail is there, and the client has mail sessions. */
static bool learn_target(const struct judge_part *part, sqlite3_stmt *insert, int64_t client, const char *target,
			 bool set_up, bool settled)
{
	struct owner_tag tag;

	lookup_tag(part, target, &tag);
	if (!teaches(&tag) || (set_up && settled))
		return true;
	if (set_up)
		return hint_add(part, client, tag.owner);
	return write_provider(part, insert, client, tag.owner, "learnt");
}

static bool learn_lookup(const struct judge_part *part, sqlite3_stmt *insert, sqlite3_stmt *q)
{
	int64_t client = sqlite3_column_int64(q, 0);
	const char *name = (const char *)sqlite3_column_text(q, 1), *type = (const char *)sqlite3_column_text(q, 2);
	const char *domain = lookup_domain(name, type);
	char target[FACT_NAME_SIZE];
	struct owner_tag tag;

	if (domain == NULL || strchr(domain, '.') == NULL)
		return true;
	lookup_tag(part, domain, &tag);
	/* autodiscover.outlook.com and the like are asked for whatever the account is. */
	if (!teaches(&tag) || tag.relay != RELAY_NO || tag.role == ROLE_MAIL_SERVICE)
		return true;
	if (!write_provider(part, insert, client, tag.owner, "learnt"))
		return false;
	if (!lookup_target((const char *)sqlite3_column_text(q, 3), type, target))
		return true;
	return learn_target(part, insert, client, target, lookup_is_set_up(name), sqlite3_column_int(q, 4) != 0);
}

/* Of an alias for set-up the domain that it is for; else NULL. */
#define ALIAS_OF "CASE" \
	" WHEN d.name GLOB 'autodiscover.*' THEN substr(d.name, length('autodiscover.') + 1)" \
	" WHEN d.name GLOB 'autoconfig.*' THEN substr(d.name, length('autoconfig.') + 1)" \
	" WHEN d.name GLOB '_autodiscover._tcp.*' THEN substr(d.name, length('_autodiscover._tcp.') + 1) END"

/* The answered look-ups of that domain's MX. It says where mail is (RFC 5321 section 5.1), and the alias no more. */
#define MX_OF_ALIAS "FROM mail_dns AS m INDEXED BY mx_by_question WHERE m.type = 'MX' AND m.asked_by = d.asked_by" \
	" AND m.name = " ALIAS_OF " AND m.answered AND m.rdata <> ''"

/* Hosts that answer DNS ask for others. Hosts that deliver mail ask for the MX of whom they write to. */
static const char lookup_sql[] =
	"SELECT DISTINCT a.client, d.name, d.type, d.rdata,"
	" EXISTS (SELECT 1 " MX_OF_ALIAS " AND '.' || rtrim(m.rdata, '.') GLOB '*[. ]' || m.name)"
	" AND a.client IN (SELECT client FROM own_sessions)"
	" FROM mail_dns AS d"
	" CROSS JOIN client_address AS a ON a.address = d.asked_by"
	" AND " SAME_VANTAGE("d.id", "a.vantage")
	" WHERE a.client NOT IN (SELECT client FROM client_provider WHERE how = 'declared'"
	"                        AND owner <> '" JUDGE_OWN_SERVER "')"
	" AND a.client NOT IN (SELECT client FROM client_coverage WHERE asked > 0)"
	" AND NOT (d.type = 'MX' AND a.client IN"
	"          (SELECT client FROM traffic WHERE kind = 'delivery' AND originated))"
	" ORDER BY 1, 2, 3, 4";

static bool learn_lookups(const struct judge_part *part, sqlite3_stmt *insert)
{
	sqlite3_stmt *q = store_prepare(part->st, lookup_sql);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(part->st, q)) == SQLITE_ROW) {
		if (!learn_lookup(part, insert, q))
			break;
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

/* A session with a service that is not only a relay, and that answered. */
static const char session_sql[] =
	"INSERT OR IGNORE INTO client_provider"
	" SELECT DISTINCT client, owner, 'learnt' FROM own_sessions"
	" WHERE named AND named_by <> 'policy' AND NOT ambiguous AND answered > 0 AND owner <> ''"
	" AND role IN ('mail-provider', 'mail-service', 'other', 'access', 'vendor-cloud', 'cdn')"
	" AND NOT (role = 'vendor-cloud' AND relay <> 'no')"
	" AND client NOT IN (SELECT client FROM client_provider WHERE how = 'declared'"
	"                    AND owner <> '" JUDGE_OWN_SERVER "')";

static bool write_other_names(const struct judge_part *part)
{
	sqlite3_stmt *q = store_prepare(part->st,
		"SELECT DISTINCT t.client, t.far, p.owner FROM traffic AS t JOIN endpoint AS e ON e.id = t.endpoint"
		" JOIN client_provider AS p ON p.client = t.client"
		" WHERE t.kind = 'session' AND t.originated AND e.role = 'other' AND e.name <> ''"
		" AND e.owner NOT IN (SELECT owner FROM client_provider WHERE client = t.client)");
	sqlite3_stmt *insert = store_prepare(part->st, "INSERT OR IGNORE INTO other_name VALUES (?,?)");
	int rc = SQLITE_ERROR;

	while (q != NULL && insert != NULL && (rc = store_step(part->st, q)) == SQLITE_ROW) {
		if (!part->book->may_be_at(part->book->context, (const char *)sqlite3_column_text(q, 2),
					   sqlite3_column_blob(q, 1)))
			continue;
		sqlite3_bind_value(insert, 1, sqlite3_column_value(q, 0));
		sqlite3_bind_value(insert, 2, sqlite3_column_value(q, 1));
		if (!store_do(part->st, insert))
			break;
	}
	sqlite3_finalize(q);
	sqlite3_finalize(insert);
	return rc == SQLITE_DONE;
}

static const char vendor_sql[] =
	"INSERT INTO vendor_sum SELECT t.client, e.owner, sum(t.vendor_up), max(e.setup),"
	" EXISTS (SELECT 1 FROM client_provider AS p WHERE p.client = t.client AND p.owner = e.owner)"
	" FROM traffic AS t JOIN endpoint AS e ON e.id = t.endpoint WHERE t.vendor_up > 0"
	" GROUP BY t.client, e.owner";

bool judge_provider(const struct judge_part *part)
{
	sqlite3_stmt *insert = store_prepare(part->st,
		"INSERT OR IGNORE INTO client_provider VALUES (?,?,?)");
	bool ok = insert != NULL && expected(part) && declared(part, insert) &&
		  store_exec(part->st,
			"INSERT OR IGNORE INTO client_provider SELECT DISTINCT client, '" JUDGE_OWN_SERVER "', 'declared'"
			" FROM contact_class JOIN contact USING (flow) WHERE class = 'own-server'") &&
		  hint_declared(part) && learn_lookups(part, insert) &&
		  store_exec(part->st, session_sql) && write_other_names(part) &&
		  store_exec(part->st, "INSERT INTO provider_contact SELECT client, owner FROM meets_provider") &&
		  store_exec(part->st, vendor_sql);

	sqlite3_finalize(insert);
	return ok;
}
