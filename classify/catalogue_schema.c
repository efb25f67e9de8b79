#include "classify/catalogue_schema.h"

#include "capture/base.h"

#include <ctype.h>
#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (16u << 20)	/* no catalogue is that long; a device or pipe given by mistake may be */

static const cyaml_strval_t role_names[] = {
	{ "mail-provider", ROLE_MAIL_PROVIDER },
	{ "mail-service", ROLE_MAIL_SERVICE },
	{ "relay", ROLE_RELAY },
	{ "vendor-cloud", ROLE_VENDOR_CLOUD },
	{ "cdn", ROLE_CDN },
	{ "access", ROLE_ACCESS },
	{ "other", ROLE_OTHER },
};

static const cyaml_strval_t relay_names[] = {
	{ "none", RELAY_NO + 1 },
	{ "assumed", RELAY_ASSUMED + 1 },
	{ "reported", RELAY_REPORTED + 1 },
	{ "documented", RELAY_DOCUMENTED + 1 },
};

static const cyaml_strval_t use_names[] = {
	{ "imap", 1 << 0 },
	{ "pop", 1 << 1 },
	{ "submission", 1 << 2 },
	{ "jmap", 1 << 3 },
	{ "sync", 1 << 4 },	/* ActiveSync, EWS, MAPI and vendors' own */
	{ "graph", 1 << 5 },
	{ "web", 1 << 6 },
	{ "mx", 1 << 7 },
	{ "setup", 1 << 8 },
};

/* libcyaml's own booleans take any word for true. */
static const cyaml_strval_t bool_names[] = { { "false", false }, { "true", true } };

#define TEXT(key, flags, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), type, member, 1, 4096)
#define WORD(key, flags, type, member, names) \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | (flags), type, member, names, CYAML_ARRAY_LEN(names))
#define LIST(key, flags, type, member, entry) \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | (flags), type, member, entry, 1, CYAML_UNLIMITED)
#define OPTIONAL CYAML_FLAG_OPTIONAL

static const cyaml_schema_field_t host_fields[] = {
	TEXT("name", 0, struct yaml_host, name),
	CYAML_FIELD_FLAGS("use", OPTIONAL | CYAML_FLAG_STRICT, struct yaml_host, use, use_names,
			  CYAML_ARRAY_LEN(use_names)),
	WORD("relay", OPTIONAL, struct yaml_host, relay, relay_names),
	TEXT("source", OPTIONAL, struct yaml_host, source),
	TEXT("date", OPTIONAL, struct yaml_host, date),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t host_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_host, host_fields)
};
static const cyaml_schema_value_t asn_schema = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t) };
static const cyaml_schema_value_t prefix_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 64)
};

static const cyaml_schema_field_t service_fields[] = {
	TEXT("id", 0, struct yaml_service, id),
	WORD("role", 0, struct yaml_service, role, role_names),
	WORD("relay", OPTIONAL, struct yaml_service, relay, relay_names),
	WORD("setup", OPTIONAL, struct yaml_service, setup, bool_names),
	WORD("shared", OPTIONAL, struct yaml_service, shared, bool_names),
	WORD("resolver", OPTIONAL, struct yaml_service, resolver, bool_names),
	TEXT("source", OPTIONAL, struct yaml_service, source),
	TEXT("date", OPTIONAL, struct yaml_service, date),
	TEXT("note", OPTIONAL, struct yaml_service, note),
	LIST("asns", OPTIONAL, struct yaml_service, asns, &asn_schema),
	LIST("hosts", OPTIONAL, struct yaml_service, hosts, &host_schema),
	LIST("prefixes", OPTIONAL, struct yaml_service, prefixes, &prefix_schema),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t service_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_service, service_fields)
};

static const cyaml_schema_field_t owner_fields[] = {
	TEXT("id", 0, struct yaml_owner, id),
	TEXT("name", 0, struct yaml_owner, name),
	TEXT("country", OPTIONAL, struct yaml_owner, country),
	TEXT("source", OPTIONAL, struct yaml_owner, source),
	TEXT("date", OPTIONAL, struct yaml_owner, date),
	TEXT("note", OPTIONAL, struct yaml_owner, note),
	LIST("services", 0, struct yaml_owner, services, &service_schema),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t owner_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_owner, owner_fields)
};
static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_SEQUENCE(CYAML_FLAG_POINTER, struct yaml_owner, &owner_schema, 0, CYAML_UNLIMITED)
};

/* What libcyaml complained about: its first line, and of the backtrace the innermost place. */
struct complaint {
	char what[512], field[64];
	unsigned line;
};

static void take_complaint(cyaml_log_t level, void *context, const char *fmt, va_list args)
{
	struct complaint *c = context;
	char text[512];
	const char *place;

	(void)level;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	if (c->what[0] == '\0') {
		base_copy(c->what, sizeof(c->what), strncmp(text, "Load: ", 6) == 0 ? text + 6 : text);
		return;
	}
	place = strstr(text, "(line: ");
	if (c->line == 0 && place != NULL)
		c->line = (unsigned)strtoul(place + 7, NULL, 10);
	if (c->field[0] == '\0')
		sscanf(text, " in mapping field '%63[^']'", c->field);
}

static void list_words(const char *field, char *out, size_t size)
{
	static const struct {
		const char *field;
		const cyaml_strval_t *names;
		size_t count;
	} known[] = {
		{ "role", role_names, CYAML_ARRAY_LEN(role_names) },
		{ "relay", relay_names, CYAML_ARRAY_LEN(relay_names) },
		{ "use", use_names, CYAML_ARRAY_LEN(use_names) },
		{ "setup", bool_names, CYAML_ARRAY_LEN(bool_names) },
		{ "shared", bool_names, CYAML_ARRAY_LEN(bool_names) },
		{ "resolver", bool_names, CYAML_ARRAY_LEN(bool_names) },
	};
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < CYAML_ARRAY_LEN(known); i++) {
		if (strcmp(known[i].field, field) != 0)
			continue;
		for (size_t k = 0; k < known[i].count && n < size; k++)
			n += (size_t)snprintf(out + n, size - n, "%s%s", k > 0 ? ", " : "",
					      known[i].names[k].str);
	}
}

static bool part_of_word(char c)
{
	return c != '\0' && (isalnum((unsigned char)c) || strchr("._-/:=*", c) != NULL);
}

/* Whether the line that begins here has the word, not as a part of a longer one. */
static bool line_has(const char *line, const char *word)
{
	size_t len = strcspn(line, "\n"), n = strlen(word);

	for (size_t i = 0; n > 0 && i + n <= len; i++) {
		char after = i + n < len ? line[i + n] : '\0';

		if (strncmp(line + i, word, n) == 0 && (i == 0 || !part_of_word(line[i - 1])) &&
		    (!part_of_word(after) || after == ':'))
			return true;
	}
	return false;
}

/* The first line from `from` on, or the last of all, that has the word; `from` when none has. */
static unsigned line_with(const char *text, unsigned from, const char *word, bool last)
{
	unsigned found = 0, number = 1;

	for (const char *line = text; line != NULL; number++) {
		if (number >= from && (last || found == 0) && line_has(line, word))
			found = number;
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	return found > 0 ? found : from;
}

static void explain(const struct yaml_file *file, struct complaint *c, char *error, size_t size)
{
	/* Messages that quote something end in ": it"; libcyaml's line for an unknown key is that of
	 * the value before it. */
	char *quoted = strstr(c->what, ": ");
	const char *word = quoted == NULL ? "" : quoted + 2;
	unsigned line = c->line > 0 ? c->line : 1;
	char words[256];

	if (strncmp(c->what, "Invalid ENUM value", 18) == 0 || strncmp(c->what, "Unknown flag", 12) == 0) {
		list_words(c->field, words, sizeof(words));
		snprintf(error, size, "%s:%u: %s: '%s' is none of %s", file->path, line, c->field, word, words);
	} else if (strncmp(c->what, "Unexpected key", 14) == 0) {
		snprintf(error, size, "%s:%u: '%s' is no key of this place", file->path,
			 line_with(file->text, line, word, false), word);
	} else {
		snprintf(error, size, "%s:%u: %s%s%s", file->path, line, c->field,
			 c->field[0] != '\0' ? ": " : "", c->what[0] != '\0' ? c->what : "not YAML");
	}
}

static bool read_text(const char *path, struct yaml_file *out, char *error, size_t error_size)
{
	FILE *in = fopen(path, "rb");
	bool fine;

	if (in == NULL) {
		snprintf(error, error_size, "%s: %s", path, strerror(errno));
		return false;
	}
	for (size_t room = 0;;) {
		size_t got;

		if (out->text_len + 4096 > room)
			out->text = base_realloc(out->text, (room = room * 2 + 65536) + 1);
		got = fread(out->text + out->text_len, 1, room - out->text_len, in);
		out->text_len += got;
		if (got == 0 || out->text_len > FILE_MAX)
			break;
	}
	out->text[out->text_len] = '\0';
	fine = !ferror(in) && out->text_len <= FILE_MAX;
	if (!fine)
		snprintf(error, error_size, "%s: cannot be read, or is no catalogue file", path);
	fclose(in);
	return fine;
}

static cyaml_config_t configuration(struct complaint *c)
{
	return (cyaml_config_t){
		.log_fn = take_complaint,
		.log_ctx = c,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
	};
}

bool catalogue_schema_read(const char *path, struct yaml_file *out, char *error, size_t error_size)
{
	struct complaint c = { .what = "" };
	cyaml_config_t config = configuration(&c);
	cyaml_data_t *owners = NULL;

	*out = (struct yaml_file){ .path = base_strdup(path) };
	if (!read_text(path, out, error, error_size)) {
		catalogue_schema_free(out);
		return false;
	}
	if (cyaml_load_data((const uint8_t *)out->text, out->text_len, &config, &file_schema, &owners,
			    &out->owners_count) != CYAML_OK) {
		explain(out, &c, error, error_size);
		out->owners_count = 0;
		catalogue_schema_free(out);
		return false;
	}
	out->owners = owners;
	return true;
}

void catalogue_schema_free(struct yaml_file *file)
{
	struct complaint c = { .what = "" };
	cyaml_config_t config = configuration(&c);

	if (file->owners != NULL)
		cyaml_free(&config, &file_schema, file->owners, file->owners_count);
	free(file->text);
	free(file->path);
	*file = (struct yaml_file){ .path = NULL };
}

unsigned catalogue_schema_line(const struct yaml_file *file, const char *word)
{
	return line_with(file->text, 1, word, true);
}
