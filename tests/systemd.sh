#!/usr/bin/env bash
# systemd.sh ROOT - the package's unit under a systemd of its own, between two network namespaces
#
# ROOT is a Debian that package.sh made; what is done to it goes into a layer above it. systemd is process 1 of
# namespaces, and of a control group without controllers: what the unit shuts off holds, limits it does not have.
set -u
root=$(realpath "$1") program=mailwitness unit=mailwitness@eth0
. tests/live/namespaces.sh
groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$groups" ] || cannot "needs cgroup2"
group=$groups/mw$$
stop() {
	leave
	soon 5 sh -c "find '$group' -depth -type d -exec rmdir {} + 2>/dev/null; [ ! -d '$group' ]"
	umount "$over" 2>/dev/null
	rm -rf "$upper"
}
trap stop EXIT
upper=$(mktemp -d) over=$upper/root
mkdir "$upper/files" "$upper/work" "$over" "$group" &&
mount -t overlay -o "lowerdir=$root,upperdir=$upper/files,workdir=$upper/work" overlay "$over" || cannot "needs overlayfs"

cp build-deb/mailwitness_*_*.deb "$over/tmp/mailwitness.deb"
mount -t proc proc "$over/proc"
DEBIAN_FRONTEND=noninteractive chroot "$over" apt-get install -q -y --no-install-recommends systemd /tmp/mailwitness.deb \
	>"$dir/install" 2>&1 || { tail -5 "$dir/install"; exit 1; }
umount "$over/proc"
# What takes two minutes, in seconds.
mkdir -p "$over/etc/systemd/system/mailwitness@.service.d"
printf '[Service]\nWatchdogSec=4s\nRestartSec=1s\n' >"$over/etc/systemd/system/mailwitness@.service.d/soon.conf"

cat >"$dir/boot" <<'END'
echo $$ >"$1/cgroup.procs"
exec unshare --fork --pid --mount --uts --ipc --cgroup --kill-child sh -c '
	mount --make-rprivate / && mount -t proc proc proc && mount -t sysfs -o ro sysfs sys &&
	mount -t cgroup2 cgroup2 sys/fs/cgroup && mount -t tmpfs tmpfs run && mount -t tmpfs -o mode=755 tmpfs dev || exit
	for n in null zero full random urandom tty; do touch dev/$n; mount --bind /dev/$n dev/$n; done
	mkdir dev/pts dev/shm && ln -s pts/ptmx dev/ptmx
	pivot_root . mnt && umount -l /mnt
	exec env -i container=other /lib/systemd/systemd'
END
(cd "$over" && exec ip netns exec $here sh "$dir/boot" "$group") >"$dir/boot.log" 2>&1 </dev/null &
boot=$!
started+=($boot)
inside() {
	timeout 30 nsenter -t "$(pgrep -P $boot)" -a env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" 2>&1
}
booted() {
	inside systemctl is-system-running | grep -Eq 'running|degraded'
}
soon 20 booted || { cat "$dir/boot.log"; cannot "systemd does not come up here"; }

said() { # PATTERN [TIMES]: in the unit's journal
	[ "$(inside journalctl -o cat -u $unit | grep -c -- "$1")" -ge "${2:-1}" ]
}
property() {
	inside systemctl show -P "$1" $unit
}
became() { # PROPERTY VALUE
	[ "$(property "$1")" = "$2" ]
}
case=$over/var/lib/mailwitness/eth0.case

check "it starts, and is ready when it watches" inside systemctl start $unit
check "it is active" is active "$(property ActiveState)"
[ $failed = 0 ] || { inside journalctl -o cat -u $unit | tail; exit 1; }
# No packet has come.
counted() {
	property StatusText | grep -q 'packets captured'
}
check "it tells how it goes" soon 5 counted
check "it has shut itself in" said 'sandbox: no capability, Landlock, seccomp'
run_in $here client $talk login 5.9.112.40 0.2
wait $pid
check "a leak is in the journal while it goes on" soon 6 said '"kind":"cleartext-credential"'
check "the case is its user's alone" is "600 mailwitness" "$(chroot "$over" stat -c '%a %U' /var/lib/mailwitness/eth0.case)"
check "and its directory too" is "750 mailwitness" "$(chroot "$over" stat -c '%a %U' /var/lib/mailwitness)"

first=$(property MainPID)
check "it reloads" inside systemctl reload $unit
check "which reads again what it judges by" soon 5 said 'were read again'
check "and is the same process" is "$first active" "$(property MainPID) $(property ActiveState)"

ip -n $here link del eth0
check "an interface goes away" soon 5 said 'eth0: the interface went away'
link_up
check "and comes back" soon 10 said 'eth0: the interface is back'

inside sh -c "kill -STOP $first"
check "one that hangs is ended by the watchdog" soon 15 said 'Watchdog timeout'
check "and started anew" soon 10 became NRestarts 1
check "to be active" soon 5 became ActiveState active
inside systemctl kill -s KILL --kill-whom=main $unit
check "so is one that was killed" soon 10 became NRestarts 2
check "and it is active too" soon 5 became ActiveState active
gaps() {
	sqlite3 "$case" "SELECT count(*) FROM loss WHERE reason = 'not-watched'"
}
check "both gaps are losses" is 2 "$(gaps)"

check "it stops" inside systemctl stop $unit
check "that is a success, though there is a leak" said 'Deactivated successfully'
check "the report is in the journal" said '"verdict":"leak","scope"'
check "with both gaps" is 2 "$(inside journalctl -o cat -u $unit | grep -o '"gaps":\[[^]]*\]' | grep -o '"from"' | wc -l)"
exposure=$(inside systemd-analyze security --no-pager $unit | sed -n 's/.*exposure level[^:]*: \([0-9.]*\).*/\1/p')
check "what it is exposed to is little: $exposure of 10" sh -c "[ '${exposure%.*}' -lt 2 ]"
echo "systemd: $passed passed, $failed failed"
[ $failed = 0 ]
