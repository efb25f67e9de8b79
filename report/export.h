/* export.h - a judged case in formats that others read: to a file, a directory or standard output
 *
 * Thread: the store's. Errors: an exit status (sysexits.h) and a line in `error`. */
#ifndef REPORT_EXPORT_H
#define REPORT_EXPORT_H

#include "report/store.h"

struct export_settings {
	const char *format;
	const char *to;			/* file or directory; NULL or "-" is standard output */
	const char *table;		/* csv, zeek: this table or log alone; NULL is all */
	bool json;			/* zeek: JSON in place of tab-separated values */
	const char *domain;		/* tlsrpt: of this recipient domain alone; NULL is all */
	const char *organization, *contact;	/* tlsrpt: who reports; contact is a mail address */
};

/* Whether these settings can be used, before a case is opened. */
bool export_check(const struct export_settings *settings, char *error, size_t error_size);

int export_case(struct store *st, const struct export_settings *settings, char *error, size_t error_size);

#endif
