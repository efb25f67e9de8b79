#include "report/policy_part.h"

#include "capture/base.h"

#include <cyaml/cyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What mailwitness.yaml looks like. */
struct yaml_client {
	char *address;
	char **providers;
	unsigned providers_count;
};

struct yaml_sts {
	char *domain, *mode;
	char **mx;
	unsigned mx_count;
};

struct yaml_notify {
	char *to, *secret_file, *strength, *suppress_for;
	char **classes;
	unsigned classes_count;
};

struct yaml_policy {
	char **home, **mail_servers, **providers, **expected;
	unsigned home_count, mail_servers_count, providers_count, expected_count;
	struct yaml_client *clients;
	unsigned clients_count;
	struct yaml_sts *mta_sts;
	unsigned mta_sts_count;
	struct yaml_notify *notify;
	unsigned notify_count;
};

#define TEXT(key, where, more) \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | (more), struct where, key, 1, CYAML_UNLIMITED)
#define TEXTS(key, where) \
	CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct where, key, \
			     &text_schema, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};
static const cyaml_schema_field_t client_fields[] = {
	TEXT(address, yaml_client, 0),
	CYAML_FIELD_SEQUENCE("providers", CYAML_FLAG_POINTER, struct yaml_client, providers,
			     &text_schema, 1, CYAML_UNLIMITED),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t client_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_client, client_fields),
};
static const cyaml_schema_field_t sts_fields[] = {
	TEXT(domain, yaml_sts, 0),
	TEXT(mode, yaml_sts, 0),
	TEXTS(mx, yaml_sts),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t sts_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_sts, sts_fields),
};
static const cyaml_schema_field_t notify_fields[] = {
	TEXT(to, yaml_notify, 0),
	TEXT(secret_file, yaml_notify, CYAML_FLAG_OPTIONAL),
	TEXT(strength, yaml_notify, CYAML_FLAG_OPTIONAL),
	TEXT(suppress_for, yaml_notify, CYAML_FLAG_OPTIONAL),
	TEXTS(classes, yaml_notify),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t notify_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_notify, notify_fields),
};
static const cyaml_schema_field_t policy_fields[] = {
	TEXTS(home, yaml_policy),
	TEXTS(mail_servers, yaml_policy),
	TEXTS(providers, yaml_policy),
	TEXTS(expected, yaml_policy),
	CYAML_FIELD_SEQUENCE("clients", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_policy, clients,
			     &client_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_SEQUENCE("mta_sts", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_policy, mta_sts,
			     &sts_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_SEQUENCE("notify", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_policy, notify,
			     &notify_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t policy_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_policy, policy_fields),
};

/* What libcyaml said first, and the first line number it gave. */
struct yaml_log {
	char what[160];
	unsigned line;
};

__attribute__((format(printf, 3, 0)))
static void yaml_says(cyaml_log_t level, void *context, const char *fmt, va_list args)
{
	struct yaml_log *log = context;
	char text[256];
	const char *line;

	(void)level;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	line = strstr(text, "(line: ");
	if (line != NULL && log->line == 0)
		log->line = (unsigned)strtoul(line + strlen("(line: "), NULL, 10);
	else if (log->what[0] == '\0')
		base_copy(log->what, sizeof(log->what), strncmp(text, "Load: ", 6) == 0 ? text + 6 : text);
}

static const cyaml_config_t *yaml_config(cyaml_config_t *config_out, struct yaml_log *log)
{
	*config_out = (cyaml_config_t){
		.log_fn = yaml_says,
		.log_ctx = log,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,	/* aliases let a small file become a huge one */
	};
	return config_out;
}

/* "PATH:LINE" of the first line that has the word: libcyaml does not say where a value stood. */
static char *place_of(const char *path, const char *word)
{
	char line[1024], *place = base_alloc(strlen(path) + 16);
	FILE *f = fopen(path, "r");
	unsigned number = 0;

	sprintf(place, "%s", path);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		number++;
		if (strstr(line, word) != NULL) {
			sprintf(place, "%s:%u", path, number);
			break;
		}
	}
	if (f != NULL)
		fclose(f);
	return place;
}

/* Always false. */
static bool bad_word(const char *path, const char *word, const char *why, char *error, size_t error_size)
{
	char *place = place_of(path, word);

	snprintf(error, error_size, "%s: %s %s", place, word, why);
	free(place);
	return false;
}

static bool bad_net(const char *path, const char *text, char *error, size_t error_size)
{
	return bad_word(path, text, "is no address and no network in CIDR notation", error, error_size);
}

static bool take_nets(struct net_list *list, char **texts, unsigned count, const char *path, char *error,
		      size_t error_size)
{
	struct net net;

	for (unsigned i = 0; i < count; i++) {
		if (!net_parse(texts[i], &net))
			return bad_net(path, texts[i], error, error_size);
		net_list_add(list, &net);
	}
	return true;
}

static void take_word(struct word_list *list, const char *text, const char *path)
{
	char *place = place_of(path, text);

	policy_words_add(list, text, place);
	free(place);
}

static void take_words(struct word_list *list, char **texts, unsigned count, const char *path)
{
	for (unsigned i = 0; i < count; i++)
		take_word(list, texts[i], path);
}

/* Owners and networks, mixed. What begins like a network and is none is a mistake, no owner. */
static bool take_expected(struct policy *p, char **texts, unsigned count, const char *path, char *error,
			  size_t error_size)
{
	struct net net;

	for (unsigned i = 0; i < count; i++) {
		if (net_parse(texts[i], &net))
			net_list_add(&p->expected_nets, &net);
		else if (strpbrk(texts[i], "/:") != NULL || strspn(texts[i], "0123456789.") == strlen(texts[i]))
			return bad_net(path, texts[i], error, error_size);
		else
			take_word(&p->expected, texts[i], path);
	}
	return true;
}

/* A host or domain name (RFC 1123 section 2.1) of more than one label. */
static bool is_domain(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t len = strlen(name);
	unsigned labels = 0;

	for (size_t at = 0; at < len && len < FACT_NAME_SIZE; labels++) {
		size_t label = strspn(name + at, letters);

		if (label == 0 || label > 63 || (name[at + label] != '.' && name[at + label] != '\0'))
			return false;
		at += label + 1;
	}
	return labels > 1;
}

/* RFC 8461 section 3.2: an mx: line for all that can be enforced. */
static bool sts_is_good(const struct policy *p, const struct yaml_sts *y, const char *path, char *error,
			size_t error_size)
{
	if (!is_domain(y->domain))
		return bad_word(path, y->domain, "is no domain", error, error_size);
	for (unsigned i = 0; i < p->sts_count; i++)
		if (strcasecmp(p->sts[i].domain, y->domain) == 0)
			return bad_word(path, y->domain, "has two MTA-STS policies", error, error_size);
	if (strcmp(y->mode, "enforce") != 0 && strcmp(y->mode, "testing") != 0 && strcmp(y->mode, "none") != 0)
		return bad_word(path, y->mode, "is no MTA-STS mode (enforce, testing, none)", error, error_size);
	if (y->mx_count == 0 && strcmp(y->mode, "none") != 0)
		return bad_word(path, y->domain, "has an MTA-STS policy without mx", error, error_size);
	for (unsigned i = 0; i < y->mx_count; i++)
		if (!is_domain(strncmp(y->mx[i], "*.", 2) == 0 ? y->mx[i] + 2 : y->mx[i]))
			return bad_word(path, y->mx[i], "is no host name and no *.domain", error, error_size);
	return true;
}

static void take_sts(struct policy *p, const struct yaml_sts *y)
{
	struct policy_sts sts = {
		.domain = base_strdup(y->domain), .mode = base_strdup(y->mode),
		.mx = base_alloc_array(y->mx_count, sizeof(*sts.mx)), .mx_count = y->mx_count,
	};

	for (unsigned i = 0; i < y->mx_count; i++)
		sts.mx[i] = base_strdup(y->mx[i]);
	p->sts = base_realloc(p->sts, (p->sts_count + 1) * sizeof(*p->sts));
	p->sts[p->sts_count++] = sts;
}

/* "90s", "15m", "12h", "7d". */
static bool seconds_of(const char *text, unsigned *out)
{
	static const struct { char unit; unsigned s; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (*end == units[i].unit && end[1] == '\0' && end > text && n <= 366 * 86400 / units[i].s) {
			*out = (unsigned)n * units[i].s;
			return true;
		}
	}
	return false;
}

/* What a finding says of nearly everybody's mail goes nowhere in clear, unless it stays on this host. */
/* Whether a URL begins so and goes on with a port, be it the end then: what looks like one before an @ is a password. */
static bool is_port(const char *url, const char *begins)
{
	size_t n = strlen(begins), digits;

	if (strncmp(url, begins, n) != 0)
		return false;
	digits = strspn(url + n, "0123456789");
	return digits > 0 && (url[n + digits] == '/' || url[n + digits] == '\0');
}

static bool is_notify_target(const char *to)
{
	return strcmp(to, "syslog") == 0 || (strncmp(to, "syslog://", 9) == 0 && to[9] != '\0') ||
	       (strncmp(to, "https://", 8) == 0 && to[8] != '\0') || is_port(to, "http://127.0.0.1:") ||
	       is_port(to, "http://[::1]:");
}

static bool strength_of(const char *word, enum strength *out)
{
	for (enum strength s = STRENGTH_SUSPECTED; s <= STRENGTH_PROVEN; s++) {
		if (strcmp(fact_strength_name(s), word) == 0) {
			*out = s;
			return true;
		}
	}
	return false;
}

static bool is_class(const char *word)
{
	return strcmp(word, "leak") == 0 || strcmp(word, "exposure") == 0 || strcmp(word, "policy") == 0 ||
	       strcmp(word, "weak") == 0;
}

static bool take_notify(struct policy *p, const struct yaml_notify *y, const char *path, char *error,
			size_t error_size)
{
	struct policy_notify n = { .least = STRENGTH_SUSPECTED, .suppress_s = POLICY_SUPPRESS_S };

	if (!is_notify_target(y->to))
		return bad_word(path, y->to, "is neither syslog nor an https URL (http: to this host only)", error, error_size);
	if (y->strength != NULL && !strength_of(y->strength, &n.least))
		return bad_word(path, y->strength, "is no strength (suspected, strong, proven)", error, error_size);
	if (y->suppress_for != NULL && !seconds_of(y->suppress_for, &n.suppress_s))
		return bad_word(path, y->suppress_for, "is no time up to a year (90s, 15m, 12h, 7d)", error, error_size);
	for (unsigned i = 0; i < y->classes_count; i++)
		if (!is_class(y->classes[i]))
			return bad_word(path, y->classes[i], "is no class of findings (leak, exposure, policy, weak)", error,
					error_size);
	n.to = base_strdup(y->to);
	n.secret_file = y->secret_file != NULL ? base_strdup(y->secret_file) : NULL;
	n.classes = base_alloc_array(y->classes_count, sizeof(*n.classes));
	for (n.class_count = 0; n.class_count < y->classes_count; n.class_count++)
		n.classes[n.class_count] = base_strdup(y->classes[n.class_count]);
	p->notify = base_realloc(p->notify, (p->notify_count + 1) * sizeof(*p->notify));
	p->notify[p->notify_count++] = n;
	return true;
}

static bool take_yaml(struct policy *p, const struct yaml_policy *y, const char *path, char *error,
		      size_t error_size)
{
	if (!take_nets(&p->home, y->home, y->home_count, path, error, error_size) ||
	    !take_nets(&p->mail_servers, y->mail_servers, y->mail_servers_count, path, error, error_size) ||
	    !take_expected(p, y->expected, y->expected_count, path, error, error_size))
		return false;
	take_words(&p->providers, y->providers, y->providers_count, path);
	for (unsigned i = 0; i < y->mta_sts_count; i++) {
		if (!sts_is_good(p, &y->mta_sts[i], path, error, error_size))
			return false;
		take_sts(p, &y->mta_sts[i]);
	}
	for (unsigned i = 0; i < y->notify_count; i++)
		if (!take_notify(p, &y->notify[i], path, error, error_size))
			return false;
	for (unsigned i = 0; i < y->clients_count; i++) {
		const struct yaml_client *c = &y->clients[i];
		struct policy_host host = { 0 };

		if (!net_parse(c->address, &host.net))
			return bad_net(path, c->address, error, error_size);
		take_words(&host.providers, c->providers, c->providers_count, path);
		p->hosts = base_realloc(p->hosts, (p->host_count + 1) * sizeof(*p->hosts));
		p->hosts[p->host_count++] = host;
	}
	return true;
}

bool policy_load(struct policy *p, const char *path, char *error, size_t error_size)
{
	struct yaml_log log = { .what = "" };
	struct yaml_policy *y = NULL;
	cyaml_config_t config;
	cyaml_err_t rc = cyaml_load_file(path, yaml_config(&config, &log), &policy_schema,
					 (cyaml_data_t **)&y, NULL);
	bool ok = rc == CYAML_OK;

	if (!ok && log.line != 0)
		snprintf(error, error_size, "%s:%u: %s", path, log.line, log.what);
	else if (!ok)
		snprintf(error, error_size, "%s: %s", path,
			 log.what[0] != '\0' ? log.what : cyaml_strerror(rc));
	else if (y != NULL)		/* NULL: an empty file */
		ok = take_yaml(p, y, path, error, error_size);
	cyaml_free(yaml_config(&config, &log), &policy_schema, y, 0);
	return ok;
}
