/* sql.h - schema.sql and rules/NAME.sql as they stand in the program (made by embed.sh) */
#ifndef REPORT_SQL_H
#define REPORT_SQL_H

struct sql_rule {
	const char *kind;	/* the file's name without .sql: the finding's kind */
	const char *select;
};

extern const char sql_schema[];
extern const struct sql_rule sql_rules[];	/* in order of names; ends with NULL */

#endif
