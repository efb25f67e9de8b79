#include "report/export_part.h"

#include "capture/base.h"
#include "report/emit.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>

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
bool export_tlsrpt_check(const struct export_settings *settings, char *error, size_t error_size)
{
	const char *contact = settings->contact, *at = contact == NULL ? NULL : strchr(contact, '@');
	bool good = at != NULL && at > contact && at[1] != '\0' && at[1] != '.';

	for (const char *p = contact; good && *p != '\0'; p++)
		good = p > at ? isalnum((unsigned char)*p) || *p == '-' || *p == '.' : *p > ' ' && *p < 0x7f;
	if (!good)
		snprintf(error, error_size, "tlsrpt wants --contact, the mail address of who reports");
	return good;
}

static bool write_subject(const struct exporting *x, const void *part, FILE *out)
{
	const struct subject *subject = part;
	struct tlsrpt_settings settings = {
		.organization = x->settings->organization != NULL ? x->settings->organization : "mailwitness",
		.contact = x->settings->contact,
	};

	return emit_tlsrpt(x->st, &settings, subject->domain, out);
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
			return export_fail(x, EX_CANTCREAT, "%s: %s", x->settings->to, strerror(ENAMETOOLONG));
		status = export_file(x, write_subject, s, path);
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
	return export_fail(x, EX_USAGE, "mail went to %u domains, a report is about one: choose it with --domain, or give"
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
		return export_fail(x, EX_NOINPUT, "no delivery to %s was seen", all->wanted != NULL ? all->wanted :
			    "any recipient domain");
	if (to != NULL && stat(to, &there) == 0 && S_ISDIR(there.st_mode))
		return write_reports(x, all);
	if (all->count > 1)
		return refuse_several(x, all);
	return export_file(x, write_subject, &all->of[0], to);
}

int export_tlsrpt(const struct exporting *x)
{
	struct subjects all = { .wanted = x->settings->domain };
	struct tlsrpt_left_out left_out;
	int status;

	if (emit_tlsrpt_prepare(x->st, &left_out) && emit_tlsrpt_each(x->st, take_subject, &all)) {
		say_left_out(&left_out);
		status = tlsrpt_to(x, &all);
	} else {
		status = export_fail(x, EX_SOFTWARE, "%s", store_error(x->st));
	}
	for (unsigned i = 0; i < all.count; i++)
		free(all.of[i].domain);
	free(all.of);
	return status;
}
