#!/bin/sh
# lint.sh - what a compiler does not see: the order of the rooms, one file for each library, headers
# that stand alone, and code that keeps to its room
set -eu
bad=0
complain() {
	echo "lint: $1"
	bad=1
}

# A room includes headers of the rooms before it, never of those after it.
grep -nE '#include "(classify|report)/' capture/*.[ch] && complain "capture/ includes a later room"
grep -nE '#include "door/' capture/*.[ch] classify/*.[ch] report/*.[ch] && complain "a room includes the front door"
grep -nE '#include "report/' classify/*.[ch] && complain "classify/ includes report/"
# Of classify/, report/ knows the facts; pipeline.c alone starts its threads.
grep -nE '#include "classify/' report/*.[ch] | grep -v '"classify/fact.h"' |
	grep -v '^report/pipeline.c:.*"classify/worker.h"' && complain "report/ includes more of classify/ than facts"

# Each library is included by one file (two for those that two rooms need: see STYLE).
only() {
	found=$(grep -lE "#include <$1" mailwitness.c door/*.[ch] capture/*.[ch] classify/*.[ch] report/*.[ch] 2>/dev/null | sort | tr '\n' ' ')
	[ "$found" = "$2" ] || complain "<$1> is included by: $found(expected: $2)"
}
only 'ndpi' 'classify/dpi.c '
only 'maxminddb' 'classify/asn.c '
only 'libpsl' 'classify/owner.c '
only 'openssl/x509' 'classify/certificate.c classify/certificate_fields.c classify/certificate_fields.h '
only 'ldns/' 'classify/watch_dns.c '
only 'pcap/' 'capture/source_filter.c capture/source_live.c '
only 'microhttpd' 'report/serve_part.h '
only 'curl/' 'report/notify_webhook.c '
only 'seccomp.h' 'capture/sandbox_calls.c capture/sandbox_guard.c '
only 'archive.h' 'capture/source_input.c '

# Every header stands alone.
for h in door/*.h capture/*.h classify/*.h report/*.h; do
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -fsyntax-only -x c "$h" ||
		complain "$h does not stand alone"
done

grep -nE '\b(TODO|FIXME|XXX|HACK)\b' mailwitness.c door/*.[ch] capture/*.[ch] classify/*.[ch] report/*.[ch] &&
	complain "unfinished work"
# A file over 400 lines says why at its top.
for f in mailwitness.c door/*.[ch] capture/*.[ch] classify/*.[ch] report/*.[ch]; do
	[ "$(wc -l <"$f")" -le 400 ] || head -15 "$f" | grep -qi 'over 400 lines' ||
		complain "$f has over 400 lines and does not say why"
done
[ "$bad" = 0 ] && echo "lint: clean"
exit $bad
