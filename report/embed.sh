#!/bin/sh
# Turns schema.sql and rules/*.sql into C strings: embed.sh SCHEMA RULE... > sql.c
set -eu
text() {
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/\t"&\\n"/' "$1"
}
echo '#include "report/sql.h"'
echo '#include <stddef.h>'
echo 'const char sql_schema[] ='
text "$1"
shift
echo ';'
echo 'const struct sql_rule sql_rules[] = {'
for rule; do
	name=${rule##*/}
	echo "{ \"${name%.sql}\","
	text "$rule"
	echo '},'
done
echo '{ NULL, NULL } };'
