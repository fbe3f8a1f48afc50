# shellcheck shell=bash
# Processes that outlive the script that started them, by pid file under
# $DIR/pids with the log under $DIR/logs. A pid file holds the pid on its first
# line and the start time on its second (field 22 of /proc/PID/stat), so that a
# pid that the kernel gave to somebody else is never signalled.

# start_time PID - empty where the process is gone or a zombie.
start_time() {
	local stat
	{ stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
	stat=${stat##*) }
	[[ $stat == Z* ]] || cut -d' ' -f20 <<<"$stat"
}

# pid_of NAME - prints the pid while the process that the file names lives.
pid_of() {
	local pid='' started=''
	{ read -r pid && read -r started; } 2>/dev/null <"$DIR/pids/$1.pid" || return 1
	[[ -n $pid && $(start_time "$pid") == "$started" ]] || return 1
	printf '%s' "$pid"
}

alive() { pid_of "$1" >/dev/null; }

# spawn NAME COMMAND... - starts it detached, unless it lives. The child writes
# its own pid file before it becomes the command: there is no moment in which
# it runs unrecorded. Inherited descriptors (locks, pipes of a test) are closed.
spawn() {
	local name=$1 file pid
	shift
	! alive "$name" || return 0
	mkdir -p "$DIR/pids" "$DIR/logs"
	(
		file="$DIR/pids/$name.pid"
		pid=$BASHPID # A command substitution has its own.
		printf '%s\n%s\n' "$pid" "$(start_time "$pid")" >"$file.new"
		mv "$file.new" "$file"
		exec </dev/null >>"$DIR/logs/$name.log" 2>&1
		for fd in /proc/self/fd/*; do
			fd=${fd##*/}
			((fd <= 2)) || eval "exec $fd>&-"
		done
		exec setsid "$@"
	) &
	wait_for 5 test -s "$DIR/pids/$name.pid" || die "$name was not started" "See $DIR/logs/$name.log"
}

# stop SECONDS NAME... - asks them all to end, then kills what is left after
# SECONDS, and removes the pid files.
stop() {
	local patience=$1 name pid
	shift
	for name in "$@"; do
		if pid=$(pid_of "$name"); then kill -TERM "$pid" 2>/dev/null || true; fi
	done
	for name in "$@"; do
		if ! wait_for "$patience" gone "$name" && pid=$(pid_of "$name"); then
			kill -KILL "$pid" 2>/dev/null || true
			wait_for 5 gone "$name" || true
		fi
		rm -f "$DIR/pids/$name.pid"
	done
}

gone() { ! alive "$1"; }

# recorded - the names of all pid files under $DIR.
recorded() {
	local file
	for file in "$DIR"/pids/*.pid; do
		[[ ! -e $file ]] || basename "$file" .pid
	done
}
