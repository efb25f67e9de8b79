#include "report/export.h"

#include "capture/base.h"
#include "report/emit.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>

struct exporting {
	struct store *st;
	const struct export_settings *settings;
	char *error;
	size_t error_size;
};

#define fail(x, status, ...) (snprintf((x)->error, (x)->error_size, __VA_ARGS__), (status))

/* SMTP TLS reports. Their readers take one object a file, so more than one goes to a directory. */

struct subject {
	char *domain;
	int64_t first_s, last_s;
};

struct subjects {
	const char *wanted;	/* NULL: all */
	struct subject *of;
	unsigned count;
};

static void take_subject(void *context, const struct tlsrpt_subject *subject)
{
	struct subjects *all = context;

	if (all->wanted != NULL && strcasecmp(all->wanted, subject->domain) != 0)
		return;
	all->of = base_realloc(all->of, (all->count + 1) * sizeof(all->of[0]));
	all->of[all->count++] = (struct subject){
		.domain = base_strdup(subject->domain), .first_s = subject->first_s, .last_s = subject->last_s,
	};
}

/* The contact's domain is the sender in a report's file name. */
static bool tlsrpt_check(const struct export_settings *settings, char *error, size_t error_size)
{
	const char *contact = settings->contact, *at = contact == NULL ? NULL : strchr(contact, '@');
	bool good = at != NULL && at > contact && at[1] != '\0' && at[1] != '.';

	for (const char *p = contact; good && *p != '\0'; p++)
		good = p > at ? isalnum((unsigned char)*p) || *p == '-' || *p == '.' : *p > ' ' && *p < 0x7f;
	if (!good)
		snprintf(error, error_size, "tlsrpt wants --contact, the mail address of who reports");
	return good;
}

static int write_report(const struct exporting *x, const struct subject *subject, const char *path)
{
	struct tlsrpt_settings settings = {
		.organization = x->settings->organization != NULL ? x->settings->organization : "mailwitness",
		.contact = x->settings->contact,
	};
	FILE *out = path != NULL ? fopen(path, "w") : stdout;

	if (out == NULL)
		return fail(x, EX_CANTCREAT, "%s: %s", path, strerror(errno));

	bool ok = emit_tlsrpt(x->st, &settings, subject->domain, out);
	int status = ok ? EX_OK : fail(x, ferror(out) ? EX_IOERR : EX_SOFTWARE, "%s", store_error(x->st));

	if (path != NULL && fclose(out) != 0 && ok)
		status = fail(x, EX_IOERR, "%s: %s", path, strerror(errno));
	return status;
}

/* RFC 8460 section 5.1. */
static int write_reports(const struct exporting *x, const struct subjects *all)
{
	const char *sender = strchr(x->settings->contact, '@') + 1;
	char path[4096];
	int status = EX_OK;

	for (unsigned i = 0; i < all->count && status == EX_OK; i++) {
		const struct subject *s = &all->of[i];

		if (snprintf(path, sizeof(path), "%s/%s!%s!%lld!%lld.json", x->settings->to, sender, s->domain,
			     (long long)s->first_s, (long long)s->last_s) >= (int)sizeof(path))
			return fail(x, EX_CANTCREAT, "%s: %s", x->settings->to, strerror(ENAMETOOLONG));
		status = write_report(x, s, path);
	}
	return status;
}

static int refuse_several(const struct exporting *x, const struct subjects *all)
{
	char names[256] = "";

	for (unsigned i = 0; i < all->count; i++) {
		size_t n = strlen(names);

		if (n + strlen(all->of[i].domain) + 8 > sizeof(names)) {
			snprintf(names + n, sizeof(names) - n, ", ...");
			break;
		}
		snprintf(names + n, sizeof(names) - n, "%s%s", n > 0 ? ", " : "", all->of[i].domain);
	}
	return fail(x, EX_USAGE, "mail went to %u domains, a report is about one: choose it with --domain, or give"
		    " a directory with -o (%s)", all->count, names);
}

static void say_left_out(const struct tlsrpt_left_out *left_out)
{
	const struct {
		int64_t sessions;
		const char *why;
	} rows[] = {
		{ left_out->not_attributed, "not attributed to a recipient domain" },
		{ left_out->not_judged, "in neither count: what the policy asks for was not seen" },
		{ left_out->unknown, "in neither count: not seen whole" },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].sessions > 0)
			base_log("%s: %lld session%s", rows[i].why, (long long)rows[i].sessions,
				 rows[i].sessions == 1 ? "" : "s");
}

static int tlsrpt_to(const struct exporting *x, const struct subjects *all)
{
	const char *to = x->settings->to;
	struct stat there;

	if (all->count == 0)
		return fail(x, EX_NOINPUT, "no delivery to %s was seen", all->wanted != NULL ? all->wanted :
			    "any recipient domain");
	if (to != NULL && stat(to, &there) == 0 && S_ISDIR(there.st_mode))
		return write_reports(x, all);
	if (all->count > 1)
		return refuse_several(x, all);
	return write_report(x, &all->of[0], to == NULL || strcmp(to, "-") == 0 ? NULL : to);
}

static int tlsrpt_write(const struct exporting *x)
{
	struct subjects all = { .wanted = x->settings->domain };
	struct tlsrpt_left_out left_out;
	int status;

	if (emit_tlsrpt_prepare(x->st, &left_out) && emit_tlsrpt_each(x->st, take_subject, &all)) {
		say_left_out(&left_out);
		status = tlsrpt_to(x, &all);
	} else {
		status = fail(x, EX_SOFTWARE, "%s", store_error(x->st));
	}
	for (unsigned i = 0; i < all.count; i++)
		free(all.of[i].domain);
	free(all.of);
	return status;
}

static const struct format {
	const char *name;
	bool (*check)(const struct export_settings *settings, char *error, size_t error_size);
	int (*write)(const struct exporting *x);
} formats[] = {
	{ "tlsrpt", tlsrpt_check, tlsrpt_write },
};

static const struct format *format_of(const char *name)
{
	for (unsigned i = 0; name != NULL && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

bool export_check(const struct export_settings *settings, char *error, size_t error_size)
{
	const struct format *format = format_of(settings->format);
	size_t n;

	if (format != NULL)
		return format->check(settings, error, error_size);
	snprintf(error, error_size, "--format wants one of:");
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		n = strlen(error);
		snprintf(error + n, error_size - n, " %s", formats[i].name);
	}
	return false;
}

int export_case(struct store *st, const struct export_settings *settings, char *error, size_t error_size)
{
	struct exporting x = { .st = st, .settings = settings, .error = error, .error_size = error_size };

	return format_of(settings->format)->write(&x);
}
