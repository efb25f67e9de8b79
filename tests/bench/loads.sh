# The loads of run.sh and live.sh: to be sourced, with the maker of loads in $load and directories in $dir and $keep.
#
#          packets  flows   bytes a packet, packets a flow
#   mix    3.28 M   230 k   310, 14     an office: web, look-ups, calls, QUIC, mail, attempts without answer
#   mail   3.48 M   200 k   265, 17     by a mail server: short dialogues in clear and with STARTTLS
#   bulk   2.05 M   43 k    690, 48     a few mailboxes and web mail, large packets
#   scan   1 M      1 M     54, 1       SYNs that nobody answers
# Of other people's traffic mix, mail and scan have the shape, which was measured; what is in it is ours.
declare -A sizes=([mix]=3280000 [mail]=3480000 [bulk]=2050000 [scan]=1000000)
sample() { # NAME...
	for n in "$@"; do printf 'tests/golden/%s/capture.pcap\n' "$n"; done
}
for script in office mailserver scan; do
	tests/mkpcap "tests/bench/$script.script" "$keep/$script.pcap"
done
office=$keep/office.pcap server=$keep/mailserver.pcap scan=("$keep/scan.pcap")
mapfile -t mix < <(sample web-only web-only chromium-tcp chromium-quic chromium-tcp chromium-quic clean-resumed \
	clean-starttls clean-pop3s banner-spoof plain-smtp-auth wrap-vlan demo)
mix+=("$office" "$office" "$office" "$office")
mapfile -t mail < <(sample clean-starttls clean-pop3s clean-resumed plain-imap-login plain-pop3 plain-smtp-auth starttls-refused)
mail+=("$server" "$server" "$server" "$server")
mapfile -t bulk < <(sample cloud-only clean-webmail)
make_load() { # NAME: in $dir/load.pcap; says packets, flows, bytes a packet
	local -n samples=$1
	"$load" "$dir/load.pcap" "${PACKETS:-${sizes[$1]}}" "${samples[@]}"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
