/* store_fact.h - how a fact becomes a row
 *
 * Borrows the fact's texts and addresses until the statement is reset. */
#ifndef REPORT_STORE_FACT_H
#define REPORT_STORE_FACT_H

#include "classify/fact.h"

#include <sqlite3.h>
#include <stdbool.h>

#define STORE_FACT_COLUMNS 64	/* more than any table of facts has */

/* A statement that stores facts of one kind, and what is bound to it: a value that is the same in the next
 * row, as many are, is not bound again. Zero but for q at first; nobody else binds to it. */
struct store_insert {
	sqlite3_stmt *q;
	struct {
		bool known;
		uint64_t number;
		const char *word;	/* static text */
	} bound[STORE_FACT_COLUMNS];
};

/* The statement that stores a fact of each kind; a fact with the same id is replaced. */
extern const char *const store_fact_sql[FACT_END];

void store_fact_bind(struct store_insert *insert, const struct fact *fact);

#endif
