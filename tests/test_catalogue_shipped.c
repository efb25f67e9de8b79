#include "tests/test.h"

#include "classify/catalogue.h"
#include "classify/catalogue_schema.h"

#include <arpa/inet.h>
#include <glob.h>

#define SHIPPED "classify/catalogue"

static struct catalogue *load(const char *directory)
{
	char error[512] = "";
	struct catalogue *c = catalogue_load(directory, NULL, 0, error, sizeof(error));

	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

static void address_of(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	if (inet_pton(AF_INET6, text, out) != 1) {
		out[10] = out[11] = 0xff;
		assert_int_equal(inet_pton(AF_INET, text, out + 12), 1);
	}
}

static const char *id_of(const struct catalogue_service *s)
{
	return s != NULL ? s->id : "";
}

static void count_one(void *context, const struct catalogue_service *s)
{
	unsigned *count = context;

	assert_non_null(s->id);
	assert_non_null(s->title);
	assert_true(strlen(s->source) > 12);
	assert_true(s->role != ROLE_UNNAMED && s->role != ROLE_LOCAL);
	assert_true(s->role != ROLE_RELAY || s->relay != RELAY_NO);
	++*count;
}

static void the_shipped_catalogue_knows_what_it_must(void **state)
{
	static const struct {
		const char *name, *service;
		enum owner_role role;
		enum relay_certainty relay;
	} cases[] = {
		{ "outlook.office365.com", "microsoft/mail", ROLE_MAIL_SERVICE, RELAY_DOCUMENTED },
		{ "outlook.office.com", "microsoft/mail", ROLE_MAIL_SERVICE, RELAY_DOCUMENTED },
		{ "outlook.cloud.microsoft", "microsoft/mail", ROLE_MAIL_SERVICE, RELAY_DOCUMENTED },
		{ "outlook.live.com", "microsoft/mail", ROLE_MAIL_SERVICE, RELAY_ASSUMED },
		{ "substrate.office.com", "microsoft/mail", ROLE_MAIL_SERVICE, RELAY_ASSUMED },
		{ "smtp.office365.com", "microsoft/mail", ROLE_MAIL_SERVICE, RELAY_NO },
		{ "firma.mail.protection.outlook.com", "microsoft/mx", ROLE_MAIL_PROVIDER, RELAY_NO },
		{ "x.y.mx.microsoft", "microsoft/mx", ROLE_MAIL_PROVIDER, RELAY_NO },
		{ "prod.autodetect.outlook.cloud.microsoft", "microsoft/setup", ROLE_RELAY, RELAY_REPORTED },
		{ "prod-autodetect.outlookmobile.com", "microsoft/setup", ROLE_RELAY, RELAY_REPORTED },
		{ "x.acompli.net", "microsoft/outlook-mobile", ROLE_RELAY, RELAY_DOCUMENTED },
		{ "login.live.com", "microsoft/identity", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "www.office.com", "microsoft/cloud", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "teams.microsoft.com", "microsoft/cloud", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "contoso-my.sharepoint.com", "microsoft/cloud", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "onedrive.live.com", "microsoft/cloud", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "fe2.update.windowsupdate.com", "microsoft/cloud", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "shop.azurewebsites.net", "azure/cloud", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "vm1.westeurope.cloudapp.azure.com", "azure/cloud", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "imap.gmail.com", "google/mail", ROLE_MAIL_SERVICE, RELAY_NO },
		{ "mail.google.com", "google/mail", ROLE_MAIL_SERVICE, RELAY_ASSUMED },
		{ "drive.google.com", "google/cloud", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "alt1.aspmx.l.google.com", "google/mx", ROLE_MAIL_PROVIDER, RELAY_NO },
		{ "x.run.app", "gcp/cloud", ROLE_VENDOR_CLOUD, RELAY_NO },
		{ "d1.cloudfront.net", "aws/cdn", ROLE_CDN, RELAY_NO },
		{ "email-smtp.eu-west-1.amazonaws.com", "amazon-mail/send", ROLE_OTHER, RELAY_NO },
		{ "imap.mail.eu-west-1.awsapps.com", "amazon-mail/mail", ROLE_MAIL_PROVIDER, RELAY_NO },
		{ "imap.gmx.net", "gmx/mail", ROLE_MAIL_PROVIDER, RELAY_NO },
		{ "www.gmx.net", "gmx/web", ROLE_OTHER, RELAY_NO },
		{ "imap.web.de", "web-de/mail", ROLE_MAIL_PROVIDER, RELAY_NO },
		{ "secureimap.t-online.de", "t-online/mail", ROLE_MAIL_PROVIDER, RELAY_NO },
		{ "www.t-online.de", "t-online/web", ROLE_OTHER, RELAY_NO },
		{ "imap.fastmail.com", "fastmail/mail", ROLE_MAIL_PROVIDER, RELAY_NO },
		{ "w0123456.kasserver.com", "all-inkl/mail", ROLE_MAIL_PROVIDER, RELAY_NO },
		{ "imap.mail.yahoo.com", "yahoo/mail", ROLE_MAIL_SERVICE, RELAY_NO },
		{ "smtp.sendgrid.net", "sendgrid/send", ROLE_OTHER, RELAY_NO },
		{ "eu-smtp-inbound-1.mimecast.com", "mimecast/filter", ROLE_OTHER, RELAY_NO },
		{ "api.sparkmailapp.com", "readdle/relay", ROLE_RELAY, RELAY_DOCUMENTED },
		{ "api.easilydo.com", "edison/relay", ROLE_RELAY, RELAY_REPORTED },
		{ "mtu.bluemailapp.com", "blix/relay", ROLE_RELAY, RELAY_REPORTED },
		{ "www.spikenow.com", "spike/relay", ROLE_RELAY, RELAY_DOCUMENTED },
		{ "api.cloudmagic.com", "cloudmagic/relay", ROLE_RELAY, RELAY_DOCUMENTED },
		{ "mail.superhuman.com", "superhuman/relay", ROLE_RELAY, RELAY_ASSUMED },
	};
	struct catalogue *c = load(SHIPPED);
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct catalogue_service *s = catalogue_by_host(c, cases[i].name);

		if (strcmp(id_of(s), cases[i].service) != 0)
			fail_msg("%s: got '%s', want '%s'", cases[i].name, id_of(s), cases[i].service);
		if (s->role != cases[i].role || s->relay != cases[i].relay)
			fail_msg("%s: role %d, relay %d", cases[i].name, s->role, s->relay);
	}
	assert_true(catalogue_by_host(c, "prod.autodetect.outlook.cloud.microsoft")->setup);
	assert_false(catalogue_by_host(c, "outlook.cloud.microsoft")->setup);
	assert_true(catalogue_by_host(c, "chrome.cloudflare-dns.com")->resolver);
	assert_true(catalogue_by_host(c, "dns.google")->resolver);
	catalogue_each(c, count_one, &count);
	assert_in_range(count, 200, 400);
	catalogue_free(&c);
}

static void published_prefixes_of_exchange_are_there_and_azures_are_not(void **state)
{
	static const struct {
		const char *address, *want;
	} cases[] = {
		{ "40.96.0.1", "microsoft/mail" }, { "52.97.1.2", "microsoft/mail" },
		{ "13.107.6.152", "microsoft/mail" }, { "2603:1026:c03:6046::5", "microsoft/mail" },
		{ "40.92.1.1", "microsoft/mx" }, { "104.47.1.1", "microsoft/mx" },
		{ "52.101.1.1", "microsoft/mx" }, { "52.125.128.18", "microsoft/outlook-mobile" },
		{ "40.126.32.1", "microsoft/identity" }, { "20.1.2.3", "" }, { "52.125.144.1", "" },
		{ "1.1.1.1", "cloudflare/resolver" }, { "1.1.1.2", "" },
		{ "2001:4860:4860::8888", "google/resolver" }, { "212.227.17.190", "" },
	};
	struct catalogue *c = load(SHIPPED);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t address[16];
		bool also;

		address_of(cases[i].address, address);
		if (strcmp(id_of(catalogue_by_address(c, address, &also)), cases[i].want) != 0)
			fail_msg("%s: got '%s', want '%s'", cases[i].address,
				 id_of(catalogue_by_address(c, address, &also)), cases[i].want);
		assert_false(also);
	}
	catalogue_free(&c);
}

static void check_row(const struct catalogue *c, const struct yaml_file *file, const struct yaml_service *s,
		      const char *pattern)
{
	const char *name = pattern + (pattern[0] == '='), *got = id_of(catalogue_by_host(c, name));
	char exact[300];

	/* "=example.net" takes the domain itself from "example.net", of the same owner. */
	snprintf(exact, sizeof(exact), "\"=%s\"", name);
	if (strcmp(got, s->id) != 0 && (strstr(file->text, exact) == NULL ||
					strncmp(got, s->id, (size_t)(strchr(s->id, '/') - s->id) + 1) != 0))
		fail_msg("%s: got '%s', want '%s'", pattern, got, s->id);
}

/* Every row of every file leads back to the service it stands under. */
static void every_host_that_is_listed_is_its_services(void **state)
{
	struct catalogue *c = load(SHIPPED);
	unsigned owners = 0, hosts = 0;
	glob_t files;

	(void)state;
	assert_int_equal(glob(SHIPPED "/*.yaml", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct yaml_file file;
		char error[512];

		if (!catalogue_schema_read(files.gl_pathv[i], &file, error, sizeof(error)))
			fail_msg("%s", error);
		owners += file.owners_count;
		for (unsigned k = 0; k < file.owners_count; k++) {
			for (unsigned m = 0; m < file.owners[k].services_count; m++) {
				const struct yaml_service *s = &file.owners[k].services[m];

				hosts += s->hosts_count;
				for (unsigned h = 0; h < s->hosts_count; h++)
					check_row(c, &file, s, s->hosts[h].name);
			}
		}
		catalogue_schema_free(&file);
	}
	assert_true(owners >= 134);
	assert_true(hosts >= 1000);
	globfree(&files);
	catalogue_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_catalogue_knows_what_it_must),
		cmocka_unit_test(every_host_that_is_listed_is_its_services),
		cmocka_unit_test(published_prefixes_of_exchange_are_there_and_azures_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
