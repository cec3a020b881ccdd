# Completes the options of panicmon and their values, and then the words of the command, as the command's own completion does.
# Printed by panicmon --completions fish.

# The words of the command before the cursor, each on a line. Fails if the cursor is among the options.
function __panicmon_command
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        set -l word $words[1]
        switch $word
            case --
                set -e words[1]
                set -q words[1]; and printf '%s\n' $words
                return 0
            case --dir --env --unset-env --user --signals --rewrite --delay --parent-death-signal --kill-after --stop-signals --drain --exit --success --restart --min-wait --max-wait --no-restart-on --max-restarts --label --timestamps --events --hook --hook-on --hook-timeout --report --report-keep --termination-log --metrics --stderr-tail --stdout-tail --redact --name --config --as --completions
                set -e words[1]
            case '--*'
            case -
                printf '%s\n' $words
                return 0
            case '-*'
                # Behind a letter that takes a value, the others are that value.
                if string match -qr '^-[^Ceusrkc]*[Ceusrkc]$' -- $word
                    set -e words[1]
                end
            case '*'
                printf '%s\n' $words
                return 0
        end
        # The value may be the word at the cursor.
        set -q words[1]; or return 1
        set -e words[1]
    end
    string match -q -- '-*' (commandline -ct); and return 1
    return 0
end

function __panicmon_in_options
    not __panicmon_command >/dev/null
end

# Completes the command, and its words.
function __panicmon_command_words
    set -l words (__panicmon_command)
    complete "-C"(string join ' ' -- (string escape -- $words) (commandline -ct))
end

# The value at the cursor, without the option that it may be joined to.
function __panicmon_value
    commandline -ct | string replace -r -- '^(--[^=]*=|-[a-zA-Z])' ''
end

# Names; of signals, with SIG where that is typed.
function __panicmon_as
    if string match -q -- 'SIG*' $argv[1]
        printf 'SIG%s\n' $argv[2..]
    else
        printf '%s\n' $argv[2..]
    end
end

function __panicmon_one
    __panicmon_as (__panicmon_value) $argv
end

function __panicmon_list
    set -l value (__panicmon_value)
    set -l before (string match -r -- '^.*,' $value)
    printf '%s\n' "$before"(__panicmon_as (string replace -r -- '^.*,' '' $value) $argv)
end

# __panicmon_pairs FROM... = TO...
function __panicmon_pairs
    set -l middle (contains -i -- = $argv)
    set -l value (__panicmon_value)
    set -l before (string match -r -- '^.*,' $value)
    set -l last (string replace -r -- '^.*,' '' $value)
    set -l from (string match -r -- '^[^=]*=' $last)
    if test -n "$from"
        set -l after $argv[(math $middle + 1)..]
        printf '%s\n' "$before$from"(__panicmon_as (string replace -r -- '^[^=]*=' '' $last) $after)
    else
        printf '%s=\n' "$before"(__panicmon_as $last $argv[..(math $middle - 1)])
    end
end

function __panicmon_users
    set -l user (__panicmon_value | string match -r -- '^[^:]*:')
    if test -n "$user"
        printf '%s\n' "$user"(__fish_complete_groups)
    else
        __fish_complete_users
    end
end

function __panicmon_variables
    set -l before (__panicmon_value | string match -r -- '^.*,')
    printf '%s\n' "$before"(set -xn)
end

complete -c panicmon -f
complete -c panicmon -n 'not __panicmon_in_options' -x -a '(__panicmon_command_words)'
complete -c panicmon -n __panicmon_in_options -s C -l dir -x -a '(__fish_complete_directories (__panicmon_value))' -d 'Start the command in this directory'
complete -c panicmon -n __panicmon_in_options -s e -l env -x -a '(set -xn)=' -d 'Set a variable for the command; may be given several times'
complete -c panicmon -n __panicmon_in_options -l unset-env -x -a '(__panicmon_variables)' -d 'Remove variables from the command\'s environment: TOKEN,DEBUG'
complete -c panicmon -n __panicmon_in_options -l clear-env -d 'Give the command only the variables of --env and --user'
complete -c panicmon -n __panicmon_in_options -s u -l user -x -a '(__panicmon_users)' -d 'Run the command as this user'
complete -c panicmon -n __panicmon_in_options -s s -l signals -x -a '(__panicmon_list HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX)' -d 'Listen to and forward only these signals: TERM,HUP,RTMIN+3'
complete -c panicmon -n __panicmon_in_options -s r -l rewrite -x -a '(__panicmon_pairs HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX uncaught = HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX drop)' -d 'Forward TO instead of FROM: TERM=QUIT, HUP=drop'
complete -c panicmon -n __panicmon_in_options -l delay -x -a '(__panicmon_pairs HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX = )' -d 'Forward SIG only after this time: TERM=10s'
complete -c panicmon -n __panicmon_in_options -s g -l group -d 'Send signals to the command\'s whole process group'
complete -c panicmon -n __panicmon_in_options -l session -d 'Start the command in a session of its own'
complete -c panicmon -n __panicmon_in_options -l parent-death-signal -x -a '(__panicmon_one HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX KILL)' -d 'Get and forward this signal when panicmon\'s parent dies'
complete -c panicmon -n __panicmon_in_options -s k -l kill-after -x -d 'Kill the command this long after a stop: 10s'
complete -c panicmon -n __panicmon_in_options -l stop-signals -x -a '(__panicmon_list HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX)' -d 'The signals that are a stop [default: TERM,INT]'
complete -c panicmon -n __panicmon_in_options -l drain -x -d 'End what the command leaves behind: TERM, then KILL'
complete -c panicmon -n __panicmon_in_options -l exit -x -a '(__panicmon_pairs HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX oom timeout requested = )' -d 'Exit with TO instead of FROM: 143=0,oom=99'
complete -c panicmon -n __panicmon_in_options -l success -x -a '(__panicmon_list HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX)' -d 'Count these exit codes and signals as a success, for restarts and reports: 3,TERM'
complete -c panicmon -n __panicmon_in_options -l restart -x -a '(__panicmon_one never on-failure always)' -d 'Start it again: never, on-failure, always'
complete -c panicmon -n __panicmon_in_options -l min-wait -x -d 'The least time between an end and the next start [default: 1s]'
complete -c panicmon -n __panicmon_in_options -l max-wait -x -d 'The most time between an end and the next start [default: 64s]'
complete -c panicmon -n __panicmon_in_options -l no-restart-on -x -a '(__panicmon_list HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX -1)' -d 'Don\'t restart after these exit codes and signals: 0,3,TERM'
complete -c panicmon -n __panicmon_in_options -l max-restarts -x -d 'Restart the command at most N times'
complete -c panicmon -n __panicmon_in_options -l label -x -d 'Relay the command\'s output line by line, with NAME in front'
complete -c panicmon -n __panicmon_in_options -l timestamps -x -a '(__panicmon_one rfc3339 iso8601 unix unix-ms)' -d 'Relay the command\'s output line by line, with the time in front: rfc3339, %H:%M:%S'
complete -c panicmon -n __panicmon_in_options -l events -r -F -a 'stderr fd: unix:' -d 'Write a JSON object for each event to SINK: stderr, a file, fd:N or unix:PATH; may be given several times'
complete -c panicmon -n __panicmon_in_options -l hook -x -a '(__fish_complete_command)' -d 'Run COMMAND for each event of --hook-on, which it gets as JSON on stdin; may be given several times'
complete -c panicmon -n __panicmon_in_options -l hook-on -x -a '(__panicmon_list starting started failed exited stopped continued ready status restart.scheduled restart.given_up previous_run.lost signal.received signal.passed signal.dropped signal.delayed signal.failed orphan.reaped drain.started drain.killed drain.signaled drain.ended)' -d 'The events that hooks are run for [default: failed,exited]'
complete -c panicmon -n __panicmon_in_options -l hook-timeout -x -d 'Kill a hook that still runs after this time [default: 10s]'
complete -c panicmon -n __panicmon_in_options -l report -x -a '(__fish_complete_directories (__panicmon_value))' -d 'Write to DIR how and why the command died'
complete -c panicmon -n __panicmon_in_options -l report-keep -x -d 'Keep the N newest certificates of --report [default: 20]'
complete -c panicmon -n __panicmon_in_options -l termination-log -r -F -d 'Write to FILE why the command failed: /dev/termination-log in Kubernetes'
complete -c panicmon -n __panicmon_in_options -l metrics -r -F -d 'Count starts, ends, signals and more in FILE.prom, for node_exporter\'s textfile collector'
complete -c panicmon -n __panicmon_in_options -l stderr-tail -x -d 'Keep the last words on stderr for reports: 64K'
complete -c panicmon -n __panicmon_in_options -l stdout-tail -x -d 'Keep the last words on stdout for reports: 64K'
complete -c panicmon -n __panicmon_in_options -l redact -x -d 'Take what fits this regular expression out of last words, messages and frames; may be given several times'
complete -c panicmon -n __panicmon_in_options -l report-args -d 'Tell the arguments of commands in reports, too; they may hold secrets'
complete -c panicmon -n __panicmon_in_options -l name -x -d 'Call the command by this name in reports'
complete -c panicmon -n __panicmon_in_options -s c -l config -r -F -d 'Run the processes of this file'
complete -c panicmon -n __panicmon_in_options -l check -d 'Check the file of --config and run nothing'
complete -c panicmon -n __panicmon_in_options -l as -x -a '(__panicmon_one tini dumb-init catatonit)' -d 'Read the words behind -- as this program does: tini, dumb-init, catatonit'
complete -c panicmon -n __panicmon_in_options -l doctor -d 'Print which of panicmon\'s promises hold here, and run nothing'
complete -c panicmon -n __panicmon_in_options -s v -l verbose -d 'Log to stderr: processes; -vv: signals, too'
complete -c panicmon -n __panicmon_in_options -s q -l quiet -d 'Log nothing, not even warnings'
complete -c panicmon -n __panicmon_in_options -l completions -x -a '(__panicmon_one bash zsh fish)' -d 'Print the completions of a shell: bash, zsh, fish'
complete -c panicmon -n __panicmon_in_options -l man -d 'Print the man page: panicmon --man | man -l -'
complete -c panicmon -n __panicmon_in_options -s h -l help -d 'Print all options; -h prints the most used'
complete -c panicmon -n __panicmon_in_options -s V -l version -d 'Print the version'
