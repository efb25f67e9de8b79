#include "classify/asn.h"

#include "capture/base.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ATTRIBUTION_MAX 2048

struct asn {
	MMDB_s db;
	char describe[512];
	char attribution[ATTRIBUTION_MAX];
};

static const char *const system_files[] = {
	"/usr/share/GeoIP/GeoLite2-ASN.mmdb",
	"/var/lib/GeoIP/GeoLite2-ASN.mmdb",
};

/* The first paragraph of PATH.txt, as one line. */
static void read_attribution(struct asn *a, const char *path)
{
	char beside[4096];
	size_t n;
	FILE *in;

	snprintf(beside, sizeof(beside), "%.4080s.txt", path);
	in = fopen(beside, "r");
	if (in == NULL)
		return;
	n = fread(a->attribution, 1, sizeof(a->attribution) - 1, in);
	fclose(in);
	a->attribution[n] = '\0';
	for (char *p = a->attribution; *p != '\0'; p++) {
		if (*p == '\n' && (p[1] == '\n' || p[1] == '\0'))
			*p = p[1] = '\0';
		else if (*p == '\n')
			*p = ' ';
	}
}

static void describe(struct asn *a, const char *path)
{
	time_t built = (time_t)a->db.metadata.build_epoch;
	char date[16] = "";
	struct tm tm;

	if (gmtime_r(&built, &tm) != NULL)
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	snprintf(a->describe, sizeof(a->describe), "%s %s (%.400s)",
		 a->db.metadata.database_type != NULL ? a->db.metadata.database_type : "?", date, path);
}

struct asn *asn_open(const char *path, const char *data_directory, char *error, size_t error_size)
{
	struct asn *a = base_alloc(sizeof(*a));
	char ours[4096];
	int status;

	snprintf(ours, sizeof(ours), "%s/asn.mmdb", data_directory);
	for (size_t i = 0; path == NULL && i < sizeof(system_files) / sizeof(system_files[0]); i++)
		if (access(system_files[i], R_OK) == 0)
			path = system_files[i];
	if (path == NULL)
		path = ours;
	status = MMDB_open(path, MMDB_MODE_MMAP, &a->db);
	if (status != MMDB_SUCCESS) {
		snprintf(error, error_size, "%s: %s", path, MMDB_strerror(status));
		free(a);
		return NULL;
	}
	if (a->db.metadata.database_type == NULL || strcasestr(a->db.metadata.database_type, "asn") == NULL) {
		snprintf(error, error_size, "%s: is no database of AS numbers", path);
		asn_close(&a);
		return NULL;
	}
	describe(a, path);
	read_attribution(a, path);
	return a;
}

void asn_close(struct asn **a)
{
	if (*a == NULL)
		return;
	MMDB_close(&(*a)->db);
	free(*a);
	*a = NULL;
}

uint32_t asn_of(const struct asn *a, const uint8_t address[16], char org_out[FACT_TEXT_SIZE])
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool mapped = host_is_ipv4(address);
	MMDB_lookup_result_s found;
	MMDB_entry_data_s number, org;
	int status;

	org_out[0] = '\0';
	memcpy(&v4.sin_addr, address + HOST_IPV4_AT, 4);
	memcpy(&v6.sin6_addr, address, 16);
	found = MMDB_lookup_sockaddr(&a->db, mapped ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6, &status);
	if (status != MMDB_SUCCESS || !found.found_entry ||
	    MMDB_get_value(&found.entry, &number, "autonomous_system_number", NULL) != MMDB_SUCCESS ||
	    !number.has_data || number.type != MMDB_DATA_TYPE_UINT32)
		return 0;
	if (MMDB_get_value(&found.entry, &org, "autonomous_system_organization", NULL) == MMDB_SUCCESS &&
	    org.has_data && org.type == MMDB_DATA_TYPE_UTF8_STRING)
		snprintf(org_out, FACT_TEXT_SIZE, "%.*s", (int)org.data_size, org.utf8_string);
	return number.uint32;
}

const char *asn_describe(const struct asn *a)
{
	return a->describe;
}

const char *asn_attribution(const struct asn *a)
{
	return a->attribution;
}
