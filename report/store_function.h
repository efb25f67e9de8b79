/* store_function.h - what SQL cannot say: functions for the schema's views and the rules
 *
 *   host(address)            an address of 16 bytes as text
 *   banner_host(banner)      the host that a greeting names, in small letters, or '': the first word with a dot inside whose last
 *                            label begins with a letter; versions and time stamps are none
 *   duration(ns)             "4 days", "12 minutes", "0.3 seconds"
 *   covers(pattern, host)    identity_covers: 1 or 0; NULL when either is
 *   tlsa_matches(rdata, digest, sha256, sha512, spki_sha256, spki_sha512)
 *                            identity_tlsa: 1, 0, or NULL when the record is not usable; hashes that are
 *                            NULL match nothing
 *   tlsa_usage(rdata)        2, 3, or 0
 *   number_of(...)           the number of these values, from 1 in the order in which they are asked for; the same
 *                            values have the same number until the store is closed
 *   timing(time_ns, down, up, per_mille, tries)
 *                            aggregate: correlate_over its rows, asked for p <= per_mille / 1000, as JSON with the
 *                            fields of struct correlate_result; in whatever order the rows come
 *   went_on(sessions, completed, alert, alert_from)
 *                            how TLS sessions ended, in words: "the client ended it with the alert unknown_ca" */
#ifndef REPORT_STORE_FUNCTION_H
#define REPORT_STORE_FUNCTION_H

#include <sqlite3.h>
#include <stdbool.h>

bool store_functions(sqlite3 *db);

#endif
