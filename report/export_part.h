/* export_part.h - what the formats of export.c have in common
 *
 * Thread, errors: as in export.h. */
#ifndef REPORT_EXPORT_PART_H
#define REPORT_EXPORT_PART_H

#include "report/export.h"

#include <stdio.h>

struct exporting {
	struct store *st;
	const struct export_settings *settings;
	char *error;
	size_t error_size;
};

#define export_fail(x, status, ...) (snprintf((x)->error, (x)->error_size, __VA_ARGS__), (status))

/* Writes a part of the case to a file; path NULL or "-" is standard output. False as the store's functions do. */
typedef bool export_writer(const struct exporting *x, const void *part, FILE *out);
int export_file(const struct exporting *x, export_writer *write, const void *part, const char *path);

bool export_tlsrpt_check(const struct export_settings *settings, char *error, size_t error_size);
int export_tlsrpt(const struct exporting *x);

#endif
