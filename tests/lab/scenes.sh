# scenes.sh - what each capture is of; scene_NAME does what NAME's clients do while tcpdump listens
#
# Sourced by setup.sh. seen_from says where tcpdump listens: "pc1 eth0" unless a scene says otherwise.

ACCOUNT=anna@kanzlei-brandt.example

seen_from() {
	case $1 in
	demo) echo inet br0 ;;
	pull*) echo inet to-vendor ;;
	*) echo pc1 eth0 ;;
	esac
}

client() {	# pc command...: as a user of that pc
	local pc=$1
	shift
	mkdir -p "$WORK/home-$pc"
	HOME=$WORK/home-$pc CURL_CA_BUNDLE=$WORK/ca.crt SSL_CERT_FILE=$WORK/ca.crt LC_ALL=C.UTF-8 \
		in_ns "$pc" timeout -k 3 45 "$@" >> "$WORK/clients.log" 2>&1 ||
		{ echo "lab: failed with $?: $*" | sed "s/$PASSWORD/.../" >&2; return 1; }
}

fetch() {	# pc host TLS-type [other mbsync account options]: the whole mailbox with mbsync
	local home=$WORK/home-$1 pc=$1 host=$2 type=$3
	shift 3
	rm -rf "$home"
	mkdir -p "$home/mail"
	cat > "$home/mbsyncrc" <<-E
	IMAPAccount a
	Host $host
	User $ACCOUNT
	PassCmd "cat $LAB/password"
	SSLType $type
	CertificateFile $WORK/ca.crt
	Timeout 20
	$(printf '%s\n' "$@")

	IMAPStore far
	Account a

	MaildirStore near
	Path $home/mail/
	Inbox $home/mail/INBOX

	Channel c
	Far :far:
	Near :near:
	Patterns INBOX
	Create Near
	SyncState *
	E
	client "$pc" mbsync -c "$home/mbsyncrc" -a
}

submit() {	# pc host port swaks options...
	local pc=$1 host=$2 port=$3
	shift 3
	client "$pc" swaks --server "$host" --port "$port" --from "$ACCOUNT" --to klient1@post.example \
		--header "Subject: Akte" --body "Anbei der Vertrag." --timeout 15 \
		--ehlo "$pc.kanzlei-brandt.example" \
		--auth PLAIN --auth-user "$ACCOUNT" --auth-password "$PASSWORD" "$@"
}

browse() {	# pc URL chromium options...
	local pc=$1 url=$2
	shift 2
	XDG_RUNTIME_DIR=$WORK DBUS_SESSION_BUS_ADDRESS=disabled: client "$pc" chromium \
		--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --disable-extensions --disable-default-apps \
		--dns-over-https-mode=off --ignore-certificate-errors \
		--user-data-dir="$WORK/chromium-$pc" \
		--host-resolver-rules="MAP *.google.com ~NOTFOUND, MAP *.googleapis.com ~NOTFOUND" \
		--timeout=8000 "$@" --dump-dom "$url"
}

web() {		# pc URL...
	local pc=$1
	shift
	client "$pc" curl -sS -o /dev/null "$@"
}

scene_demo() {
	# pc1: a new-Outlook-like client whose account is at mailbox.org
	client pc1 dig +short MX kanzlei-brandt.example
	client pc1 dig +short autodiscover.kanzlei-brandt.example
	client pc1 dig +short SRV _autodiscover._tcp.kanzlei-brandt.example
	web pc1 -4 "https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect?app=outlookdesktopBasic"
	sleep 8
	# pc2: a mail program that talks to its provider
	fetch pc2 imap.mailbox.org IMAPS
	sleep 5
	web pc2 -4 https://www.zeitung.example/
	browse pc1 https://outlook.office.com/mail.html
	sleep 15
	head -c 20000 /dev/urandom > "$WORK/upload"
	web pc1 -4 --data-binary "@$WORK/upload" https://outlook.office365.com/up
	sleep 12
	submit pc2 smtp.mailbox.org 465 -tlsc --tls-sni smtp.mailbox.org
}

scene_clean-imaps-v6() {
	fetch pc1 imap.mailbox.org IMAPS
}

scene_clean-starttls() {
	fetch pc1 imap.brandt.example STARTTLS
	submit pc1 smtp.brandt.example 587 -tls
}

scene_clean-pop3s() {
	client pc1 curl -sS -4 -o /dev/null -u "$ACCOUNT:$PASSWORD" "pop3s://pop3.mailbox.org/[1-4]"
}

log_in_twice() {	# openssl options...: IMAPS, the second time with the first one's session
	local session=$WORK/session each
	local way="-connect imap.mailbox.org:993 -servername imap.mailbox.org -4 -crlf -ign_eof $*"

	rm -f "$session"
	for each in "-sess_out $session" "-sess_in $session"; do
		client pc1 bash -c "printf 'a LOGIN $ACCOUNT \"%s\"\nb LOGOUT\n' '$PASSWORD' |
			openssl s_client $way $each"
	done
}

scene_clean-resumed() {
	log_in_twice -tls1_3
}

scene_resumed-tls12() {
	log_in_twice -tls1_2
}

scene_tls12-trusted() {
	fetch pc1 imap.link.example IMAPS "SSLVersions TLSv1.2"
}

tls12() {	# host curl options...: one message over IMAPS with TLS 1.2
	local host=$1
	shift
	client pc1 curl -sS -4 --tls-max 1.2 -o /dev/null -u "$ACCOUNT:$PASSWORD" "$@" "imaps://$host/INBOX;MAILINDEX=1"
}

scene_tls12-expired() {
	tls12 imap.expired.example -k
}

scene_tls12-mismatch() {
	tls12 imap.wrong.example -k
}

scene_tls12-self-signed() {
	tls12 imap.self.example -k
}

scene_tls12-rejected() {
	! tls12 imap.self.example 2> /dev/null
}

scene_clean-webmail() {
	browse pc1 https://office.mailbox.org/
	head -c 20000 /dev/urandom > "$WORK/upload"
	web pc1 -4 --data-binary "@$WORK/upload" https://office.mailbox.org/up
}

scene_plain-imap-login() {
	fetch pc1 imap.brandt.example None "AuthMechs LOGIN"
}

scene_plain-pop3() {
	client pc1 python3 -c "
import poplib
p = poplib.POP3('pop3.brandt.example', timeout=20)
p.user('$ACCOUNT'), p.pass_(open('$LAB/password').read().strip())
for i in range(len(p.list()[1])):
    p.retr(i + 1)
p.quit()"
}

scene_plain-smtp-auth() {
	submit pc1 smtp.brandt.example 587
}

scene_starttls-refused() {
	# Both ask for TLS, are told no, and send the password all the same.
	client pc1 curl -sS -4 --ssl -o /dev/null -u "$ACCOUNT:$PASSWORD" --login-options AUTH=LOGIN \
		"imap://mail.refuse.example/INBOX;MAILINDEX=1"
	submit pc1 mail.refuse.example 587 -tlso
}

scene_chromium-tcp() {
	browse pc1 https://outlook.office.com/
}

scene_chromium-quic() {
	# Nobody answers: Chromium gives up. Its Initials are what is wanted.
	browse pc1 https://outlook.office.com/ --enable-quic \
		--origin-to-force-quic-on=outlook.office.com:443 || true
}

scene_web-only() {
	web pc1 -4 https://www.zeitung.example/
	web pc1 -6 https://bilder.zeitung.example/
	web pc1 -4 http://www.zeitung.example/
}

scene_cloud-only() {
	client pc1 dig +short MX outlook.com
	head -c 230000 /dev/urandom > "$WORK/upload"
	web pc1 -4 https://outlook.office365.com/
	web pc1 -4 --data-binary "@$WORK/upload" https://outlook.office365.com/up
}

deliver() {	# pc recipient swaks options...: to the MX, as one server to another
	local pc=$1 to=$2
	shift 2
	client "$pc" swaks --server smtp.brandt.example --port 25 --protocol ESMTP --from "$ACCOUNT" --to "$to" \
		--header "Subject: Akte" --body "Anbei der Vertrag." --timeout 15 --ehlo "mail.kanzlei-brandt.example" "$@"
}

scene_delivery-starttls() {
	client pc1 dig +short MX brandt.example
	client pc1 dig +short TLSA _25._tcp.smtp.brandt.example
	deliver pc1 chef@brandt.example -tls --tls-protocol tlsv1_2
	deliver pc1 chef@brandt.example -tls --tls-protocol tlsv1_3
	deliver pc1 chef@brandt.example
}

SCENES="demo clean-imaps-v6 clean-starttls clean-pop3s clean-resumed resumed-tls12 clean-webmail
	tls12-trusted tls12-expired tls12-mismatch tls12-self-signed tls12-rejected
	plain-imap-login plain-pop3 plain-smtp-auth starttls-refused chromium-tcp chromium-quic web-only
	cloud-only delivery-starttls"
