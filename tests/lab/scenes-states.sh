# scenes-states.sh - recordings for tests/states: many makes of clients and servers, a state or dialect each
#
# Sourced by setup.sh; record writes them as OUTDIR/NAME.pcap. Needs, besides what record names: msmtp fetchmail
# neomutt sieve-connect libauthen-ntlm-perl dovecot-lmtpd dovecot-managesieved, and apt to unpack Exim and
# Courier from (servers-states.sh).

is_state() {
	case " "$(echo $STATES)" " in *" $1 "*) return 0 ;; esac
	return 1
}

state_servers_up() {
	local tries=150

	chgrp -R nogroup "$WORK/mail/ben"		# Courier looks at that
	start_odd_dovecot
	start_other_makes || return
	wait_for 24 4190 1143 10587
	until in_ns inet ss -Hltn "src $(address_of courier):110" | grep -q . && in_ns inet ss -Hltn "src $(address_of exim):587" | grep -q .; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "lab: Exim or Courier does not listen" >&2; return 1; }
		sleep 0.2
	done
}

ask() {		# URL mechanism curl options...: curl, whatever the server thinks of the login
	local url=$1 mechanism=$2
	shift 2
	client pc1 curl -sS -4 -o /dev/null -u "$ACCOUNT:$PASSWORD" ${mechanism:+--login-options AUTH=$mechanism} \
		"$@" "$url" || true
}

send_with_msmtp() {	# host options...
	local host=$1
	shift
	printf 'Subject: Akte\n\nAnbei der Vertrag.\n' > "$WORK/message"
	client pc1 sh -c 'exec "$0" "$@" < '"$WORK/message" msmtp --host="$host" --port=587 --from="$ACCOUNT" \
		--user="$ACCOUNT" --passwordeval="cat $LAB/password" --domain=pc1.kanzlei-brandt.example \
		"$@" klient1@post.example || true
}

fetch_with_fetchmail() {	# host options...: keeps what is there
	local host=$1
	shift
	printf 'poll %s proto pop3 user "%s" password "%s" keep mda "cat >/dev/null"\n' "$host" "$ACCOUNT" "$PASSWORD" \
		> "$WORK/fetchmailrc"
	chmod 600 "$WORK/fetchmailrc"
	client pc1 env FETCHMAILHOME="$WORK" fetchmail -f "$WORK/fetchmailrc" --auth password --nosyslog "$@" || true
}

read_with_neomutt() {	# host starttls
	cat > "$WORK/muttrc" <<-E
	set imap_user="$ACCOUNT" imap_pass="\`cat $LAB/password\`"
	set folder="imap://$1/" spoolfile="imap://$1/INBOX"
	set ssl_starttls=$2 ssl_force_tls=no
	set ssl_ca_certificates_file="$WORK/ca.crt"
	set imap_authenticators="login" quit=yes
	set mail_check=0 timeout=5
	E
	client pc1 script -qec "TERM=xterm timeout 15 neomutt -n -F $WORK/muttrc -e 'push <display-message>q<exit>'" \
		/dev/null || true
}

scene_exim-starttls() {
	submit pc1 mail.exim.example 587 -4 -tls
}

scene_exim-plain() {
	send_with_msmtp mail.exim.example --auth=plain --tls=off
	send_with_msmtp mail.exim.example --auth=login --tls=off
}

scene_exim-refused() {
	# msmtp looks at the certificate and goes; then it is told to do without.
	send_with_msmtp mail.exim.example --auth=plain --tls=on --tls-starttls=on --tls-trust-file="$WORK/odd.crt" \
		--tls-priorities=NORMAL:-VERS-TLS1.3
	send_with_msmtp mail.exim.example --auth=plain --tls=off
}

scene_courier-imap() {
	fetch pc1 mail.courier.example STARTTLS
	read_with_neomutt mail.courier.example no
}

scene_neomutt-starttls() {
	read_with_neomutt mail.courier.example yes
}

scene_courier-pop3() {
	fetch_with_fetchmail mail.courier.example --sslproto "" --limit 3000
	fetch_with_fetchmail mail.courier.example --sslproto tls1.2 --sslcertfile "$WORK/ca.crt" --limit 3000
}

scene_handshake-refused() {
	# curl with another CA: TLS 1.2 shows the refusal, TLS 1.3 hides it; then in clear.
	ask "imap://mail.odd.example/" "" --ssl-reqd --cacert "$WORK/news.crt" --tls-max 1.2
	ask "imap://mail.odd.example/" "" --ssl-reqd --cacert "$WORK/news.crt"
	ask "imap://mail.odd.example/" ""
}

scene_curl-imap() {
	local mechanism

	for mechanism in PLAIN LOGIN CRAM-MD5 DIGEST-MD5; do
		ask "imap://mail.odd.example/" $mechanism
	done
	ask "imap://mail.odd.example/" OAUTHBEARER --oauth2-bearer "$PASSWORD"
}

scene_curl-pop3() {
	local mechanism

	for mechanism in PLAIN LOGIN CRAM-MD5 +APOP; do
		ask "pop3://mail.odd.example/" $mechanism
	done
}

scene_smtp-auth() {
	local mechanism

	for mechanism in LOGIN CRAM-MD5 DIGEST-MD5; do
		submit pc1 mail.odd.example 587 -4 --auth $mechanism --quit-after AUTH || true
	done
	for mechanism in scram-sha-256 xoauth2 oauthbearer; do
		send_with_msmtp mail.odd.example --auth=$mechanism --tls=off
	done
}

scene_sieve-connect() {
	client pc1 sieve-connect --server mail.odd.example --user "$ACCOUNT" --passwordfd 3 --noclearauth --list \
		--tlscafile "$WORK/ca.crt" 3< "$LAB/password" || true
	client pc1 sieve-connect --server mail.odd.example --user "$ACCOUNT" --passwordfd 3 --clearchan \
		--authmech PLAIN --list 3< "$LAB/password" || true
}

scene_lmtp() {
	client pc1 swaks --server mail.odd.example --port 24 --protocol LMTP -4 --from klient1@post.example \
		--to anna@kanzlei-brandt.example,ben@kanzlei-brandt.example --ehlo mx.post.example \
		--header "Subject: Akte" --body "Anbei der Vertrag."
}

scene_xclient() {
	submit pc1 mail.odd.example 587 -4 --xclient-addr 198.51.100.9 --xclient-name far.example --quit-after AUTH
}

scene_proxy-prefix() {
	local source="--proxy-source 198.51.100.9 --proxy-source-port 40000 --proxy-dest $(address_of odd) --proxy-dest-port 587"

	submit pc1 mail.odd.example 10587 -4 --proxy-version 1 --proxy-family TCP4 $source --quit-after AUTH
	submit pc1 mail.odd.example 10587 -4 --proxy-version 2 --proxy-family AF_INET $source --quit-after AUTH
	ask "imap://mail.odd.example:1143/" PLAIN --haproxy-protocol
}

scene_compress() {
	client pc1 python3 -c "
import imaplib, zlib
m = imaplib.IMAP4('mail.odd.example')
m.login('$ACCOUNT', open('$LAB/password').read().strip())
m.send(b'c COMPRESS DEFLATE\r\n')
while not m.readline().startswith(b'c '):
    pass
z = zlib.compressobj(9, zlib.DEFLATED, -15)
for line in (b'd SELECT INBOX\r\n', b'e FETCH 1 (BODY[])\r\n', b'f LOGOUT\r\n'):
    m.send(z.compress(line) + z.flush(zlib.Z_SYNC_FLUSH))
while m.read(1):
    pass"
}

STATES="exim-starttls exim-plain exim-refused courier-imap neomutt-starttls courier-pop3 handshake-refused
	curl-imap curl-pop3 smtp-auth sieve-connect lmtp xclient proxy-prefix compress"
