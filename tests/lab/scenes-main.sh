# scenes-main.sh - the ways in which mail leaves or does not, one each, for `make lab` (tests/lab/run)
#
# Sourced by record, which writes them as OUTDIR/NAME/capture.pcap. Beside what record names they need python3 and,
# for QUIC, apt to unpack caddy from.

# Its TCP port 443 would be nginx's: a host of its own.
CADDY=203.0.113.22

# Who logs in to the mail server from outside; its address becomes one of those that the vendor publishes.
FETCHER=203.0.113.100
FETCHER_SEEN_AS=52.97.135.114
DOOR=203.0.113.254

is_main() {
	case " "$(echo $MAIN)" " in *" $1 "*) return 0 ;; esac
	return 1
}

vendor_up() {
	local inet="ip -n $LAB_PREFIX-inet" ns=$LAB_PREFIX-vendor

	LAB_NS="$LAB_NS $ns"
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	$inet link add to-vendor type veth peer name eth0 netns "$ns"
	$inet link set to-vendor address 02:00:5e:10:00:02 gso_max_segs 1 up
	$inet addr add "$DOOR/32" dev to-vendor
	$inet route add "$FETCHER/32" dev to-vendor
	ip -n "$ns" link set eth0 address 02:00:5e:10:00:64 gso_max_segs 1 up
	ip -n "$ns" addr add "$FETCHER/32" dev eth0
	ip -n "$ns" route add "$DOOR/32" dev eth0
	ip -n "$ns" route add default via "$DOOR"
	echo "fetcher $FETCHER 2001:db8:2::100 $FETCHER_SEEN_AS 2603:1026:c0d:50::64 -" >> "$WORK/addresses"
}

# nginx of Debian 12 speaks no HTTP/3. Debian's Caddy does, unpacked for this alone.
start_caddy() {
	mkdir -p "$WORK/caddy"
	(cd "$WORK/caddy" && apt-get download -q caddy && dpkg -x caddy_*.deb .) > "$WORK/debs.log" 2>&1 || return
	cat > "$WORK/caddy/Caddyfile" <<-E
	{
		admin off
		auto_https off
	}
	https://outlook.cloud.microsoft {
		bind $CADDY 2001:db8:2::22
		tls $WORK/quic.crt $WORK/quic.key
		root * $WORK/www
		reverse_proxy /up* 127.0.0.1:8080
		file_server
	}
	E
	HOME=$WORK/caddy start caddy "$WORK/caddy/usr/bin/caddy" run --config "$WORK/caddy/Caddyfile" --adapter caddyfile
	for _ in $(seq 50); do
		! in_ns inet ss -Hlun "src $CADDY:443" | grep -q . || return 0
		sleep 0.2
	done
	return 1
}

main_servers_up() {
	vendor_up
	start mask "$LAB/refuse" --mask 203.0.113.49
	start_caddy || echo "lab: no server for QUIC (apt gives no caddy): relay-quic is left out" >&2
	wait_for 143 587
}

scene_direct() {
	fetch pc1 imap.mailbox.org IMAPS
	submit pc1 smtp.mailbox.org 465 -tlsc --tls-sni smtp.mailbox.org
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
		--resolve imap.brandt.example:993:203.0.113.40 "imaps://imap.brandt.example/INBOX;MAILINDEX=1"
	client vendor python3 -c "
import imaplib
imaplib.Commands['ID'] = ('NONAUTH',)
m = imaplib.IMAP4('203.0.113.40', timeout=20)
m._simple_command('ID', '(\"name\" \"Microsoft Office 365\" \"version\" \"15.20.1.2\")')
m.login('$ACCOUNT', open('$LAB/password').read().strip())
m.select()
m.fetch('1', '(BODY[])')
m.logout()"
}

scene_pull-tls() {
	client vendor curl -sS -o /dev/null -u "$ACCOUNT:$PASSWORD" --cacert "$WORK/ca.crt" \
		--resolve imap.brandt.example:993:203.0.113.40 "imaps://imap.brandt.example/INBOX;MAILINDEX=1"
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

MAIN="direct relay-tcp relay-quic mirror pull pull-tls plain stripped"
