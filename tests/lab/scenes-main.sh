# scenes-main.sh - the ways in which mail leaves or does not, one each, for `make lab` (tests/lab/run)
#
# Sourced by setup.sh; record writes them as OUTDIR/NAME/capture.pcap. Beside what record names they need
# python3, thunderbird, fetchmail and, for QUIC, apt to unpack caddy from.

# Who logs in to the mail server from outside; what its address becomes is one of those that the vendor publishes.
FETCHER=203.0.113.100
FETCHER_SEEN_AS=52.97.135.114
DOOR=203.0.113.254

is_main() {
	case " "$(echo $MAIN)" " in *" $1 "*) return 0 ;; esac
	return 1
}

outside_up() {	# NAME ADDRESS: a host of its own namespace, on a line of its own to inet
	local inet="ip -n $LAB_PREFIX-inet" ns=$LAB_PREFIX-$1 address=$2

	LAB_NS="$LAB_NS $ns"
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	$inet link add "to-$1" type veth peer name eth0 netns "$ns"
	$inet link set "to-$1" gso_max_segs 1 up
	$inet addr add "$DOOR/32" dev "to-$1"
	$inet route add "$address/32" dev "to-$1"
	ip -n "$ns" link set eth0 gso_max_segs 1 up
	ip -n "$ns" addr add "$address/32" dev eth0
	ip -n "$ns" route add "$DOOR/32" dev eth0
	ip -n "$ns" route add default via "$DOOR"
}

vendor_up() {
	outside_up vendor "$FETCHER"
	echo "fetcher $FETCHER 2001:db8:2::100 $FETCHER_SEEN_AS 2603:1026:c0d:50::64 -" >> "$WORK/addresses"
}

# nginx of Debian 12 speaks no HTTP/3, and TCP port 443 of the others is its own. Debian's Caddy does, unpacked for this alone.
start_caddy() {
	mkdir -p "$WORK/caddy"
	(cd "$WORK/caddy" && apt-get download -q caddy && dpkg -x caddy_*.deb .) > "$WORK/debs.log" 2>&1 || return
	cat > "$WORK/caddy/Caddyfile" <<-E
	{
		admin off
		auto_https off
	}
	https://outlook.cloud.microsoft {
		bind $(address_of quic) $(address_of quic 6)
		tls $WORK/quic.crt $WORK/quic.key
		root * $WORK/www
		reverse_proxy /up* 127.0.0.1:8080
		file_server
	}
	E
	HOME=$WORK/caddy start caddy "$WORK/caddy/usr/bin/caddy" run --config "$WORK/caddy/Caddyfile" --adapter caddyfile
	for _ in $(seq 50); do
		! in_ns inet ss -Hlun "src $(address_of quic):443" | grep -q . || return 0
		sleep 0.2
	done
	return 1
}

main_servers_up() {
	vendor_up
	start mask "$LAB/refuse" --mask "$(address_of mask)"
	start_caddy || echo "lab: no server for QUIC (apt gives no caddy): relay-quic is left out" >&2
	wait_for 143 587
}

scene_direct() {
	fetch pc1 imap.mailbox.org IMAPS
	submit pc1 smtp.mailbox.org 465 -tlsc --tls-sni smtp.mailbox.org
}

# Thunderbird is told its account by a script of its configuration, as an administrator would deploy it.
thunderbird_account() {	# host
	local etc=/etc/netns/$LAB_PREFIX-pc1/thunderbird

	mkdir -p "$etc/defaults/pref"
	cat > "$etc/defaults/pref/lab.js" <<-E
	pref("general.config.filename", "lab.cfg");
	pref("general.config.obscure_value", 0);
	pref("general.config.sandbox_enabled", false);
	E
	cat > "$etc/lab.cfg" <<-E
	// The first line is not read.
	const authority = \`$(grep -v -- ----- "$WORK/ca.crt" | tr -d '\n')\`;
	Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(authority, "C,,");
	const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
	login.init("imap://$1", null, "imap://$1", "$ACCOUNT", "$PASSWORD", "", "");
	Services.logins.addLoginAsync(login).catch(why => dump(why));
	for (const [name, value] of Object.entries({
		"mail.accountmanager.accounts": "account1",
		"mail.account.account1.server": "server1",
		"mail.account.account1.identities": "id1",
		"mail.identity.id1.useremail": "$ACCOUNT",
		"mail.server.server1.type": "imap",
		"mail.server.server1.hostname": "$1",
		"mail.server.server1.userName": "$ACCOUNT",
		"mail.server.server1.port": 993,
		"mail.server.server1.socketType": 3,
		"mail.server.server1.authMethod": 3,
		"mail.server.server1.login_at_startup": true,
		"mail.server.server1.check_new_mail": true,
		"mail.server.server1.download_bodies_on_get_new_mail": true,
		"network.trr.mode": 5,
	}))
		defaultPref(name, value);
	E
}

# Until the mail is there: without windows it ends by a signal only.
scene_thunderbird() {
	thunderbird_account imap.mailbox.org
	rm -rf "$WORK/mail/anna"
	make_mail anna 6 6000
	rm -rf "$WORK/profile" && mkdir "$WORK/profile"
	client pc1 bash -c '/usr/lib/thunderbird/thunderbird --headless --profile "$1" & trap "kill -9 $!" EXIT
		for _ in {1..150}; do
			! grep -qs "^Subject: Akte 6" "$1"/ImapMail/*/INBOX* || exit 0
			sleep 0.2
		done
		exit 1' bash "$WORK/profile"
}

scene_fetchmail() {
	fetch_with_fetchmail pop3.brandt.example --protocol POP3 --sslproto ""
}

scene_relay-tcp() {
	browse pc1 https://outlook.office.com/mail.html
}

scene_relay-quic() {
	local key

	key=$(openssl x509 -in "$WORK/quic.crt" -noout -pubkey | openssl pkey -pubin -outform DER |
		openssl dgst -sha256 -binary | base64)
	browse pc1 https://outlook.cloud.microsoft/mail.html --enable-quic \
		--origin-to-force-quic-on=outlook.cloud.microsoft:443 --ignore-certificate-errors-spki-list="$key"
}

scene_mirror() {
	make_mail anna 45 6000
	fetch pc1 imap.mailbox.org IMAPS
	head -c 250000 /dev/urandom > "$WORK/upload"
	web pc1 -4 --data-binary "@$WORK/upload" https://outlook.office365.com/up
	sleep 1
	fetch pc1 imap.mailbox.org IMAPS
}

scene_pull() {
	client vendor curl -sS -o /dev/null -u "$ACCOUNT:$PASSWORD" --cacert "$WORK/ca.crt" \
		--resolve imap.brandt.example:993:$(address_of own) "imaps://imap.brandt.example/INBOX;MAILINDEX=1"
	client vendor python3 -c "
import imaplib
imaplib.Commands['ID'] = ('NONAUTH',)
m = imaplib.IMAP4('$(address_of own)', timeout=20)
m._simple_command('ID', '(\"name\" \"Microsoft Office 365\" \"version\" \"15.20.1.2\")')
m.login('$ACCOUNT', open('$LAB/password').read().strip())
m.select()
m.fetch('1', '(BODY[])')
m.logout()"
}

scene_pull-tls() {
	client vendor curl -sS -o /dev/null -u "$ACCOUNT:$PASSWORD" --cacert "$WORK/ca.crt" \
		--resolve imap.brandt.example:993:$(address_of own) "imaps://imap.brandt.example/INBOX;MAILINDEX=1"
}

scene_plain() {
	fetch pc1 imap.brandt.example None "AuthMechs LOGIN"
	submit pc1 smtp.brandt.example 587
}

scene_stripped() {
	# Both would use TLS if it were offered, and go on without.
	client pc1 curl -sS -4 --ssl -o /dev/null -u "$ACCOUNT:$PASSWORD" --login-options AUTH=LOGIN \
		"imap://mail.mask.example/INBOX;MAILINDEX=1"
	submit pc1 mail.mask.example 587 -4 -tlso
}

MAIN="direct thunderbird fetchmail relay-tcp relay-quic mirror pull pull-tls plain stripped"
