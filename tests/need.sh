#!/bin/sh
# need.sh build|test - installs what is missing of the Debian packages that building or testing needs
set -eu
build="build-essential pkg-config libpcap-dev libarchive-dev libndpi-dev libmaxminddb-dev libssl-dev \
libldns-dev libcyaml-dev libyaml-dev libcurl4-openssl-dev libmicrohttpd-dev libpsl-dev libseccomp-dev libsqlite3-dev"
test="$build libcmocka-dev tshark python3 python3-jsonschema openssl sqlite3 iproute2 tcpdump mandoc zsh passt isync curl \
dovecot-imapd dovecot-pop3d unbound nginx-light procps"
case "${1-}" in
build) want=$build ;;
test) want=$test ;;
*) echo "usage: need.sh build|test" >&2; exit 64 ;;
esac
missing=
for p in $want; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -q
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends $missing
