/* store_fact.h - how a fact becomes a row
 *
 * Borrows the fact's texts and addresses until the statement is reset. */
#ifndef REPORT_STORE_FACT_H
#define REPORT_STORE_FACT_H

#include "classify/fact.h"

#include <sqlite3.h>

/* The statement that stores a fact of each kind; a fact with the same id is replaced. */
extern const char *const store_fact_sql[FACT_END];

void store_fact_bind(sqlite3_stmt *q, const struct fact *fact);

#endif
