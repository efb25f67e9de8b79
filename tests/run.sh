#!/usr/bin/env bash
# run.sh PROGRAM - one program behind a private door: an ordinary user runs mbsync, curl and a shell against the
# lab's servers
#
# In namespaces without a way out. There the user gets a /dev/net/tun of mode 666, as on a desktop: the machine's own
# may be closed, and stays as it is. Exits with 77 and says what it needs where it cannot run.
set -u
program=$(realpath "$1")
house=$(cd "$(dirname "$0")/.." && pwd)
LAB=$house/tests/lab
LAB_PREFIX=mwr$$
PASSWORD=$(cat "$LAB/password")
STARTED=()
cannot() {
	echo "not run: $1"
	exit 77
}
[ "$(id -u)" = 0 ] || cannot "needs root, for network namespaces"
PATH=$PATH:/usr/sbin
for tool in ip pasta pgrep setpriv mbsync curl dovecot nginx unbound openssl python3 sqlite3; do
	command -v $tool >/dev/null || cannot "needs $tool"
done
ip netns add $LAB_PREFIX-try 2>/dev/null || cannot "network namespaces cannot be made"
ip netns del $LAB_PREFIX-try
# shellcheck source=tests/lab/network.sh
. "$LAB/network.sh"
# shellcheck source=tests/lab/servers.sh
. "$LAB/servers.sh"
WORK=$(mktemp -d) && mkdir "$WORK/home" && chmod 755 "$WORK" || exit 1
pc=$LAB_PREFIX-pc1 user=$((50000 + $$ % 10000)) passed=0 failed=0
leave() {
	servers_down
	for ns in $LAB_NS; do
		for pid in $(ip netns pids "$ns" 2>/dev/null); do
			kill -9 "$pid" 2>/dev/null
		done
	done
	network_down
	rm -rf "$WORK"
}
trap leave EXIT

mknod "$WORK/tun" c 10 200 && chmod 666 "$WORK/tun" || cannot "mknod is refused"
(: <>"$WORK/tun") 2>/dev/null || cannot "the kernel has no tun"
setpriv --reuid $user --regid $user --clear-groups unshare -Un true 2>/dev/null ||
	cannot "user namespaces are refused to who is not root"
network_up && make_certificates && make_mail anna 4 3000 || exit 1
start_unbound
start_dovecot
start_nginx
wait_for 53 143 443 || exit 1
cd "$WORK/home" && mkdir mail && cp "$LAB/password" . || exit 1
cat >mbsyncrc <<-E
	IMAPAccount a
	Host imap.mailbox.org
	User anna@kanzlei-brandt.example
	PassCmd "cat $WORK/home/password"
	SSLType IMAPS
	CertificateFile $WORK/ca.crt

	IMAPStore far
	Account a

	MaildirStore near
	Path $WORK/home/mail/
	Inbox $WORK/home/mail/INBOX

	Channel c
	Far :far:
	Near :near:
	Create Near
	SyncState *
	E
chown -R $user:$user .

# What stands in a folder that is closed to others (a clone in root's home) is shown to the user at its place.
closed=
for ((at = 2; at < ${#house}; at++)); do
	above=${house:0:at}
	[ "${house:at:1}" = / ] && [ -z "$closed" ] && ! setpriv --reuid $user --regid $user --clear-groups test -x "$above" &&
		closed=$above
done
at_home() { # [tun=FILE] [id=NUMBER] COMMAND...: at the PC, by the user
	local tun=$WORK/tun id=$user
	while [[ $1 == tun=* || $1 == id=* ]]; do
		local "${1?}"
		shift
	done
	# shellcheck disable=SC2016
	ip netns exec $pc sh -c '
		closed=$1 work=$2 house=$3 tun=$4 id=$5
		shift 5
		[ -z "$closed" ] || { mkdir "$work/house.$$" && mount --bind "$house" "$work/house.$$" &&
			mount -t tmpfs -o mode=755 none "$closed" && mkdir -p "$house" &&
			mount --bind "$work/house.$$" "$house"; } || exit 1
		mount --bind "$tun" /dev/net/tun || exit 1
		cd "$work/home" && exec env HOME="$work/home" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin \
			SSL_CERT_FILE="$work/ca.crt" CURL_CA_BUNDLE="$work/ca.crt" \
			setpriv --reuid "$id" --regid "$id" --clear-groups -- "$@"' sh "$closed" "$WORK" "$house" "$tun" "$id" "$@"
}
options="--asn-db $house/classify/asn.mmdb --ca-file $WORK/ca.crt"
run() { # NAME [OPTIONS...] -- COMMAND...: its report in NAME.out, what it complains of in NAME.err
	local name=$1
	shift
	# shellcheck disable=SC2086
	at_home "$program" run $options "$@" >"$WORK/$name.out" 2>"$WORK/$name.err"
}

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$WORK/check" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		head -40 "$WORK/check"
	fi
}
is() { # WANTED GOT
	[ "$1" = "$2" ] || { echo "$2, not $1"; return 1; }
}
says() { # NAME PATTERN: in the report, or what it complains of, as one line
	cat "$WORK/$1.out" "$WORK/$1.err" | tr -s '\t\n ' ' ' | grep -qE -- "$2" || { cat "$WORK/$1.out" "$WORK/$1.err"; return 1; }
}
ask() { # CASE SQL
	sqlite3 "$WORK/home/$1" "$2"
}
soon() { # COMMAND...: whether it comes true within 10 seconds
	local tries=100
	until "$@" 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}
ours() { # the pids at the PC, and of the door outside it, of this name
	local pid
	for pid in $(pgrep "$1"); do
		[ "$(stat -c %u "/proc/$pid" 2>/dev/null)" = $user ] && echo "$pid"
	done
}

# Who reads the packets is shut in; the command is as it would be without.
run shut --sandbox=strict -q -- cat /proc/self/status
check "the command has no filter" says shut '(^| )Seccomp: 0 '
check "and may gain what set-uid programs give" says shut '(^| )NoNewPrivs: 0 '
check "and nothing was refused" is 0 "$(grep -c refused "$WORK/shut.err")"

# A mail client, and nothing else: over TLS to its provider, found by name.
run mbsync --provider mailbox-org -w mbsync.case --eve mbsync.eve -- mbsync -c mbsyncrc -a
check "mbsync is clean" is 0 $?
check "of all its traffic, and the report has what it ended with" says mbsync \
	'192.168.178.20: clean: no third party; sealed on the path.*mailbox-org/mail its provider.*Command: mbsync, exit status 0 '
check "its events are those of the case" sh -c "'$program' export --format eve mbsync.case | cmp - mbsync.eve"
check "the mail came" is 4 "$(find mail/INBOX -type f -path '*/new/*' | wc -l)"
check "the scope is in the case" is "all traffic of this client" "$(ask mbsync.case 'SELECT scope FROM run')"
check "its look-ups were watched" test 0 -lt \
	"$(ask mbsync.case "SELECT count(*) FROM name WHERE kind = 'dns' AND name = 'imap.mailbox.org'")"
check "its first packet and its last were, and none was lost" is "1|0|0" "$(ask mbsync.case "SELECT count(*),
	sum(history NOT LIKE 'S%' OR history NOT GLOB '*F*' OR history NOT GLOB '*f*'),
	(SELECT count(*) FROM loss) FROM flow WHERE resp_port = 993")"
check "it is the user's case" is $user "$(stat -c %u mbsync.case)"
check "the page has what it ended with" sh -c "'$program' report --html - '$PWD/mbsync.case' | grep -q 'Command: mbsync, exit status 0'"
run again -w mbsync.case -- true
check "a case is not written twice" is 73 $?
check "no password is in the case" sh -c "! grep -q '$PASSWORD' mbsync.case*"

# Where it is not known whose a destination is.
head -c 3000 /dev/zero >upload
news="curl -sS -o /dev/null --data-binary @upload https://www.zeitung.example/up"
# shellcheck disable=SC2086
run news --json --provider mailbox-org --keylog keys -- $news
check "what nobody knows is not clean" is 2 $?
check "and named" says news 'sent [0-9]+ bytes to zeitung.example, which neither the catalogue nor expected: knows'
check "JSON has scope and status" python3 -c "
import json
report = json.load(open('$WORK/news.out'))
assert report['scope'] == 'all traffic of this client', report['scope']
assert report['command'] == {'name': 'curl', 'status': 0, 'signal': None, 'left_running': ''}, report['command']
assert [c['address'] for c in report['clients']] == ['192.168.178.20'], report['clients']"
check "the program's keys are kept, for nobody else" is "600 1" \
	"$(stat -c %a keys) $(grep -c '^CLIENT_TRAFFIC_SECRET_0 ' keys)"
echo 'expected: [zeitung.example]' >policy
# shellcheck disable=SC2086
run expected --policy policy --provider mailbox-org -- $news
check "what is expected is not asked about" sh -c "! grep -q 'neither the catalogue' '$WORK/expected.out'"
umask 027
run mask -w mask.case -- sh -c 'umask; echo x >made'
umask 022
check "the program has its own mask, the case is nobody else's" is "0027 640 600" \
	"$(head -1 "$WORK/mask.out") $(stat -c %a made mask.case | paste -sd' ')"
run secret -w secret.case -- curl -sS -o /dev/null -u anna:geheim-99 https://www.zeitung.example/
check "the command's arguments are not kept" is "0 $program run $options -w secret.case -- curl" \
	"$(cat secret.case* "$WORK/secret.out" | grep -c geheim-99) $(ask secret.case 'SELECT command_line FROM run')"

# It ends before what it wrote has gone: the kernel sends the rest, and the server answers with its end.
ip netns exec "$LAB_PREFIX-inet" "$house/tests/live/talk" late 203.0.113.60 &
STARTED+=($!)
wait_for 4000
cat >writer <<-'E'
	import socket
	to = socket.socket()
	to.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
	to.connect(("203.0.113.60", 4000))
	to.sendall(b"x" * 180000)
	E
run rest -w rest.case -- python3 writer
check "what the kernel sends for it after its end is watched" is "180000 1" \
	"$(ask rest.case "SELECT orig_payload || ' ' || (history GLOB '*F*' AND history GLOB '*f*') FROM flow WHERE resp_port = 4000")"

# Beside it somebody logs in in clear, at the same time on the same machine.
run beside -w beside.case -- sh -c 'curl -sS -o /dev/null https://www.zeitung.example/; touch begun
	until [ -e over ]; do sleep 0.1; done; curl -sS -o /dev/null https://bilder.zeitung.example/' &
beside=$!
login="curl -sS -o /dev/null --user anna@kanzlei-brandt.example:$PASSWORD imap://imap.brandt.example/"
check "the command begins" soon test -e begun
# shellcheck disable=SC2086
check "another's login goes its own way" at_home $login
touch over
wait $beside
check "what another process does is not in it" is "0 2" \
	"$(ask beside.case "SELECT (SELECT count(*) FROM mail_session) || ' ' || (SELECT count(*) FROM handshake)")"
# shellcheck disable=SC2086
run inside -- $login
check "the same login inside is a leak" is 1 $?
check "of the credentials" says inside 'cleartext-credential \(exposure, proven\)'

# Resolvers, IPv6, and ways past the door.
run v6 -w v6.case -- curl -6 -sS -o /dev/null https://www.zeitung.example/
check "IPv6 goes through the door" is 1 \
	"$(ask v6.case "SELECT count(*) FROM flow WHERE resp_port = 443 AND hex(orig_addr) LIKE '20010DB8%' AND resp_payload > 12000")"
# The flag 0x40 is a tentative address's: what it sends from :: makes pasta lose its way, and curl wait for ever.
run addresses -- cat /proc/self/net/if_inet6
check "its addresses are its own at once" is "0 2" \
	"$(grep -c ' [4-7c-f]. *door$' "$WORK/addresses.out") $(grep -c ' door$' "$WORK/addresses.out")"
ip netns exec $pc "$house/tests/live/talk" relay 127.0.0.53 192.168.178.1 &
STARTED+=($!)
ip netns exec $pc "$house/tests/live/talk" imap 0.0.0.0 &
STARTED+=($!)
check "a resolver and a server start" soon sh -c "ip netns exec $pc ss -Hlntu | grep -q 127.0.0.53:53 &&
	ip netns exec $pc ss -Hlnt | grep -q :143"
echo "nameserver 127.0.0.53" >"/etc/netns/$pc/resolv.conf"
run stub -w stub.case -- sh -c 'cat /etc/resolv.conf; curl -sS -o /dev/null https://www.zeitung.example/'
check "a resolver on the host's loopback is reached, by an address inside" says stub \
	'nameserver 169.254.53.53 .*exit status 0'
check "and its answers are seen" test 0 -lt \
	"$(ask stub.case "SELECT count(*) FROM name WHERE kind = 'dns' AND name = 'www.zeitung.example'")"
check "outside, the file is as it was" is "nameserver 127.0.0.53" "$(at_home cat /etc/resolv.conf)"
echo "nameserver 192.168.178.1" >"/etc/netns/$pc/resolv.conf"
for address in 127.0.0.1 192.168.178.20; do
	run past -- curl -sS -m 3 "telnet://$address:143"
	check "the host's own servers are not reached past the door: $address" says past 'Command: curl, exit status 7'
done

# The command is the user's, as if it had been started without us.
run who -- sh -c 'id -u; grep CapEff /proc/self/status; pwd; exit 7'
check "its ids and folder are the user's, and it has no capability" says who "^$user CapEff: 0000000000000000 $WORK/home "
check "its status is told" says who 'Command: sh, exit status 7'
# shellcheck disable=SC2016
run signal -- sh -c 'kill -TERM $$'
check "and what signal ended it" says signal 'Command: sh, ended by SIGTERM'
echo moin | at_home "$program" run --asn-db "$house/classify/asn.mmdb" -o report -- cat >"$WORK/pipe" 2>/dev/null
check "it has our input and our output" is moin "$(cat "$WORK/pipe")"
check "the report goes where it is told to" grep -q 'Command: cat, exit status 0' report
run left -- sh -c '(sleep 1; curl -sS -m 2 -o late https://www.zeitung.example/; touch tried) & exec sleep 0.3'
check "what it leaves running is told" says left 'exit status 0; left running, without a network since then: sh \([0-9]+\)'

check "and it has no network any more" soon test -e tried
check "for nothing came" test ! -e late

# Signals: passed on when they are for us; once when a terminal sends them to both.
cat >count <<-'E'
	import signal, sys, time
	got = []
	for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
	    signal.signal(number, lambda number, frame: got.append(number))
	open("ready", "w").close()
	until = time.time() + 10
	while not got and time.time() < until:
	    time.sleep(0.01)
	time.sleep(0.3)
	sys.exit(10 * len(got) + (got[0] if got else 0))
	E
for signal in TERM:25 HUP:11 INT:12; do
	rm -f ready
	run passed -- python3 count &
	running=$!
	soon test -e ready
	# shellcheck disable=SC2046
	kill "-${signal%:*}" $(ours mailwitness)
	wait $running
	check "SIG${signal%:*} is passed on" says passed "Command: python3, exit status ${signal#*:}"
done
cat >"$WORK/terminal" <<-'E'
	import os, pty, sys, time
	pid, terminal = pty.fork()
	if pid == 0:
	    os.execvp(sys.argv[1], sys.argv[1:])
	until = time.time() + 10
	while not os.path.exists("ready") and time.time() < until:
	    time.sleep(0.05)
	os.write(terminal, b"\x03")
	said = b""
	try:
	    while some := os.read(terminal, 4096):
	        said += some
	except OSError:
	    pass
	os.waitpid(pid, 0)
	sys.stdout.buffer.write(said.replace(b"\r", b""))
	E
rm -f ready
# shellcheck disable=SC2086
at_home python3 "$WORK/terminal" "$program" run $options -- python3 count >"$WORK/terminal.out" 2>"$WORK/terminal.err"
check "Ctrl-C comes to the command, once, and the report after it" says terminal 'Command: python3, exit status 12'
check "and not to the door" sh -c "! grep 'pasta has ended' '$WORK/terminal.out'"

# Killed, nothing of it goes on unwatched.
rm -f ready
run killed -- sh -c 'touch ready; sleep 30; exit 1' &
running=$!
soon test -e ready
door=$(ours 'pas(t|s)')
check "who reads its packets holds no capability" is 0000000000000000 \
	"$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/"$(ours mailwitness | head -1)"/status)"
check "there is one door" is 1 "$(echo "$door" | wc -w)"
# shellcheck disable=SC2046
kill -9 $(ours mailwitness)
wait $running 2>/dev/null
check "when mailwitness dies it closes" soon sh -c "[ ! -e /proc/$door ] || grep -q '^State:.Z' /proc/$door/status"

# Without its door there is a gap, which is told.
rm -f ready
run lost --provider mailbox-org -- sh -c 'mbsync -c mbsyncrc -a; touch ready; sleep 1' &
running=$!
soon test -e ready
# shellcheck disable=SC2046
kill $(ours 'pas(t|s)')
wait $running
check "when pasta ends it is not clean" is 2 $?
check "and told" says lost 'Not all of its traffic was seen: interface.*pasta has ended'

# What keeps it from working, each with what would mend it.
fails() { # STATUS PATTERN NAME COMMAND...
	local status=$1 pattern=$2 name=$3
	shift 3
	"$@" >"$WORK/$name.out" 2>"$WORK/$name.err"
	check "$name ends it with $status" is "$status" $?
	check "and it names the fix" says "$name" "$pattern"
}
cp -a "$WORK/tun" "$WORK/closed" && chmod 600 "$WORK/closed"
fails 77 'chmod 666 /dev/net/tun' "a closed tun" at_home tun="$WORK/closed" "$program" run -- true
fails 77 'sysctl user.max_user_namespaces=' "no user namespace" at_home unshare -U --map-current-user --keep-caps sh -c \
	"echo 0 >/proc/sys/user/max_user_namespaces; exec '$program' run -- true"
fails 69 'apt install passt' "no pasta" at_home env PATH=/nowhere "$program" run -- /bin/true
fails 77 'start it as that user, or with sudo' "root" at_home id=0 "$program" run -- true
fails 66 'nonsense: no such command' "no such command" at_home "$program" run -- nonsense
fails 64 'a command is wanted' "nothing to run" at_home "$program" run
# shellcheck disable=SC2086
at_home id=0 env SUDO_UID=$user SUDO_GID=$user "$program" run $options -- id -u >"$WORK/sudo.out" 2>"$WORK/sudo.err"
check "behind sudo it is who asked for it" says sudo "^$user "
ip -n $pc route del default
ip -n $pc -6 route del default
fails 69 'it needs a default route' "no route" at_home "$program" run -- true

echo "run: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
