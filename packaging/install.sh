#!/bin/sh
# install.sh PROGRAM DESTDIR PREFIX SYSCONFDIR - puts the program and all that belongs to it in its places
set -eu
program=$1 to=$2$3 etc=$2$4
case $3 in
/usr) zsh=vendor-completions ;;
*) zsh=site-functions ;;
esac

put() { # MODE FILE TARGET
	install -D -m "$1" "$2" "$3"
}

put 755 "$program" "$to/bin/mailwitness"
for f in classify/catalogue/*.yaml; do
	put 644 "$f" "$to/share/mailwitness/catalogue/${f##*/}"
done
put 644 classify/asn.mmdb "$to/share/mailwitness/asn.mmdb"
put 644 classify/asn.mmdb.txt "$to/share/mailwitness/asn.mmdb.txt"
put 644 report/report.schema.json "$to/share/mailwitness/report.schema.json"
put 644 packaging/mailwitness.1 "$to/share/man/man1/mailwitness.1"
put 644 packaging/completions/mailwitness.bash "$to/share/bash-completion/completions/mailwitness"
put 644 packaging/completions/_mailwitness "$to/share/zsh/$zsh/_mailwitness"
put 644 packaging/mailwitness@.service "$to/lib/systemd/system/mailwitness@.service"
sed -i "s#/usr/bin/#$3/bin/#" "$to/lib/systemd/system/mailwitness@.service"
put 644 packaging/mailwitness.sysusers "$to/lib/sysusers.d/mailwitness.conf"
put 644 packaging/mailwitness.tmpfiles "$to/lib/tmpfiles.d/mailwitness.conf"
for f in LICENSE README.md classify/catalogue/README.md; do
	put 644 "$f" "$to/share/doc/mailwitness/$(echo "${f#classify/}" | tr / -)"
done
for f in mailwitness.yaml notify.conf; do
	put 644 "packaging/$f" "$to/share/doc/mailwitness/examples/$f"
done
# The administrator's file stays as it is.
[ -e "$etc/default/mailwitness" ] || put 644 packaging/mailwitness.default "$etc/default/mailwitness"
