/* sql.h - schema.sql, rules/NAME.sql and records/FORMAT-NAME.sql as they stand in the program (made by embed.sh) */
#ifndef REPORT_SQL_H
#define REPORT_SQL_H

struct sql_query {
	const char *name;	/* the file's name without .sql: a rule's is its findings' kind */
	const char *select;
};

extern const char sql_schema[];
/* In order of names; they end with NULL. */
extern const struct sql_query sql_rules[], sql_records[];

#endif
