complete -c panicmon -s C -l dir -d 'Start the command in this directory [env: PANICMON_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c panicmon -s e -l env -d 'Set a variable for the command; may be given several times [env: PANICMON_ENV]' -r -f
complete -c panicmon -l unset-env -d 'Remove variables from the command\'s environment: TOKEN,DEBUG [env: PANICMON_UNSET_ENV]' -r -f
complete -c panicmon -s u -l user -d 'Run the command as this user, by name or number. It gets the groups that /etc/group lists for the user, or GROUP alone [env: PANICMON_USER]' -r -f -a "(__fish_complete_users)"
complete -c panicmon -s s -l signals -d 'Listen to and forward only these signals: TERM,HUP,RTMIN+3. The others keep the disposition they had. At a terminal, TSTP, TTIN, TTOU and CONT are needed in any case [env: PANICMON_SIGNALS]' -r -f
complete -c panicmon -s r -l rewrite -d 'Forward TO instead of FROM: TERM=QUIT; HUP=drop forwards nothing. uncaught=drop forwards no signal that would kill the command because it has no handler, except TERM, INT, QUIT, HUP and the stop signals [env: PANICMON_REWRITE]' -r -f
complete -c panicmon -l delay -d 'Forward SIG only after this time: TERM=10s. If it comes a second time, both are forwarded at once [env: PANICMON_DELAY]' -r -f
complete -c panicmon -l parent-death-signal -d 'Get and forward this signal when panicmon\'s parent dies [env: PANICMON_PARENT_DEATH_SIGNAL]' -r -f
complete -c panicmon -s k -l kill-after -d 'Kill the command and its process group if it still runs this long after the first stop signal: 10s, 1m30s [env: PANICMON_KILL_AFTER]' -r -f
complete -c panicmon -l stop-signals -d 'The signals that are a stop [default: TERM,INT]. A stop starts the time of --kill-after, ends the restarts, and stops the processes of a file. A hang-up of the terminal is one in any case [env: PANICMON_STOP_SIGNALS]' -r -f
complete -c panicmon -l drain -d 'After the command\'s end, end what it left behind: TERM, and KILL after this time. That is every descendant. 0 ends nothing, not even what --restart would end [env: PANICMON_DRAIN]' -r -f
complete -c panicmon -l exit -d 'Exit with TO instead of FROM: 143=0,oom=99. FROM is a status, a signal that ended the command, oom, timeout (killed by --kill-after), or requested (a stop or a QUIT came through panicmon, and the command ended by it or with 0) [env: PANICMON_EXIT]' -r -f
complete -c panicmon -l success -d 'Count these exit codes and signals as a success, for restarts and reports: 3,TERM. panicmon\'s own exit status is still the command\'s [env: PANICMON_SUCCESS]' -r -f
complete -c panicmon -l restart -d 'Start the command again when it ends: never, on-failure, always. A stop ends the restarts [env: PANICMON_RESTART]' -r -f
complete -c panicmon -l min-wait -d 'The least time between an end and the next start [default: 1s]. It doubles after each quick failure [env: PANICMON_MIN_WAIT]' -r -f
complete -c panicmon -l max-wait -d 'The most time between an end and the next start [default: 64s] [env: PANICMON_MAX_WAIT]' -r -f
complete -c panicmon -l no-restart-on -d 'Don\'t restart after these exit codes and signals: 0,3,TERM. -1 is any signal, and a command that can\'t be started [env: PANICMON_NO_RESTART_ON]' -r -f
complete -c panicmon -l max-restarts -d 'Restart the command at most N times [env: PANICMON_MAX_RESTARTS]' -r -f
complete -c panicmon -l label -d 'Relay the command\'s output line by line, with NAME in front [env: PANICMON_LABEL]' -r -f
complete -c panicmon -l timestamps -d 'Relay the command\'s output line by line, with the time in front: rfc3339, %H:%M:%S. Others are iso8601, unix, unix-ms, layouts as in Go (15:04:05.000), and all formats of strftime(3) [env: PANICMON_TIMESTAMPS]' -r -f
complete -c panicmon -l events -d 'Write a JSON object for each event to SINK: stderr, a file, fd:N or unix:PATH; may be given several times. A file is appended to. A socket gets one datagram for each event. What a slow reader has no room for is dropped, and counted [env: PANICMON_EVENTS]' -r -F
complete -c panicmon -l hook -d 'Run COMMAND for each event of --hook-on, which it gets as JSON on stdin; may be given several times. Its words are split as a shell\'s, but no shell runs it: sh -c \'A | B\' does. It has the command\'s user and directory [env: PANICMON_HOOK]' -r -f -a "(__fish_complete_command)"
complete -c panicmon -l hook-on -d 'The events that hooks are run for [default: failed,exited]. Each is an event as --events calls it, or the last word of one of a process: started is process.started [env: PANICMON_HOOK_ON]' -r -f
complete -c panicmon -l hook-timeout -d 'Kill a hook that still runs after this time [default: 10s]. panicmon\'s own end waits no longer than that for the last hooks; a second stop ends the waiting [env: PANICMON_HOOK_TIMEOUT]' -r -f
complete -c panicmon -l report -d 'Write a certificate to DIR for each abnormal end, for machines (.json) and for people (.txt). While the command runs, a locked file in DIR says so. One that is found without its lock is of a run that vanished without a record, which is told [env: PANICMON_REPORT]' -r -f -a "(__fish_complete_directories)"
complete -c panicmon -l report-keep -d 'Keep the N newest certificates of --report [default: 20]. Of each process of a file as many [env: PANICMON_REPORT_KEEP]' -r -f
complete -c panicmon -l termination-log -d 'Write to FILE why the command failed: /dev/termination-log in Kubernetes. At most 4096 bytes: a sentence, the panic, and the last lines of stderr (these two take --stderr-tail). It is emptied at the start [env: PANICMON_TERMINATION_LOG]' -r -F
complete -c panicmon -l metrics -d 'Count starts, ends, signals and more in FILE.prom, for node_exporter\'s textfile collector. It is replaced at most once a second, and at the end [env: PANICMON_METRICS]' -r -F
complete -c panicmon -l stderr-tail -d 'Keep the last words on stderr for reports: 64K. As much again is kept from the first line that looks like a death. stderr becomes a pipe for that, unless it is a file; a terminal only with SIZE,force [env: PANICMON_STDERR_TAIL]' -r -f
complete -c panicmon -l stdout-tail -d 'Keep the last words on stdout for reports: 64K. As much again is kept from the first line that looks like a death. stdout becomes a pipe for that, unless it is a file; a terminal only with SIZE,force [env: PANICMON_STDOUT_TAIL]' -r -f
complete -c panicmon -l redact -d 'Take what fits this regular expression out of last words, messages and frames; may be given several times [env: PANICMON_REDACT]' -r -f
complete -c panicmon -l name -d 'Call the command by this name in reports. Without it, it has the NAME of --label, or the base name of its file [env: PANICMON_NAME]' -r -f
complete -c panicmon -s c -l config -d 'Run the processes of this pmux file; - is stdin [env: PANICMON_CONFIG]' -r -F
complete -c panicmon -l completions -d 'Print the completions of a shell: bash, zsh, fish' -r -f
complete -c panicmon -l clear-env -d 'Give the command only the variables of --env and --user [env: PANICMON_CLEAR_ENV]'
complete -c panicmon -s g -l group -d 'Send signals to the command\'s whole process group [env: PANICMON_GROUP]'
complete -c panicmon -l session -d 'Start the command in a session of its own. It gets the controlling terminal if panicmon leads a session [env: PANICMON_SESSION]'
complete -c panicmon -l report-args -d 'Tell the arguments of commands in reports, too; they may hold secrets [env: PANICMON_REPORT_ARGS]'
complete -c panicmon -l check -d 'Check the file of --config and run nothing. Directories and commands that don\'t exist are warned of [env: PANICMON_CHECK]'
complete -c panicmon -l doctor -d 'Print which of panicmon\'s promises hold here, and run nothing [env: PANICMON_DOCTOR]'
complete -c panicmon -s v -l verbose -d 'Log to stderr: -v processes, -vv signals too, -vvv everything [env: PANICMON_VERBOSE]'
complete -c panicmon -s q -l quiet -d 'Log nothing, not even warnings. An error that keeps the command from running is still printed [env: PANICMON_QUIET]'
complete -c panicmon -l man -d 'Print the man page: panicmon --man | man -l -'
complete -c panicmon -s h -l help -d 'Print all options; -h prints the most used'
complete -c panicmon -s V -l version -d 'Print the version'
