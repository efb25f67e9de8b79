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
all_files() {
	find "$root" -xdev \( -path "$root/proc" -o -path "$root/sys" -o -path "$root/var/lib/apt" -o -path "$root/var/cache" -o \
		-path "$root/var/log" -o -path "$root/tmp" \) -prune -o -print | sort
}
inside apt-get update -q >/dev/null
all_files >"$root/tmp/before"
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
all_files >"$root/tmp/after"
diff "$root/tmp/before" "$root/tmp/after" | grep '^>' >"$root/tmp/left" || true
# What the system itself wrote meanwhile: its user stays, as Debian has it, and backups of its lists.
grep -vE '/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$|/var/lib/(dpkg|systemd)/|/etc/ld.so.cache' "$root/tmp/left" && exit 1
echo "package: installed, used and removed"
