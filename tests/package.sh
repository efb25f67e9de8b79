#!/usr/bin/env bash
# package.sh ROOT - installs the packages of `make deb` in a fresh Debian (made by debootstrap in ROOT, if it is not
# there), uses them, removes them, and looks that nothing is left
set -eu
root=$1
for tool in lintian debootstrap; do
	command -v $tool >/dev/null || { echo "package.sh: needs $tool"; exit 69; }
done
[ "$(id -u)" = 0 ] || { echo "package.sh: needs root"; exit 77; }
lintian --fail-on error --tag-display-limit 0 build-deb/*.changes
[ -d "$root/var/lib/dpkg" ] || debootstrap --variant=minbase bookworm "$root"
mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT
inside() {
	DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}
inside apt-get update -q >/dev/null
cp build-deb/mailwitness_*_*.deb "$root/tmp/mailwitness.deb"
cp tests/golden/demo/capture.pcap "$root/tmp/capture.pcap"
inside apt-get install -q -y --no-install-recommends /tmp/mailwitness.deb >"$root/tmp/install.log" 2>&1 ||
	{ cat "$root/tmp/install.log"; exit 1; }
inside id mailwitness
[ "$(inside stat -c '%a %U' /var/lib/mailwitness)" = "750 mailwitness" ]
# Nothing was started or enabled.
[ -z "$(find "$root/etc/systemd" -name 'mailwitness*')" ]
status=0
inside mailwitness replay -q --sandbox=strict --provider mailbox-org /tmp/capture.pcap || status=$?
[ $status = 1 ]
inside apt-get purge -q -y mailwitness >/dev/null
inside apt-get autoremove --purge -q -y >/dev/null
# Its user stays, as Debian has it; what came with it as a dependency leaves traces of its own.
left=$(find "$root" -xdev -name '*mailwitness*' ! -path "$root/tmp/*" ! -path "$root/var/cache/*" ! -path "$root/var/lib/apt/*" ! -path "$root/root/*")
[ -z "$left" ] || { echo "left: $left"; exit 1; }
echo "package: installed, used and removed"
