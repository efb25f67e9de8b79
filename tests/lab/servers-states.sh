# servers-states.sh - other makes of servers, and rarer dialects of the same; for scenes-states.sh
#
# Sourced by setup.sh. Exim and Courier exclude Postfix and Dovecot as packages: theirs are unpacked over a view of
# the system that only their own processes have.

OTHER_MAKES="exim4-daemon-light exim4-base exim4-config courier-imap courier-pop courier-base courier-authlib
	courier-authlib-userdb libcourier-unicode4 libltdl7 libgamin0"

fetch_other_makes() {
	mkdir -p "$WORK/debs"
	(cd "$WORK/debs" && apt-get download -q $OTHER_MAKES) > "$WORK/debs.log" 2>&1
}

make_exim() {
	cat > "$WORK/exim.conf" <<-E
	primary_hostname = mail.exim.example
	exim_user = Debian-exim
	exim_group = Debian-exim
	spool_directory = /var/spool/exim-lab
	log_file_path = /var/spool/exim-lab/%slog
	keep_environment =
	local_interfaces = $(address_of exim)
	daemon_smtp_ports = 587
	host_lookup =
	rfc1413_hosts =
	tls_advertise_hosts = *
	tls_certificate = $WORK/exim.crt
	tls_privatekey = $WORK/exim.key
	auth_advertise_hosts = *
	acl_smtp_rcpt = accept_all
	queue_only
	begin acl
	accept_all:
	  accept
	begin authenticators
	plain:
	  driver = plaintext
	  public_name = PLAIN
	  server_condition = \${if eq{\$auth3}{$PASSWORD}}
	  server_set_id = \$auth2
	login:
	  driver = plaintext
	  public_name = LOGIN
	  server_prompts = <| Username: | Password:
	  server_condition = \${if eq{\$auth2}{$PASSWORD}}
	  server_set_id = \$auth1
	E
	chmod 644 "$WORK/exim.key"
}

make_courier() {
	mkdir -p "$WORK/courier"
	cat "$WORK/courier.key" "$WORK/courier.crt" > "$WORK/courier/both.pem"
	printf '%s\tuid=65534|gid=65534|home=%s|mail=%s|systempw=%s\n' "$ACCOUNT" "$WORK/mail/ben" "$WORK/mail/ben" \
		"$(openssl passwd -1 "$PASSWORD")" > "$WORK/courier/userdb"
	cat > "$WORK/courier/authdaemonrc" <<-E
	authmodulelist="authuserdb"
	authmodulelistorig="authuserdb"
	daemons=2
	authdaemonvar=/run/courier/authdaemon
	E
}

# In a view of the system with the other makes in it; runs until the last of them ends.
other_makes_main() {
	cat <<-E
	set -e
	mount -t tmpfs none /mnt
	mkdir /mnt/root /mnt/up /mnt/work /mnt/all
	for deb in $WORK/debs/*.deb; do dpkg -x "\$deb" /mnt/root; done
	rm -rf /mnt/root/lib		# service files, where the system has a link
	mount -t overlay overlay -o lowerdir=/mnt/root:/,upperdir=/mnt/up,workdir=/mnt/work /mnt/all
	mount --rbind "$(dirname "$WORK")" "/mnt/all$(dirname "$WORK")"
	mount -t proc proc /mnt/all/proc
	mount --rbind /dev /mnt/all/dev
	mount -t tmpfs none /mnt/all/run
	exec chroot /mnt/all bash $WORK/inside
	E
}

other_makes_inside() {
	cat <<-E
	useradd --system Debian-exim
	useradd --system courier
	mkdir -p /var/spool/exim-lab /run/courier/authdaemon /var/lib/courier
	chown Debian-exim /var/spool/exim-lab
	cp $WORK/courier/authdaemonrc /etc/courier/
	install -m 600 $WORK/courier/userdb /etc/courier/userdb
	makeuserdb
	/usr/lib/courier/courier-authlib/authdaemond &
	set -a
	. /etc/courier/imapd
	. /etc/courier/imapd-ssl
	. /etc/courier/pop3d
	POP3AUTH="PLAIN LOGIN"
	TLS_CERTFILE=$WORK/courier/both.pem TLS_PRIVATE_KEYFILE= TLS_CACHEFILE= TLS_DHPARAMS=
	IMAP_STARTTLS=YES POP3_STARTTLS=YES
	couriertcpd -address=$(address_of courier) -nodnslookup -noidentlookup 143 \
		/usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir &
	couriertcpd -address=$(address_of courier) -nodnslookup -noidentlookup 110 \
		/usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir &
	exim4 -bdf -q1h -C $WORK/exim.conf &
	trap 'kill \$(jobs -p)' TERM
	wait
	E
}

start_other_makes() {
	fetch_other_makes || return
	make_exim
	make_courier
	other_makes_main > "$WORK/outside"
	other_makes_inside > "$WORK/inside"
	start other-makes bash "$WORK/outside"
}

# Every SASL mechanism, Sieve, LMTP, compression, and a listener behind a proxy.
start_odd_dovecot() {
	mkdir -p "$WORK/odd"
	cat > "$WORK/odd.conf" <<-E
	base_dir = $WORK/odd
	state_dir = $WORK/odd
	instance_name = odd
	protocols = imap pop3 lmtp sieve
	listen = $(address_of odd)
	log_path = /dev/stderr
	mail_location = maildir:$WORK/mail/ben
	mail_uid = nobody
	mail_gid = nogroup
	first_valid_uid = 1
	first_valid_gid = 1
	disable_plaintext_auth = no
	auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 apop xoauth2 oauthbearer
	auth_failure_delay = 0
	passdb {
	  driver = static
	  args = password=$PASSWORD
	}
	passdb {
	  driver = oauth2
	  mechanisms = xoauth2 oauthbearer
	  args = $WORK/odd-token.conf
	}
	userdb {
	  driver = static
	  args = uid=nobody gid=nogroup home=$WORK/mail/ben
	}
	ssl = yes
	ssl_cert = <$WORK/odd.crt
	ssl_key = <$WORK/odd.key
	haproxy_trusted_networks = 192.168.178.0/24
	protocol imap {
	  mail_plugins = imap_zlib
	}
	service imap-login {
	  inet_listener imap-proxied {
	    port = 1143
	    haproxy = yes
	  }
	}
	service managesieve-login {
	  inet_listener sieve {
	    port = 4190
	  }
	}
	service lmtp {
	  inet_listener lmtp {
	    port = 24
	  }
	}
	service anvil {
	  chroot =
	}
	service auth {
	  inet_listener {
	    address = 127.0.0.1
	    port = 12346
	  }
	}
	E
	# Nobody there to ask: every token is refused.
	printf 'introspection_mode = post\nintrospection_url = http://127.0.0.1:1/\n' > "$WORK/odd-token.conf"
	start odd dovecot -F -c "$WORK/odd.conf"
}

# More listeners of the one Postfix: one that believes XCLIENT, one behind a proxy.
odd_postfix_services() {
	local common="-o smtpd_tls_cert_file=$WORK/odd.crt -o smtpd_tls_key_file=$WORK/odd.key"

	echo "$(address_of odd):587 inet n - n - - smtpd $common -o smtpd_sasl_path=inet:127.0.0.1:12346"
	echo "  -o smtpd_authorized_xclient_hosts=192.168.178.0/24"
	echo "$(address_of odd):10587 inet n - n - - smtpd $common -o smtpd_upstream_proxy_protocol=haproxy"
}
