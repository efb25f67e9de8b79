#!/usr/bin/env bash
# cli.sh PROGRAM - the command line: what it takes, what it says, and with which status it ends
set -u
program=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
demo=tests/golden/demo/capture.pcap
asn="--asn-db classify/asn.mmdb"

# NAME STATUS PATTERN COMMAND...: the status, and a line of either output that matches
expect() {
	local name=$1 status=$2 pattern=$3 got
	shift 3
	timeout 60 "$@" >"$dir/out" 2>&1 </dev/null
	got=$?
	if [ $got = "$status" ] && grep -qE -e "$pattern" "$dir/out"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name: status $got, wanted $status and a line like: $pattern"
		head -5 "$dir/out"
	fi
}

is() { # NAME WANTED GOT
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $1: $3, not $2"
	fi
}

expect "help" 0 '^usage: mailwitness replay' "$program" --help
expect "version" 0 '^mailwitness [0-9]+\.[0-9]+\.[0-9]+$' "$program" --version
expect "no command" 64 '^usage: ' "$program"
expect "an unknown command" 64 'no such command: explode' "$program" explode
expect "an unknown option" 64 '^usage: ' "$program" replay --explode $demo
expect "replay without a file" 64 'nothing to read' "$program" replay
expect "too many workers" 64 'from 1 to 64: 65' "$program" replay --workers 65 $demo
expect "workers that are no number" 64 'from 1 to 64: 4x' "$program" replay --workers 4x $demo
expect "an unknown provider" 64 'no owner of the catalogue and no domain: nonsense' "$program" replay --provider nonsense $demo
expect "a client that is no network" 64 'client' "$program" replay --client 300.1.2.3 $demo
expect "a filter that does not compile" 64 'filter' "$program" replay -f 'port [' $demo
expect "a file that is not there" 66 'cannot be opened' "$program" replay $dir/none.pcap
expect "a folder" 66 'cannot be read' "$program" replay $dir
expect "a case that cannot be written" 73 'cannot open case' "$program" replay -w $dir/none/case $demo
expect "a case that is none" 66 'cannot open case' "$program" report README.md
# Whatever is written is for its owner alone.
umask 022
written() { # COMMAND...: which kinds of files there are, by their modes
	"$@" >"$dir/out" 2>&1 </dev/null
	find "$dir/written" -type f -printf '%m\n' | sort -u | paste -sd' '
}
mkdir "$dir/written"
# shellcheck disable=SC2086
is "a case, a page" 600 "$(written "$program" replay $asn -w $dir/written/case --html $dir/written/page $demo)"
is "evidence" 600 "$(written "$program" evidence -w $dir/written/evidence $dir/written/case 1)"
is "an export" 600 "$(written "$program" export --format csv -o $dir/written/csv $dir/written/case)"
is "all of them are there" 4 "$(ls $dir/written | wc -l)"
expect "a CA file that is not there" 66 "$dir/none.pem: No such file" "$program" replay --ca-file $dir/none.pem $demo
expect "a CA file that is none" 66 'README.md: no CA certificates in PEM' "$program" replay --ca-file README.md $demo
expect "an AS database that is none" 78 'README.md' "$program" replay --asn-db README.md $demo

expect "a leak" 1 '^192\.168\.178\.20: leak' "$program" replay -q $asn --provider mailbox-org $demo
expect "a leak, but the status is not wanted" 0 'leak' "$program" replay -q $asn --exit-zero --provider mailbox-org $demo
expect "the clean client alone" 0 '^192\.168\.178\.21: clean' "$program" replay -q $asn --provider mailbox-org --client 192.168.178.21 $demo
expect "-r is replay" 1 '^192\.168\.178\.20: leak' "$program" -q $asn --provider mailbox-org -r $demo
expect "a filter hides the leak, and is no clean bill" 2 'cannot-say' "$program" replay -q $asn --provider mailbox-org -f 'tcp port 993' $demo
expect "several files, one of them damaged" 65 'damaged at byte' "$program" replay -q $asn \
	tests/golden/clean-pop3s/capture.pcap tests/golden/bad-block-length/capture.pcapng
expect "two vantage points" 1 '^192\.168\.178\.20 at client: leak' "$program" replay -q $asn --provider mailbox-org \
	$demo --vantage server tests/golden/clean-pop3s/capture.pcap
expect "the same address at both: two clients" 0 '192\.168\.178\.20 at b: leak' sh -c "'$program' replay -q $asn \
	--exit-zero --provider mailbox-org --vantage a $demo --vantage b $demo | sort | tr '\n' ' ' | grep '20 at a: leak'"
expect "a vantage point without a file" 64 'no file follows: server' "$program" replay $demo --vantage server
expect "a vantage point without a name" 64 'wants a name' "$program" replay $demo --vantage '' $demo
expect "parts of one vantage point are one capture" 1 '^192\.168\.178\.20: leak' "$program" replay -q $asn \
	--provider mailbox-org --vantage a $demo --vantage a tests/golden/web-only/capture.pcap
joint=tests/golden/joint
canary="--provider lab.example --canary canary@lab.example"
expect "the experiment proves" 1 '^   Proven: 192\.168\.178\.20 sent .* typed into this client alone' \
	"$program" experiment $asn $canary $joint-proven/capture.pcap $joint-proven/server.pcap
expect "the experiment fits, and proves nothing" 1 '^   Strong, but not proven: ' \
	"$program" experiment $asn $canary $joint-strong/capture.pcap --vantage server $joint-strong/server.pcap
expect "a login to the canary from elsewhere is told" 1 '198\.51\.100\.9, which is no vendor' \
	"$program" experiment $asn $canary $joint-elsewhere/capture.pcap $joint-elsewhere/server.pcap
expect "the experiment judges each client" 1 '^   192\.168\.178\.20 at client: leak: mail or credentials go to a third party; ' \
	"$program" experiment $asn $canary $joint-proven/capture.pcap $joint-proven/server.pcap
expect "an experiment with nobody at the server" 1 'no vendor came to the mail server' \
	"$program" experiment $asn $canary $joint-strong/capture.pcap tests/golden/web-only/capture.pcap
expect "an experiment with one capture" 64 'two captures are wanted' "$program" experiment $canary $demo
expect "an experiment without a canary" 64 '--canary is wanted' "$program" experiment $demo $demo
expect "a canary without a name" 64 'name of an account' "$program" replay --canary '' $demo
expect "a mail server that is no network" 64 '--mail-server: x is no address' "$program" replay --mail-server x $demo
expect "standard input" 1 '^192\.168\.178\.20: leak' sh -c "cat $demo | '$program' replay -q $asn --provider mailbox-org -"
expect "a pipe beside a file" 1 '^192\.168\.178\.20: leak' bash -c \
	"'$program' replay -q $asn --provider mailbox-org <(cat $demo) tests/golden/web-only/capture.pcap"

expect "a case is kept" 1 'leak' "$program" replay -q $asn --provider mailbox-org -w $dir/case $demo
expect "and not written twice" 73 'case is there already' "$program" replay -q $asn -w $dir/case tests/golden/clean-pop3s/capture.pcap
expect "and reported again" 1 '^192\.168\.178\.20: leak' "$program" report -q $dir/case
expect "no terminal, no colour" 1 '^[^'$'\x1b'']*leak' "$program" report -q $dir/case

# As kill -9 leaves it: what was seen last was not stored, and may have been anything.
"$program" replay -q --provider mailbox-org -w $dir/killed tests/golden/clean-imaps-v6/capture.pcap >/dev/null
expect "a clean case" 0 ': clean:' "$program" report $dir/killed
sqlite3 $dir/killed "UPDATE source SET end = 'running'"
expect "is not clean where its watch was killed" 65 'the run that wrote it was killed' "$program" report $dir/killed
expect "nor judged again" 2 ': cannot-say:' "$program" judge --provider mailbox-org $dir/killed
expect "an export without a format" 64 'wants one of: csv eve tlsrpt zeek' "$program" export $dir/case
expect "an export in an unknown format" 64 'wants one of: csv eve tlsrpt zeek' "$program" export --format xml $dir/case
expect "a finding explained" 0 '^ +14  ClientHello for prod\.autodetect' "$program" explain $dir/case 1
expect "a finding that is not there" 66 'no finding 99' "$program" explain $dir/case 99
expect "a finding that is no number" 64 "a finding's number" "$program" explain $dir/case one
expect "a page beside the report" 1 '^192\.168\.178\.20: leak' "$program" report -q --html "$dir/page.html" "$dir/case"
expect "it is one" 0 '^<!DOCTYPE html>' cat "$dir/page.html"
expect "a page instead of the report" 1 '^<!DOCTYPE html>' "$program" report --html - "$dir/case"
expect "of a capture" 1 '^<!DOCTYPE html>' "$program" replay $asn --provider mailbox-org --html - $demo
expect "a page where none can be written" 73 'none/page.html: No such file' "$program" report --html $dir/none/page.html "$dir/case"
expect "two reports for one output" 64 'two reports' "$program" report --json --html - "$dir/case"
expect "a letter to who got something" 0 '^Request for access under Article 15' "$program" report --letter 1 "$dir/case"
expect "a letter says how sure it is" 0 'strong evidence, and no proof' "$program" report --letter 1 "$dir/case"
expect "a letter to a data-protection officer" 0 '^To the data-protection officer' "$program" report --letter 1 --to dpo "$dir/case"
expect "a letter about a finding that is not there" 66 'no finding 99' "$program" report --letter 99 "$dir/case"
expect "a letter to nobody" 64 'wants vendor or dpo: me' "$program" report --letter 1 --to me "$dir/case"
expect "a letter about nothing" 64 'letter is wanted' "$program" report --to dpo "$dir/case"
expect "a letter while replaying" 64 'only report takes' "$program" replay --letter 1 $demo
"$program" replay -q $asn --provider kanzlei-brandt.example -w "$dir/clear" tests/golden/plain-imap-login/capture.pcap >/dev/null
expect "a password on the wire is the officer's" 0 '^To the data-protection officer' "$program" report --letter 1 "$dir/clear"
expect "and no company's" 66 'names no company' "$program" report --letter 1 --to vendor "$dir/clear"
expect "evidence without a file to write" 64 'where to write' "$program" evidence $dir/case 1
expect "evidence where none can be written" 73 'No such file' "$program" evidence -w $dir/none/x $dir/case 1
# A case judged by another policy says what a replay by that policy says.
"$program" replay $asn --json --provider gmx $demo >"$dir/want" 2>&1
"$program" judge $asn --json --provider gmx $dir/case >"$dir/got" 2>&1
expect "a case judged again" 0 '^$' sh -c "cmp $dir/want $dir/got && echo"
"$program" judge $asn -q --provider mailbox-org $dir/case >/dev/null
expect "a TLS report without a contact" 64 'wants --contact' "$program" export --format tlsrpt $dir/case
expect "and one that is no address" 64 'wants --contact' "$program" export --format tlsrpt --contact a@b/../c $dir/case
expect "many files on standard output" 64 'give a directory with -o' "$program" export --format zeek $dir/case
expect "an unknown log" 64 'none of: capture_loss conn' "$program" export --format zeek --table files $dir/case
expect "an export to where nothing can be" 73 'No such file' "$program" export --format csv -o $dir/no/where $dir/case
expect "events on a full disk" 74 'No space left' sh -c "'$program' export --format eve $dir/case >/dev/full"
expect "an export of two cases" 64 'one case file' "$program" export --format tlsrpt --contact a@b.example $dir/case $dir/case
expect "an export of no case" 66 'cannot open case' "$program" export --format tlsrpt --contact a@b.example README.md
expect "a TLS report without deliveries" 66 'no delivery to any' "$program" export --format tlsrpt --contact a@b.example $dir/case
expect "deliveries to two domains" 0 praxis "$program" replay --exit-zero -w $dir/mta $asn tests/golden/delivery-plain/capture.pcap
tlsrpt="export --format tlsrpt --contact a@b.example"
expect "two TLS reports do not fit one file" 64 '2 domains.*\(archiv\.example, praxis\.example\)' "$program" $tlsrpt $dir/mta
expect "nor one that is named" 64 '2 domains' "$program" $tlsrpt -o $dir/one.json $dir/mta
expect "one of them does" 0 '"organization-name":"B".*"policy-domain":"archiv\.example"' "$program" $tlsrpt --organization B --domain Archiv.example $dir/mta
expect "what no report counts is told" 0 'not attributed to a recipient domain: 1 session$' "$program" $tlsrpt --domain archiv.example -o - $dir/mta
expect "a TLS report to a file" 0 archiv sh -c "'$program' $tlsrpt --domain archiv.example -o $dir/one.json $dir/mta; cat $dir/one.json"
expect "a domain without deliveries" 66 'no delivery to other\.example' "$program" $tlsrpt --domain other.example $dir/mta
expect "a file that cannot be written" 73 'none/x' "$program" $tlsrpt --domain archiv.example -o $dir/none/x $dir/mta
expect "a full disk" 74 'cannot write' "$program" $tlsrpt --domain archiv.example -o /dev/full $dir/mta
mkdir $dir/reports
expect "a folder takes all TLS reports" 0 '^b\.example!praxis\.example!1790000000!1790000001\.json$' \
	sh -c "'$program' $tlsrpt -o $dir/reports $dir/mta; ls $dir/reports"

expect "watch without an interface" 64 'an interface is wanted: -i' "$program" watch
expect "replay with one" 64 'only watch takes: -i' "$program" replay -i lo $demo
expect "replay with live events" 64 'only watch and run take: --eve' "$program" replay --eve $dir/eve $demo
expect "an interface that is not there" 66 'none7: no such interface' "$program" watch -i none7
expect "-i is watch" 66 'none7: no such interface' "$program" -i none7
expect "no buffer" 64 '1 to 2047 MiB: 0' "$program" watch -i lo --buffer 0
expect "a watch's filter that does not compile" 64 'filter' "$program" watch -i lo port [
expect "two filters" 64 'two filters' "$program" watch -i lo -f 'tcp' port 25
expect "the interfaces" 0 '^[0-9]+\.lo ' "$program" -D

expect "owners: a host" 0 'microsoft/mail' "$program" owners $asn outlook.office365.com
expect "owners: an address" 0 'named by  prefix, strong' "$program" owners $asn 52.96.184.66
expect "owners: a host nobody lists" 0 'owner +kanzlei\.example ' "$program" owners $asn imap.kanzlei.example

cat >"$dir/own.yaml" <<'Y'
- id: kanzlei
  name: Kanzlei
  country: DE
  source: own
  date: 2026-11-22
  services:
    - id: kanzlei/mail
      role: mail-provider
      hosts:
        - { name: imap.kanzlei.example, use: [imap] }
Y
# The report says by which catalogue it was judged, not by which it was recorded.
catalogue() { sed -nE 's/.*"catalogue":"([^"]*)".*/\1/p'; }
before=$("$program" report --json "$dir/case" | catalogue)
after=$("$program" judge $asn --json --catalogue "$dir/own.yaml" "$dir/case" | catalogue)
expect "judged by another catalogue" 0 '^another$' sh -c "[ -n '$before' ] && [ '$before' != '$after' ] && echo another"
expect "the catalogue takes a file of mine" 0 'service +kanzlei/mail' "$program" owners $asn --catalogue "$dir/own.yaml" imap.kanzlei.example
sed 's/mail-provider/mail-provder/' "$dir/own.yaml" >"$dir/bad.yaml"
expect "and says where it is wrong" 78 'bad.yaml:8: .*mail-provder' "$program" owners --catalogue "$dir/bad.yaml" x.example
printf 'providers: [mailbox-org]\n' >"$dir/policy.yaml"
expect "a policy declares the provider" 1 '^192\.168\.178\.20: leak' "$program" replay -q $asn --policy "$dir/policy.yaml" $demo
printf 'provders: [mailbox-org]\n' >"$dir/policy.yaml"
expect "a policy with a mistake" 78 'policy.yaml:1' "$program" replay -q $asn --policy "$dir/policy.yaml" $demo
expect "a policy with an owner that nobody knows" 78 'policy.yaml:3: nonsense is no owner' sh -c \
	"printf 'clients:\n  - address: 10.9.9.9\n    providers: [nonsense]\n' >$dir/policy.yaml; '$program' replay -q $asn --policy $dir/policy.yaml $demo"
expect "the same, checked without a capture" 78 'policy.yaml:3: nonsense is no owner' "$program" policy check "$dir/policy.yaml"
expect "the example policy" 0 '^packaging/mailwitness.yaml: 2 home networks; 1 own mail server; providers: mailbox-org; 1 client line; expected: zeitung.example and 2 networks; MTA-STS: 1 domain$' \
	"$program" policy check packaging/mailwitness.yaml
expect "an expected network that is none" 78 'policy.yaml:1: 10.0.0.0/40 is no address' sh -c \
	"echo 'expected: [10.0.0.0/40]' >$dir/policy.yaml; '$program' policy check $dir/policy.yaml"
expect "a policy that is not there" 78 'none.yaml: ' "$program" policy check $dir/none.yaml
expect "policy without check" 64 'policy check and one file' "$program" policy "$dir/policy.yaml"

echo "cli: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
