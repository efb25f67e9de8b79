#include "report/judge_part.h"

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

/* What a name alone says of its owner. The address is global unicast and in nobody's prefix. */
static void tag_name(const struct judge_part *part, const char *name, struct owner_tag *tag_out)
{
	struct owner_evidence evidence = {
		.sni = "", .dns_name = name, .dns_canonical = name, .certificate = "", .address = { 0x20 },
	};

	memset(tag_out, 0, sizeof(*tag_out));
	part->book->tag(part->book->context, &evidence, tag_out);
}

/* The account's domain in a name that mail set-up asks for; NULL when it is none. RFC 6186: SRV names
 * begin with two labels that have an underscore. */
static const char *account_domain(const char *name, const char *type)
{
	if (strncmp(name, "autoconfig.", 11) == 0)
		return name + 11;
	if (strncmp(name, "autodiscover.", 13) == 0)
		return name + 13;
	if (strcmp(type, "MX") == 0)
		return name;
	if (strcmp(type, "SRV") != 0)
		return NULL;
	while (*name == '_') {
		name = strchr(name, '.');
		if (name == NULL)
			return NULL;
		name++;
	}
	return name;
}

/* The host at the end of an MX, SRV or CNAME answer, without its dot; false when there is none. */
static bool target_host(const char *rdata, const char *type, char out[FACT_NAME_SIZE])
{
	const char *last = strrchr(rdata, ' ');
	size_t n;

	if (strcmp(type, "MX") != 0 && strcmp(type, "SRV") != 0 && strcmp(type, "CNAME") != 0)
		return false;
	base_copy(out, FACT_NAME_SIZE, last != NULL ? last + 1 : rdata);
	n = strlen(out);
	if (n > 0 && out[n - 1] == '.')
		out[n - 1] = '\0';
	return out[0] != '\0';
}

static bool teaches(const struct owner_tag *tag)
{
	return tag->owner[0] != '\0' && tag->named_by > NAMED_BY_ASN &&
	       (tag->role == ROLE_MAIL_PROVIDER || tag->role == ROLE_MAIL_SERVICE ||
		tag->role == ROLE_OTHER || tag->role == ROLE_ACCESS);
}

/* Where a domain's clients are set up, which is not where its mail is: a vendor can have the one alone. */
static bool is_set_up(const char *name)
{
	return strncmp(name, "auto", 4) == 0 || strncmp(name, "_auto", 5) == 0;
}

static bool hint(const struct judge_part *part, int64_t client, const char *owner)
{
	sqlite3_stmt *insert = store_kept(part->st, "INSERT OR IGNORE INTO provider_hint VALUES (?,?)");

	if (insert == NULL)
		return false;
	sqlite3_bind_int64(insert, 1, client);
	sqlite3_bind_text(insert, 2, owner, -1, SQLITE_STATIC);
	return store_do(part->st, insert);
}

/* settled: the domain's MX says that its mail is there, and the client has mail sessions. */
static bool learn_target(const struct judge_part *part, sqlite3_stmt *insert, int64_t client, const char *target,
			 bool set_up, bool settled)
{
	struct owner_tag tag;

	tag_name(part, target, &tag);
	if (!teaches(&tag) || (set_up && settled))
		return true;
	if (set_up)
		return hint(part, client, tag.owner);
	return write_provider(part, insert, client, tag.owner, "learnt");
}

static bool learn_lookup(const struct judge_part *part, sqlite3_stmt *insert, sqlite3_stmt *q)
{
	int64_t client = sqlite3_column_int64(q, 0);
	const char *name = (const char *)sqlite3_column_text(q, 1), *type = (const char *)sqlite3_column_text(q, 2);
	const char *domain = account_domain(name, type);
	char target[FACT_NAME_SIZE];
	struct owner_tag tag;

	if (domain == NULL || strchr(domain, '.') == NULL)
		return true;
	tag_name(part, domain, &tag);
	/* autodiscover.outlook.com and the like are asked for whatever the account is. */
	if (!teaches(&tag) || tag.relay != RELAY_NO || tag.role == ROLE_MAIL_SERVICE)
		return true;
	if (!write_provider(part, insert, client, tag.owner, "learnt"))
		return false;
	if (!target_host((const char *)sqlite3_column_text(q, 3), type, target))
		return true;
	return learn_target(part, insert, client, target, is_set_up(name), sqlite3_column_int(q, 4) != 0);
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

/* Look-ups under a declared provider's domain that lead to another owner: it may have its mail there. Without the
 * plus SQLite would look for each of them through the addresses of all clients. */
static const char hint_sql[] =
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
		if (!target_host((const char *)sqlite3_column_text(q, 0), "MX", host))
			continue;
		tag_name(part, host, &tag);
		settles = is_within(host, domain) || tag.role == ROLE_MAIL_PROVIDER ||
			  tag.role == ROLE_MAIL_SERVICE;
	}
	sqlite3_reset(q);
	return settles;
}

static bool write_hint(const struct judge_part *part, sqlite3_stmt *insert, sqlite3_stmt *q)
{
	const char *type = (const char *)sqlite3_column_text(q, 2);
	const char *domain = account_domain((const char *)sqlite3_column_text(q, 1), type);
	char target[FACT_NAME_SIZE];
	struct owner_tag asked, led_to;

	if (domain == NULL || !target_host((const char *)sqlite3_column_text(q, 3), type, target))
		return true;
	if (is_set_up((const char *)sqlite3_column_text(q, 1)) &&
	    mx_settles(part, sqlite3_column_value(q, 4), domain))
		return true;
	tag_name(part, domain, &asked);
	tag_name(part, target, &led_to);
	sqlite3_bind_int64(insert, 1, sqlite3_column_int64(q, 0));
	sqlite3_bind_text(insert, 2, asked.owner, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 3, led_to.owner, -1, SQLITE_STATIC);
	return store_do(part->st, insert);
}

static bool write_hints(const struct judge_part *part)
{
	sqlite3_stmt *q = store_prepare(part->st, hint_sql);
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

/* A host of the provider's own domain that is an alias of another owner's mail host: autodiscover and its like
 * are hints by their own rules. */
static bool write_alias_hints(const struct judge_part *part)
{
	sqlite3_stmt *q = store_prepare(part->st,
		"SELECT DISTINCT a.client, n.name, n.canonical FROM name AS n"
		" CROSS JOIN client_address AS a ON a.address = n.asked_by AND " SAME_VANTAGE("n.id", "a.vantage")
		" CROSS JOIN client_provider AS p ON p.client = a.client AND p.how = 'declared'"
		" AND (n.name = p.owner OR n.name GLOB '*.' || p.owner)"
		" WHERE n.kind = 'dns' AND n.canonical <> '' ORDER BY 1, 2, 3");
	struct owner_tag tag;
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(part->st, q)) == SQLITE_ROW) {
		tag_name(part, (const char *)sqlite3_column_text(q, 2), &tag);
		if ((tag.role == ROLE_MAIL_PROVIDER || tag.role == ROLE_MAIL_SERVICE) &&
		    !is_set_up((const char *)sqlite3_column_text(q, 1)) &&
		    !hint(part, sqlite3_column_int64(q, 0), tag.owner))
			break;
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

/* Hints are of declared providers alone. */
static bool any_declared(const struct judge_part *part)
{
	return store_number(part->st, "SELECT EXISTS (SELECT 1 FROM client_provider WHERE how = 'declared')", 1) != 0;
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
		  (!any_declared(part) || (write_hints(part) && write_alias_hints(part))) && learn_lookups(part, insert) &&
		  store_exec(part->st, session_sql) && write_other_names(part) &&
		  store_exec(part->st, "INSERT INTO provider_contact SELECT client, owner FROM meets_provider") &&
		  store_exec(part->st, vendor_sql);

	sqlite3_finalize(insert);
	return ok;
}
