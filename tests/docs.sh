#!/usr/bin/env bash
# docs.sh PROGRAM - what the program takes stands in its help, in the man page, and is offered by the shells
set -u
program=$(realpath "$1")
bad=0
complain() {
	echo "docs: $1"
	bad=1
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ln -s "$program" "$dir/mailwitness"
PATH=$dir:$PATH
page=packaging/mailwitness.1

"$program" --help | awk '/^options$/ { on = 1; next } /^$/ { on = 0 } on' | sed -nE 's/^  (-.*)/\1/p' | sed 's/   *.*//' |
	grep -oE '(^|[ ,])--?[a-zA-Z-]+' | tr -d ' ,' >"$dir/options"
printf '%s\n' --help --version >>"$dir/options"
"$program" --help | awk '/^commands$/ { on = 1; next } /^$/ { on = 0 } on' | sed -nE 's/^  ([a-z]+).*/\1/p' >"$dir/commands"
[ "$(wc -l <"$dir/options")" -ge 25 ] || complain "--help shows only $(wc -l <"$dir/options") options"
[ "$(wc -l <"$dir/commands")" -ge 10 ] || complain "--help shows only $(wc -l <"$dir/commands") commands"

# What getopt takes is in the help.
grep -hoE '^	\{ "[a-z-]+", (no|required|optional)_argument' door/options*.c | sed -E 's/.*"(.*)".*/--\1/' >"$dir/taken"
[ -s "$dir/taken" ] || complain "the table of options was not found"
while read -r option; do
	grep -qxe "$option" "$dir/options" || complain "$option is not in --help"
done <"$dir/taken"

while read -r option; do
	sed -nE 's/^\.(It|Op|Oo) +//p; s/^\.Fl /Fl /p' $page | grep -qE "(^|[ ,])Fl (-?[a-zA-Z-]+ \| )*${option#-}([ ,]|$)" ||
		complain "$option is not in $page"
done <"$dir/options"
while read -r command; do
	grep -qE "^\.Cm $command( |$)" $page || complain "$command is not in $page"
done <"$dir/commands"

# What bash offers after so many words, a line for each.
offered() {
	(
		# shellcheck source=packaging/completions/mailwitness.bash
		. packaging/completions/mailwitness.bash
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_mailwitness 2>/dev/null
		printf '%s\n' "${COMPREPLY[@]}"
	)
}
offered mailwitness replay - >"$dir/bash"
while read -r option; do
	grep -qxe "$option" "$dir/bash" || complain "bash does not offer $option"
done <"$dir/options"
offered mailwitness '' | cmp -s - "$dir/commands" || complain "bash offers other commands than --help has"
offered mailwitness watch -i '' | grep -qx lo || complain "bash does not offer the interfaces"
offered mailwitness export --format '' | grep -qx tlsrpt || complain "bash does not offer the formats"
offered mailwitness export --format = tls | grep -qx tlsrpt || complain "bash does not complete after ="
offered mailwitness replay --policy README. | grep -qx README.md || complain "bash does not offer files"

if command -v zsh >/dev/null; then
	zsh -f -c '. packaging/completions/_mailwitness; _mailwitness_specs' >"$dir/zsh"
	while read -r option; do
		grep -qE -e "^\*?$option\[[^]]" "$dir/zsh" || complain "zsh does not offer $option"
	done <"$dir/options"
	grep -qE '^\*-i\[.*:INTERFACE:\(any .*lo' "$dir/zsh" || complain "zsh does not offer the interfaces"
	grep -qE '^\*--format\[.*:FORMAT:\(.*tlsrpt' "$dir/zsh" || complain "zsh does not offer the formats"
	zsh -f -c '. packaging/completions/_mailwitness; _mailwitness_section commands' | cut -d$'\037' -f1 | cmp -s - "$dir/commands" ||
		complain "zsh offers other commands than --help has"
fi

# Lines are as long as the house's; other pages need not be installed here.
if command -v mandoc >/dev/null; then
	mandoc -Tlint $page 2>/dev/null | grep -v 'longer than 80 bytes$\|longer than 80 bytes: \|referenced manual not found' >"$dir/lint"
	[ -s "$dir/lint" ] && complain "$(head -5 "$dir/lint")"
fi
[ "$bad" = 0 ] && echo "docs: $(wc -l <"$dir/options") options, $(wc -l <"$dir/commands") commands"
exit $bad
