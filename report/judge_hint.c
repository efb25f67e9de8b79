/* Who else may have the mail of a provider's domain, as the client's look-ups say: table provider_hint. */
#include "report/judge_hint.h"

#include "capture/base.h"
#include "report/judge_lookup.h"

#include <string.h>

static const char hint_sql[] = "INSERT OR IGNORE INTO provider_hint VALUES (?,?)";
static const char alias_hint_sql[] = "INSERT OR IGNORE INTO alias_hint VALUES (?,?)";

static bool add_hint(const struct judge_part *part, const char *sql, int64_t client, const char *owner)
{
	sqlite3_stmt *insert = store_kept(part->st, sql);

	if (insert == NULL)
		return false;
	sqlite3_bind_int64(insert, 1, client);
	sqlite3_bind_text(insert, 2, owner, -1, SQLITE_STATIC);
	return store_do(part->st, insert);
}

bool hint_add(const struct judge_part *part, int64_t client, const char *owner)
{
	return add_hint(part, hint_sql, client, owner);
}

/* Look-ups under a declared provider's domain that lead to another owner: it may have its mail there. Without the
 * plus SQLite would look for each of them through the addresses of all clients. */
static const char hints_sql[] =
	"SELECT DISTINCT a.client, d.name, d.type, d.rdata, d.asked_by FROM mail_dns AS d"
	" CROSS JOIN client_address AS a ON a.address = d.asked_by"
	" AND " SAME_VANTAGE("d.id", "a.vantage")
	" WHERE +a.client IN (SELECT client FROM client_provider WHERE how = 'declared')"
	" ORDER BY 1, 2, 3, 4";

static bool is_within(const char *host, const char *domain)
{
	size_t h = strlen(host), d = strlen(domain);

	return h >= d && strcasecmp(host + h - d, domain) == 0 && (h == d || host[h - d - 1] == '.');
}

/* Whether the domain's MX answers say where its mail is, so that an alias for set-up says no more: at the
 * domain's own host, or at a service that is known to keep mail. Anybody else may only filter it. */
static bool mx_settles(const struct judge_part *part, sqlite3_value *asked_by, const char *domain)
{
	sqlite3_stmt *q = store_kept(part->st, "SELECT rdata FROM mail_dns INDEXED BY mx_by_question"
		" WHERE type = 'MX' AND asked_by = ?1 AND name = ?2 AND answered AND rdata <> ''");
	char host[FACT_NAME_SIZE];
	struct owner_tag tag;
	bool settles = false;

	if (q == NULL)
		return false;
	sqlite3_bind_value(q, 1, asked_by);
	sqlite3_bind_text(q, 2, domain, -1, SQLITE_STATIC);
	while (!settles && store_step(part->st, q) == SQLITE_ROW) {
		if (!lookup_target((const char *)sqlite3_column_text(q, 0), "MX", host))
			continue;
		lookup_tag(part, host, &tag);
		settles = is_within(host, domain) || tag.role == ROLE_MAIL_PROVIDER ||
			  tag.role == ROLE_MAIL_SERVICE;
	}
	sqlite3_reset(q);
	return settles;
}

static bool write_hint(const struct judge_part *part, sqlite3_stmt *insert, sqlite3_stmt *q)
{
	const char *type = (const char *)sqlite3_column_text(q, 2);
	const char *domain = lookup_domain((const char *)sqlite3_column_text(q, 1), type);
	char target[FACT_NAME_SIZE];
	struct owner_tag asked, led_to;

	if (domain == NULL || !lookup_target((const char *)sqlite3_column_text(q, 3), type, target))
		return true;
	if (lookup_is_set_up((const char *)sqlite3_column_text(q, 1)) &&
	    mx_settles(part, sqlite3_column_value(q, 4), domain))
		return true;
	lookup_tag(part, domain, &asked);
	lookup_tag(part, target, &led_to);
	sqlite3_bind_int64(insert, 1, sqlite3_column_int64(q, 0));
	sqlite3_bind_text(insert, 2, asked.owner, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 3, led_to.owner, -1, SQLITE_STATIC);
	return store_do(part->st, insert);
}

static bool write_hints(const struct judge_part *part)
{
	sqlite3_stmt *q = store_prepare(part->st, hints_sql);
	sqlite3_stmt *insert = store_prepare(part->st, "INSERT OR IGNORE INTO provider_hint"
		" SELECT client, ?3 FROM client_provider WHERE client = ?1 AND owner = ?2 AND owner <> ?3");
	int rc = SQLITE_ERROR;

	while (q != NULL && insert != NULL && (rc = store_step(part->st, q)) == SQLITE_ROW) {
		if (!write_hint(part, insert, q))
			break;
	}
	sqlite3_finalize(q);
	sqlite3_finalize(insert);
	return rc == SQLITE_DONE;
}

#define ALIASES(names, more) \
	"SELECT a.client, n.name, n.canonical FROM " names " AND " SAME_VANTAGE("n.id", "a.vantage") \
	" CROSS JOIN client_provider AS p ON p.client = a.client AND p.how = 'declared'" \
	" AND (n.name = p.owner OR n.name GLOB '*.' || p.owner)" \
	" WHERE n.kind = 'dns' AND n.canonical <> ''" more \
	" AND EXISTS (SELECT 1 FROM client_provider WHERE how = 'declared' AND owner GLOB '*.*')"

/* Those that came since; of clients that have another address than before all, as it may have asked, or be why another
 * provider is declared. */
static const char aliases_sql[] =
	ALIASES("name AS n CROSS JOIN client_address AS a ON a.address = n.asked_by", " AND n.id >= ?1")
	" UNION " ALIASES("temp.client_more AS m CROSS JOIN client_address AS a ON a.client = m.client"
			  " CROSS JOIN name AS n ON n.asked_by = a.address", " AND ?1 > 0")
	" ORDER BY 1, 2, 3";

/* A host of the provider's own domain that is an alias of another owner's mail host: autodiscover and its like
 * are hints by their own rules. */
static bool write_alias_hints(const struct judge_part *part)
{
	sqlite3_stmt *q = store_exec(part->st, "DELETE FROM alias_hint WHERE client IN (SELECT client FROM temp.client_more)")
			  ? store_prepare(part->st, aliases_sql) : NULL;
	struct owner_tag tag;
	int rc = SQLITE_ERROR;

	if (q != NULL)
		sqlite3_bind_int64(q, 1, part->new_names);
	while (q != NULL && (rc = store_step(part->st, q)) == SQLITE_ROW) {
		lookup_tag(part, (const char *)sqlite3_column_text(q, 2), &tag);
		if ((tag.role == ROLE_MAIL_PROVIDER || tag.role == ROLE_MAIL_SERVICE) &&
		    !lookup_is_set_up((const char *)sqlite3_column_text(q, 1)) &&
		    !add_hint(part, alias_hint_sql, sqlite3_column_int64(q, 0), tag.owner))
			break;
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE &&
	       store_exec(part->st, "INSERT OR IGNORE INTO provider_hint SELECT client, owner FROM alias_hint");
}

/* Hints are of declared providers alone. */
static bool any_declared(const struct judge_part *part)
{
	return store_number(part->st, "SELECT EXISTS (SELECT 1 FROM client_provider WHERE how = 'declared')", 1) != 0;
}

bool hint_declared(const struct judge_part *part)
{
	return !any_declared(part) || (write_hints(part) && write_alias_hints(part));
}
