# Sourced by packaging/test/deaths: ends of which the kernel, the limits or panicmon itself tell.
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

dies "exit 0" "success 0: ended with exit code 0" sh -c 'exit 0'
dies "exit 3" "exit-code 3: ended with exit code 3" sh -c 'exit 3'
dies "TERM of itself" "signal TERM: was killed by SIGTERM" sh -c 'kill -TERM $$'

begins sh -c 'echo ready; exec sleep 60'
kill -TERM "$parent"
ends "a stop through panicmon" "success TERM requested: ended by SIGTERM, as SIGTERM from pid N asked"
begins sh -c 'trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done'
kill -TERM "$parent"
ends "a stop that is obeyed" "success 0 requested: ended with exit code 0, as SIGTERM from pid N asked"
options=(--kill-after 50ms)
begins sh -c 'trap "" TERM; echo ready; exec sleep 60'
kill -TERM "$parent"
ends "KILL by panicmon, after a stop" \
    "timeout KILL stop requested by kill-after: was killed by SIGKILL: it hadn't ended within 50ms of SIGTERM from pid N"
# The drain comes after the command's end, so what it kills is an orphan.
options=(--drain=50ms)
dies "KILL by the drain: the command's own end" "exit-code 4: ended with exit code 4" \
    sh -c 'trap "" TERM; sleep 60 & exit 4'
same "KILL by the drain: it tells whom, and of what the orphan died" "true 137" "$(jq -rs '
    (map(select(.event == "orphan.reaped"))[0]) as $orphan
    | "\(any(.[]; .event == "drain.killed" and .pid == $orphan.pid)) \($orphan.status)"' events)"
options=()

dies "ABRT without a core" "signal ABRT: was killed by SIGABRT$no_core" sh -c 'kill -ABRT $$'
# The kernel's pattern stays what it is.
case $(cat /proc/sys/kernel/core_pattern) in
"|"*) where="" ;;
*[%/]*) where="" ;;
*) where=" to $PWD/$(cat /proc/sys/kernel/core_pattern)" ;;
esac
[ "$(cat /proc/sys/kernel/core_uses_pid)" = 0 ] || where=""
if [ -n "$where" ]; then
    dies "ABRT with a core" "core-dump ABRT core: was killed by SIGABRT, core dumped$where" sh -c 'ulimit -S -c unlimited; kill -ABRT $$'
else
    skipped_parts+=("ABRT with a core: the kernel's pattern is $(cat /proc/sys/kernel/core_pattern)")
fi
dies "SEGV by a fault" "signal SEGV: was killed by SIGSEGV$no_core" python3 -c 'import ctypes; ctypes.string_at(0)'
begins sh -c 'echo ready; exec sleep 60'
kill -SEGV "$child"
ends "SEGV from outside" "signal SEGV: was killed by SIGSEGV$no_core"

dies "the limit of processor time" "signal XCPU: was killed by SIGXCPU, which the limit of processor time sends (ulimit -t)$no_core" \
    sh -c 'ulimit -St 1; while :; do :; done'
dies "the hard limit of processor time" \
    "signal KILL: was killed by SIGKILL, which the hard limit of processor time sends (ulimit -Ht), 1s" \
    sh -c 'ulimit -t 1; while :; do :; done'
dies "the limit of a file's size" "signal XFSZ: was killed by SIGXFSZ, which the limit of a file's size sends (ulimit -f)$no_core" \
    sh -c 'ulimit -f 1; exec cat /dev/zero >large'

dies "not found" "start-failed at resolve: /nowhere/server: no such file" /nowhere/server
same "not found: panicmon's status" 127 "$(cat status)"
searched="can't be executed: Permission denied (os error 13) (is it a file with the x bit, its folder searchable, its file system"
searched="$searched mounted without noexec?)"
: >plain
dies "not executable" "start-failed at exec: ./plain: $searched" ./plain
same "not executable: panicmon's status" 126 "$(cat status)"
install -m 700 /bin/true ./private
options=(--user nobody)
dies "no rights" "start-failed at exec: ./private: $searched" ./private
options=(--dir /nowhere)
dies "no directory" "start-failed at chdir: can't change to the working directory /nowhere: No such file or directory (os error 2)" true
same "no directory: panicmon's status" 125 "$(cat status)"
options=()

# The kernel knows of no child any more, as if another had waited for it.
before=(strace -o strace -e inject=waitid:error=ECHILD)
observed true
before=()
same "a lost status" \
    "start-failed at wait: the command ended, but its exit status is lost: something else in this process waited for it" \
    "$(jq -r "$digest" events)"
same "a lost status: panicmon's" 125 "$(cat status)"
same "a lost status: it isn't called a failed start" \
    "app: the command ended, but its exit status is lost: something else in this process waited for it" "$(head -n 1 why)"

# A cgroup of little memory.
hog=(python3 -c 'kept = []
while True: kept.append(b"x" * (1 << 20))')
memory=/sys/fs/cgroup/memory limit=memory.limit_in_bytes swap="memory.memsw.limit_in_bytes 64M"
if ! [ -e "$memory/$limit" ]; then
    memory=/sys/fs/cgroup limit=memory.max swap="memory.swap.max 0"
    { echo +memory >"$memory/cgroup.subtree_control"; } 2>/dev/null || true
fi
group=$memory/panicmon-deaths-$$
if mkdir "$group" 2>/dev/null && [ -e "$group/$limit" ]; then
    at_end "rmdir '$group'"
    echo 64M >"$group/$limit"
    { echo "${swap#* }" >"$group/${swap% *}"; } 2>/dev/null || true
    enter=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group")
    before=("${enter[@]}")
    begins sh -c 'echo ready; exec sleep 60'
    kill -KILL "$child"
    ends "KILL by a stranger" "signal KILL: was killed by SIGKILL, and not for want of memory"
    dies "memory ran out" "oom-kill KILL oom certain: was killed by SIGKILL: out of memory (limit 64 MiB)" "${hog[@]}"
    helper='"$@" & worker=$!; wait $worker; exit 5'
    dies "memory ran out for a helper, and the command goes on" "exit-code 5 oom helper: ended with exit code 5; another process of its \
cgroup was killed for want of memory while it ran (limit 64 MiB)" sh -c "$helper" sh "${hog[@]}"
    # The killer takes panicmon first, and the command ends with it. (It fills a file in memory: that counts for the group, and for
    # no process.) In version 2 the kernel kills the group as a whole.
    { echo 1 >"$group/memory.oom.group"; } 2>/dev/null || true
    shared=/dev/shm/panicmon-deaths-$$
    at_end "rm -f '$shared'"
    before=("${enter[@]}" sh -c 'echo 1000 >/proc/$$/oom_score_adj && exec "$@"' sh)
    observed sh -c 'echo 0 >/proc/$$/oom_score_adj && exec head -c 200M /dev/zero >"$0"' "$shared"
    rm "$shared"
    same "memory ran out for both: panicmon's status" 137 "$(cat status)"
    same "memory ran out for both: there is no record of an end" "" "$(jq -r "$digest" events)"
    before=("${enter[@]}")
    "${before[@]}" "$panicmon" --name app --events events --report reports -- true
    same "memory ran out for both: the next run tells" \
        "the last run of app (pid N), started at TIME, has vanished together with its panicmon; the machine has been running since, so \
both were killed" "$(jq -r 'select(.event == "previous_run.lost").summary | sub("pid \\d+"; "pid N") | sub("at [-0-9]\\S+Z"; "at TIME")' \
            events)"
    before=()
else
    rmdir "$group" 2>/dev/null || true
    skipped_parts+=("KILL by a stranger, memory: there is no cgroup with a limit of memory here")
fi
