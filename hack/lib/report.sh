# shellcheck shell=bash
# How a script here speaks: one progress line for each step with its seconds on
# stdout, errors on stderr that say what was wrong and what to do next.

# die WHAT [WHAT TO DO] - ends the script.
die() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	[[ -z ${2:-} ]] || printf '  %s\n' "$2" >&2
	exit 1
}

# milliseconds - a clock to take differences of.
milliseconds() {
	local now=${EPOCHREALTIME/[.,]/}
	printf '%s' "$((now / 1000))"
}

# seconds_since START - with one digit, as "3.4".
seconds_since() {
	local passed=$(($(milliseconds) - $1))
	printf '%d.%d' "$((passed / 1000))" "$((passed % 1000 / 100))"
}

# step NAME COMMAND... - runs the command and says how long it took.
step() {
	local name=$1 start
	start=$(milliseconds)
	shift
	"$@"
	printf '  %-34s %6s s\n' "$name" "$(seconds_since "$start")"
}

# wait_for SECONDS COMMAND... - polls until the command succeeds; 1 on timeout.
wait_for() {
	local deadline=$(($(milliseconds) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[[ $(milliseconds) -lt $deadline ]] || return 1
		sleep 0.1
	done
}

# die_with_log WHAT LOG - shows the end of the log that explains the failure.
die_with_log() {
	printf '%s: %s; the last lines of %s:\n' "${0##*/}" "$1" "$2" >&2
	tail -n 15 "$2" 2>/dev/null | cut -c1-400 | sed 's/^/  | /' >&2 || true
	exit 1
}
