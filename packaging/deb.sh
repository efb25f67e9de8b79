#!/bin/sh
# deb.sh VERSION OUT - builds the Debian source and binary packages of what git has, into OUT
set -eu
version=$1 out=$2
name=mailwitness-$version

for tool in dpkg-buildpackage dh; do
	command -v $tool >/dev/null || { echo "deb.sh: needs $tool (apt-get install dpkg-dev debhelper)" >&2; exit 69; }
done
rm -rf "$out"
mkdir -p "$out/$name"
git ls-files -z | tar --null --files-from=- --create | tar -x -C "$out/$name"
rm -rf "$out/$name/packaging/debian"
tar --sort=name --owner=0 --group=0 --numeric-owner -C "$out" -cJf "$out/mailwitness_$version.orig.tar.xz" "$name"
cp -r packaging/debian "$out/$name/debian"
sed -i "1s/VERSION/$version/" "$out/$name/debian/changelog"
cd "$out/$name"
dpkg-buildpackage -us -uc
