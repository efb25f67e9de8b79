#!/bin/sh
# demo.sh MAILWITNESS - judges the sample: one LAN, two PCs, one of which leaks
#
# mailwitness exits with 1 for a leak; that is what this sample has to give, and this script says so.
set -u
"$1" replay --provider mailbox-org tests/golden/demo/*.pcap
status=$?
echo
echo "mailwitness exited with $status (1 is leak, 2 is cannot-say, 0 is clean)."
[ "$status" = 1 ]
