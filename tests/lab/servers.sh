# servers.sh - a private CA, and the servers of the lab's internet, one of each kind on all its addresses
#
# Sourced by setup.sh. Everything lives in $WORK; what was started is in the array STARTED.

# ip itself and not in_ns, so that the pid is the server's and not a subshell's.
start() {	# name command...: in the background, in inet
	local name=$1
	shift
	ip netns exec "$LAB_PREFIX-inet" "$@" > "$WORK/$name.log" 2>&1 &
	STARTED+=($!)
}

make_certificates() {
	local key names name list

	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
		-subj "/O=Lab/CN=Lab Root" -keyout "$WORK/ca.key" -out "$WORK/ca.crt" 2>/dev/null
	while read -r key _ _ _ _ names; do
		list=
		for name in ${names//,/ }; do
			list=$list${list:+,}DNS:$name
		done
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
			-subj "/CN=${names%%,*}" -addext "subjectAltName=$list" \
			-keyout "$WORK/$key.key" -out "$WORK/$key.csr" 2>/dev/null
		openssl x509 -req -in "$WORK/$key.csr" -CA "$WORK/ca.crt" -CAkey "$WORK/ca.key" \
			-CAcreateserial -days 365 -copy_extensions copy -out "$WORK/$key.crt" 2>/dev/null
	done < <(host_rows)
	special_certificates
}

sign() {	# key CA-key openssl options...: key's request
	local key=$1 ca=$2
	shift 2
	openssl x509 -req -in "$WORK/$key.csr" -CA "$WORK/$ca.crt" -CAkey "$WORK/$ca.key" -CAcreateserial \
		-out "$WORK/$key.crt" "$@" 2>/dev/null
}

# For the hosts whose key says so: signed by an authority that the root signed, too old, for another host,
# signed by itself.
special_certificates() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/O=Lab/CN=Lab Link" \
		-addext basicConstraints=critical,CA:TRUE -keyout "$WORK/middle.key" -out "$WORK/middle.csr" 2>/dev/null
	sign middle ca -days 365 -copy_extensions copy
	sign link middle -days 365 -copy_extensions copy
	cat "$WORK/middle.crt" >> "$WORK/link.crt"
	mkdir "$WORK/old" && : > "$WORK/old/index"
	printf '[ca]\ndefault_ca=o\n[o]\nnew_certs_dir=%s\ndatabase=%s/index\nrand_serial=yes\ndefault_md=sha256\n' \
		"$WORK/old" "$WORK/old" > "$WORK/old/config"
	printf 'policy=p\ncopy_extensions=copy\nemail_in_dn=no\n[p]\ncommonName=supplied\n' >> "$WORK/old/config"
	openssl ca -batch -notext -config "$WORK/old/config" -cert "$WORK/ca.crt" -keyfile "$WORK/ca.key" \
		-startdate 20250101000000Z -enddate 20260101000000Z -in "$WORK/expired.csr" \
		-out "$WORK/expired.crt" 2>/dev/null
	openssl req -key "$WORK/wrong.key" -new -subj /CN=imap.other.example \
		-addext "subjectAltName=DNS:imap.other.example" -out "$WORK/wrong.csr" 2>/dev/null
	sign wrong ca -days 365 -copy_extensions copy
	openssl req -x509 -key "$WORK/self.key" -days 365 -subj /CN=imap.self.example \
		-addext "subjectAltName=DNS:imap.self.example" -out "$WORK/self.crt" 2>/dev/null
}

start_unbound() {
	local v4 v6 names name

	{
		cat <<-E
		server:
		  interface: 192.168.178.1
		  interface: 2001:db8:178::1
		  access-control: 0.0.0.0/0 allow
		  access-control: ::/0 allow
		  do-daemonize: no
		  username: ""
		  chroot: ""
		  pidfile: ""
		  use-syslog: no
		  module-config: "iterator"
		  local-zone: "." static
		E
		while read -r _ v4 v6 _ _ names; do
			for name in ${names//,/ }; do
				echo "  local-data: '$name. 300 A $v4'"
				echo "  local-data: '$name. 300 AAAA $v6'"
			done
		done < <(host_rows)
		cat <<-'E'
		  local-data: 'outlook.office.com. 300 HTTPS 1 . alpn=h2'
		  local-data: 'mailbox.org. 300 MX 10 mxext1.mailbox.org.'
		  local-data: 'kanzlei-brandt.example. 300 MX 10 mxext1.mailbox.org.'
		  local-data: '_imaps._tcp.kanzlei-brandt.example. 300 SRV 0 1 993 imap.mailbox.org.'
		  local-data: '_mta-sts.kanzlei-brandt.example. 300 TXT "v=STSv1; id=20261001T000000;"'
		  local-data: '_smtp._tls.kanzlei-brandt.example. 300 TXT "v=TLSRPTv1; rua=mailto:tls@brandt.example"'
		  local-data: 'brandt.example. 300 MX 10 smtp.brandt.example.'
		E
		echo "  local-data: '_25._tcp.smtp.brandt.example. 300 TLSA 3 1 1 $(openssl x509 -in "$WORK/own.crt" \
			-noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)'"
		echo "remote-control:"
		echo "  control-enable: no"
	} > "$WORK/unbound.conf"
	start unbound unbound -c "$WORK/unbound.conf"
}

start_dovecot() {
	local key v4 v6 listen=127.0.0.1

	while read -r key v4 v6 _; do
		case $key in canary|refuse|mask|exim|courier|odd) continue ;; esac
		listen="$listen, $v4, $v6"
	done < <(host_rows)
	mkdir -p "$WORK/dovecot" "$WORK/mail"
	{
		cat <<-E
		base_dir = $WORK/dovecot
		state_dir = $WORK/dovecot
		protocols = imap pop3
		listen = $listen
		log_path = /dev/stderr
		mail_location = maildir:$WORK/mail/%n
		mail_uid = nobody
		mail_gid = nogroup
		first_valid_uid = 1
		first_valid_gid = 1
		disable_plaintext_auth = no
		auth_mechanisms = plain login
		passdb {
		  driver = static
		  args = password=$PASSWORD
		}
		userdb {
		  driver = static
		  args = uid=nobody gid=nogroup home=$WORK/mail/%n
		}
		ssl = yes
		ssl_cert = <$WORK/own.crt
		ssl_key = <$WORK/own.key
		ssl_min_protocol = TLSv1.2
		# One process for all log-ins, so that it knows its own session tickets again.
		service imap-login {
		  service_count = 0
		  process_limit = 1
		}
		service anvil {
		  chroot =
		}
		service auth {
		  inet_listener {
		    address = 127.0.0.1
		    port = 12345
		  }
		}
		E
		while read -r key v4 v6 _; do
			printf 'local %s {\n  ssl_cert = <%s\n  ssl_key = <%s\n}\n' \
				"$v4" "$WORK/$key.crt" "$WORK/$key.key" \
				"$v6" "$WORK/$key.crt" "$WORK/$key.key"
		done < <(host_rows)
	} > "$WORK/dovecot.conf"
	start dovecot dovecot -F -c "$WORK/dovecot.conf"
}

start_postfix() {
	local key v4 v6

	mkdir -p "$WORK/postfix" "$WORK/queue" "$WORK/postfix-data"
	chown postfix "$WORK/postfix-data"
	cat > "$WORK/postfix/main.cf" <<-E
	compatibility_level = 3.6
	queue_directory = $WORK/queue
	data_directory = $WORK/postfix-data
	maillog_file = /dev/stdout
	myhostname = smtp.brandt.example
	mydestination =
	mynetworks = 127.0.0.0/8 192.168.178.0/24 [2001:db8:178::]/64
	default_transport = discard
	local_transport = discard
	relay_transport = discard
	alias_maps =
	smtpd_sasl_auth_enable = yes
	smtpd_sasl_type = dovecot
	smtpd_sasl_path = inet:127.0.0.1:12345
	smtpd_tls_security_level = may
	smtpd_peername_lookup = no
	E
	{
		while read -r key v4 v6 _; do
			[ "$key" = mailbox ] || [ "$key" = own ] || continue
			for service in "$v4:587" "[$v6]:587" "$v4:25" "$v4:465" "[$v6]:465"; do
				echo "$service inet n - n - - smtpd"
				echo "  -o smtpd_tls_cert_file=$WORK/$key.crt -o smtpd_tls_key_file=$WORK/$key.key"
				[ "${service##*:}" != 465 ] || echo "  -o smtpd_tls_wrappermode=yes"
			done
		done < <(host_rows)
		odd_postfix_services
		cat <<-'E'
		127.0.0.1:587 inet n - n - - smtpd
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		tlsmgr unix - - n 1000? 1 tlsmgr
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		discard unix - - n - - discard
		anvil unix - - n - 1 anvil
		proxymap unix - - n - - proxymap
		postlog unix-dgram n - n - 1 postlogd
		E
	} > "$WORK/postfix/master.cf"
	start postfix postfix -c "$WORK/postfix" start-fg
}

start_nginx() {
	local key v4 v6 names

	mkdir -p "$WORK/www"
	upload_page > "$WORK/www/mail.html"
	head -c 12000 /dev/zero | tr '\0' x > "$WORK/www/index.html"
	{
		cat <<-E
		daemon off;
		user root;
		pid $WORK/nginx.pid;
		error_log stderr;
		events { }
		http {
		  types { text/html html; }
		  access_log off;
		  client_max_body_size 4m;
		  client_body_temp_path $WORK;
		  proxy_temp_path $WORK;
		  fastcgi_temp_path $WORK;
		  uwsgi_temp_path $WORK;
		  scgi_temp_path $WORK;
		  ssl_protocols TLSv1.2 TLSv1.3;
		  server { listen 127.0.0.1:8080; return 200 "received"; }
		E
		while read -r key v4 v6 _ _ names; do
			[ "$key" != quic ] || continue		# Caddy's (scenes-main.sh)
			cat <<-E
			  server {
			    listen $v4:443 ssl http2;
			    listen [$v6]:443 ssl http2;
			    listen $v4:80;
			    server_name ${names//,/ };
			    ssl_certificate $WORK/$key.crt;
			    ssl_certificate_key $WORK/$key.key;
			    root $WORK/www;
			    location /up { proxy_pass http://127.0.0.1:8080; }
			    location / { try_files \$uri /index.html; }
			  }
			E
		done < <(host_rows)
		echo "}"
	} > "$WORK/nginx.conf"
	start nginx nginx -p "$WORK" -c "$WORK/nginx.conf"
}

# A page that sends from the browser itself what a client would upload.
upload_page() {
	cat <<-'E'
	<!doctype html><title>Mail</title><body>loading<script>
	let bytes = new Uint8Array(56000), seed = 7, sent = 0;
	for (let i = 0; i < bytes.length; i++)
	  bytes[i] = (seed = seed * 1103515245 + 12345 & 0x7fffffff) >> 16;
	for (let i = 0; i < 5; i++) {
	  let x = new XMLHttpRequest();
	  x.open("POST", "https://" + location.host + "/up?" + i, false);
	  x.send(new Blob([bytes]));
	  sent += x.status == 200;
	}
	document.body.innerText = "sent " + sent;
	</script>
	E
}

make_mail() {	# user messages bytes
	local i

	mkdir -p "$WORK/mail/$1/new" "$WORK/mail/$1/cur" "$WORK/mail/$1/tmp"
	for i in $(seq "$2"); do
		{
			printf 'From: Klient %d <klient%d@post.example>\r\n' "$i" "$i"
			printf 'To: %s@kanzlei-brandt.example\r\n' "$1"
			printf 'Subject: Akte %d\r\nMessage-ID: <%d.%s@post.example>\r\n\r\n' "$i" "$i" "$1"
			head -c "$3" /dev/zero | tr '\0' x | fold -w 72 | sed 's/$/\r/'
			printf '\r\n'
		} > "$WORK/mail/$1/new/179000000$i.$1.lab"
	done
	chown -R nobody "$WORK/mail"
}

servers_up() {
	make_certificates
	make_mail anna 6 6000
	make_mail ben 3 1500
	start_unbound
	start_dovecot
	start_postfix
	start_nginx
	# It has UDP port 443 of all addresses, where another wants to answer (scenes-main.sh).
	is_main "${names%%[[:space:]]*}" || start refuse "$LAB/refuse" "$(address_of refuse)"
	wait_for 53 143 465 443 587
}

wait_for() {	# until something listens on each of these ports, 20 seconds at most
	local port tries=100

	for port; do
		until in_ns inet ss -Hltun "sport = :$port" | grep -q .; do
			tries=$((tries - 1))
			[ $tries -gt 0 ] || { echo "lab: nothing listens on port $port" >&2; return 1; }
			sleep 0.2
		done
	done
}

servers_down() {
	[ ${#STARTED[@]} -eq 0 ] || kill "${STARTED[@]}" 2>/dev/null
	[ ! -e "$WORK/queue/pid/master.pid" ] || kill "$(cat "$WORK/queue/pid/master.pid")" 2>/dev/null
	for _ in $(seq 50); do
		[ -n "$(jobs -rp)" ] || return 0
		sleep 0.1
	done
	kill -KILL $(jobs -rp) 2>/dev/null
	return 0
}
