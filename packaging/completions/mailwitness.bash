# bash completion for mailwitness: what --help says is what is offered
#
# Commands stand under "commands", options under "options", each before its argument's name and its sentence.

_mailwitness_commands() {
	mailwitness --help | awk '/^commands$/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }'
}

# A line for each option: the option, and its argument's name where it takes one.
_mailwitness_options() {
	mailwitness --help | awk '/^options$/ { on = 1; next } /^$/ { on = 0 } on && /^  -/ {
		sub(/^ +/, "")
		sub(/  .*/, "")
		count = split($0, words, /[ ,=]+/)
		for (i = 1; i <= count; i++)
			if (words[i] ~ /^-/) print words[i], (words[i + 1] ~ /^-/ ? "" : words[i + 1])
	}'
	printf '%s\n' --help --version
}

_mailwitness() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} argument choices=

	# Bash takes = for a word of its own.
	[ "$word" = = ] && word=
	[ "$before" = = ] && before=${COMP_WORDS[COMP_CWORD - 2]}
	argument=$(_mailwitness_options | awk -v option="$before" '$1 == option { print $2; exit }')
	case $argument in
	*'|'*) choices=${argument//|/ } ;;
	INTERFACE) choices="any $(ls /sys/class/net)" ;;
	FORMAT) choices=$(mailwitness export --format '?' . 2>&1 | sed -n 's/.*wants one of: //p' | tr -d ,) ;;
	USER) choices=$(compgen -u) ;;
	FILE | DIR | DIRECTORY | CASE)
		COMPREPLY=($(compgen -f -- "$word"))
		compopt -o filenames 2>/dev/null
		return
		;;
	'') ;;
	*) return ;;
	esac
	if [ -z "$choices" ]; then
		case $COMP_CWORD,$word in
		*,-*) choices=$(_mailwitness_options | awk '{ print $1 }') ;;
		1,*) choices=$(_mailwitness_commands) ;;
		2,*) [ "$before" = policy ] && choices=check ;;
		esac
	fi
	if [ -n "$choices" ]; then
		COMPREPLY=($(compgen -W "$choices" -- "$word"))
	else
		COMPREPLY=($(compgen -f -- "$word"))
		compopt -o filenames 2>/dev/null
	fi
}

complete -F _mailwitness mailwitness
