# scenes-experiment.sh - README's experiment with a canary account, both ends of it, done by real programs
#
# Sourced by setup.sh. The mail server is a host of its own, whose Dovecot is set as the README says. The canary's
# password is typed into the browser that stands for the client under test: that is, it sends, and nothing tells.

CANARY=canary@brandt.example
EXPERIMENTS="experiment-clear experiment-starttls experiment-tls experiment-honest experiment-honest-clear
	experiment-other-device"

# What it must say, whether the client or a vendor logs in, and how: extended regular expressions, one a line.
experiment_says() {	# NAME
	local given="^   [0-9a-f.:]+ at client: leak: mail or credentials go to a third party;"

	case $1 in
	experiment-clear)
		echo "^   Proven: .* logged in to 5\.9\.112\.41 as $CANARY, [0-9.]+ seconds after its first contact"
		echo "$given" ;;
	experiment-starttls | experiment-tls)
		echo "^   Strong, but not proven: .* had a mail session under TLS with 5\.9\.112\.41, [0-9.]+ seconds after"
		echo "$given" ;;
	experiment-honest)
		echo "^   Nothing: no client sent anything to a vendor's mail service"
		echo "^   192\.168\.178\.20 at client: clean: no catalogued third party; sealed on the path" ;;
	experiment-honest-clear)
		echo "^   Nothing: no client sent anything to a vendor's mail service"
		echo "^   192\.168\.178\.20, which is no vendor .*, logged in to 5\.9\.112\.41 as $CANARY"
		echo "^   192\.168\.178\.20 at client: leak: no catalogued third party; it can be read on the path" ;;
	experiment-other-device)
		echo "^   Microsoft .* had 1 mail session with the mail server 5\.9\.112\.41, as $CANARY"
		echo "^   Nothing: no client sent anything to a vendor's mail service"
		echo "^   192\.168\.178\.20 at client: clean: no catalogued third party; sealed on the path" ;;
	esac
}

# The lines that the README has people write into local.conf.
guide_settings() {
	sed -n '/^## The experiment/,/^## /s/^ \{7\}\([a-z_]* = .*\)/\1/p' "$LAB/../../README.md"
}

canary_server_up() {
	local v4 v6

	v4=$(address_of canary) v6=$(address_of canary 6)
	ip -n "$LAB_PREFIX-inet" addr del "$v4/32" dev lo
	ip -n "$LAB_PREFIX-inet" addr del "$v6/128" dev lo
	outside_up mail "$v4"
	mkdir -p "$WORK/canary" "$WORK/mail/canary"
	{
		cat <<-E
		base_dir = $WORK/canary
		state_dir = $WORK/canary
		protocols = imap
		listen = $v4
		log_path = /dev/stderr
		mail_location = maildir:$WORK/mail/%n
		first_valid_uid = 1
		first_valid_gid = 1
		passdb {
		  driver = static
		  args = password=$PASSWORD
		}
		userdb {
		  driver = static
		  args = uid=nobody gid=nogroup home=$WORK/mail/%n
		}
		ssl_cert = <$WORK/canary.crt
		ssl_key = <$WORK/canary.key
		service anvil {
		  chroot =
		}
		E
		guide_settings
	} > "$WORK/canary.conf"
	make_mail canary 3 2000
	ip netns exec "$LAB_PREFIX-mail" dovecot -F -c "$WORK/canary.conf" > "$WORK/canary.log" 2>&1 &
	STARTED+=($!)
	for _ in $(seq 50); do
		! in_ns mail ss -Hltn "sport = :143" | grep -q . || return 0
		sleep 0.2
	done
	return 1
}

vendor_logs_in() {	# clear|starttls|tls
	client vendor python3 -c "
import imaplib, ssl
imaplib.Commands['ID'] = ('NONAUTH', 'AUTH')
trust = ssl.create_default_context(cafile='$WORK/ca.crt')
trust.check_hostname = False
server = '$(address_of canary)'
m = imaplib.IMAP4_SSL(server, ssl_context=trust, timeout=20) if '$1' == 'tls' else imaplib.IMAP4(server, timeout=20)
if '$1' == 'starttls':
    m.starttls(trust)
m._simple_command('ID', '(\"name\" \"Microsoft Office 365\" \"version\" \"15.20.1.2\")')
m.login('$CANARY', open('$LAB/password').read().strip())
m.select()
m.fetch('1:*', '(BODY.PEEK[])')
m.logout()"
}

given_away() {	# clear|starttls|tls: how the vendor logs in
	browse pc1 https://outlook.office.com/mail.html
	sleep 3
	vendor_logs_in "$1"
}

scene_experiment-clear() {
	given_away clear
}

scene_experiment-starttls() {
	given_away starttls
}

scene_experiment-tls() {
	given_away tls
}

scene_experiment-honest() {
	ACCOUNT=$CANARY fetch pc1 mail.brandt.example IMAPS
}

scene_experiment-honest-clear() {
	ACCOUNT=$CANARY fetch pc1 mail.brandt.example None "AuthMechs LOGIN"
}

scene_experiment-other-device() {
	scene_experiment-honest
	sleep 2
	vendor_logs_in clear
}

# Both captures with the filters that the README says.
experiment() {	# NAME: prints what `mailwitness experiment` says of it
	local at=$WORK/$1 client_end server_end

	capture pc1 any "$at.pcap" && client_end=$tcpdump || return
	capture mail eth0 "$at-server.pcap" port 143 or port 993 or port 587 && server_end=$tcpdump || return
	"scene_$1"
	capture_ends "$client_end" "$server_end"
	"$program" experiment --asn-db "$LAB/../../classify/asn.mmdb" --ca-file "$WORK/ca.crt" --canary $CANARY \
		--provider brandt.example --mail-server "$(address_of canary)" "$at.pcap" "$at-server.pcap"
}
