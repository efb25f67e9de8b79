#!/bin/sh
# Turns schema.sql, rules/*.sql and records/*.sql of a directory into C strings: embed.sh DIRECTORY > sql.c
# and any other text: embed.sh --text NAME FILE > NAME.c
set -eu
export LC_ALL=C
text() {
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/\t"&\\n"/' "$1"
}
queries() {	# name of the array, files
	echo "const struct sql_query $1[] = {"
	shift
	for file; do
		name=${file##*/}
		echo "{ \"${name%.sql}\","
		text "$file"
		echo '},'
	done
	echo '{ NULL, NULL } };'
}
if [ "$1" = --text ]; then
	echo "extern const char $2[];"
	echo "const char $2[] ="
	text "$3"
	echo ';'
	exit 0
fi
echo '#include "report/sql.h"'
echo '#include <stddef.h>'
echo 'const char sql_schema[] ='
text "$1/schema.sql"
echo ';'
queries sql_rules "$1"/rules/*.sql
queries sql_records "$1"/records/*.sql
