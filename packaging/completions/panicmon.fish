complete -c panicmon -s C -l dir -d 'Start the command in this directory [env: PANICMON_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c panicmon -s e -l env -d 'Set a variable for the command; may be given several times [env: PANICMON_ENV]' -r -f
complete -c panicmon -l unset-env -d 'Take these variables away from the command, e.g. TOKEN,DEBUG [env: PANICMON_UNSET_ENV]' -r -f
complete -c panicmon -s u -l user -d 'Run the command as this user, by name or id, with the groups that /etc/group has for it, or with this one only [env: PANICMON_USER]' -r -f -a "(__fish_complete_users)"
complete -c panicmon -s s -l signals -d 'Listen to and forward only these signals, e.g. TERM,HUP,RTMIN+3; the others keep the disposition they had (at a terminal, TSTP, TTIN, TTOU and CONT are needed in any case) [env: PANICMON_SIGNALS]' -r -f
complete -c panicmon -s r -l rewrite -d 'Forward TO instead of FROM, e.g. TERM=QUIT,HUP=drop: drop forwards nothing, and uncaught=drop nothing that would kill the command for lack of a handler (TERM, INT, QUIT, HUP and stop signals apart) [env: PANICMON_REWRITE]' -r -f
complete -c panicmon -l delay -d 'Forward SIG only after this time, e.g. TERM=10s; a second one goes at once [env: PANICMON_DELAY]' -r -f
complete -c panicmon -l parent-death-signal -d 'Get this signal when the parent of panicmon dies, and forward it as any other [env: PANICMON_PARENT_DEATH_SIGNAL]' -r -f
complete -c panicmon -s k -l kill-after -d 'Kill the command and its process group if it is still there this long after the first stop signal, e.g. 10s, 1m30s [env: PANICMON_KILL_AFTER]' -r -f
complete -c panicmon -l stop-signals -d 'Which signals are a stop [default: TERM,INT], e.g. TERM,WINCH: they start --kill-after, end --restart and stop the processes of a file; a hang-up of the terminal does in any case [env: PANICMON_STOP_SIGNALS]' -r -f
complete -c panicmon -l drain -d 'After the command\'s end send TERM to all that is left of its descendants, wait at most this long for their end, then KILL them; 0: end nothing, not even what --restart would end [env: PANICMON_DRAIN]' -r -f
complete -c panicmon -l exit -d 'Exit with TO instead of FROM, e.g. 143=0,oom=99: FROM is a status, a signal that ended the command, oom, timeout (killed by --kill-after), or requested (a stop or a QUIT came through panicmon, and the command ended by it or with 0) [env: PANICMON_EXIT]' -r -f
complete -c panicmon -l restart -d 'Start the command again when it ends: never, on-failure or always. A stop signal ends that, too [env: PANICMON_RESTART]' -r -f
complete -c panicmon -l min-wait -d 'The least time between an end and the next start [default: 1s]; doubled after each quick failure [env: PANICMON_MIN_WAIT]' -r -f
complete -c panicmon -l max-wait -d 'The most time between an end and the next start [default: 64s] [env: PANICMON_MAX_WAIT]' -r -f
complete -c panicmon -l no-restart-on -d 'Don\'t start it again after these: exit codes, signals, or -1 for any signal and for not started, e.g. 0,3,TERM [env: PANICMON_NO_RESTART_ON]' -r -f
complete -c panicmon -l max-restarts -d 'Start it again at most N times [env: PANICMON_MAX_RESTARTS]' -r -f
complete -c panicmon -l label -d 'Relay the command\'s output line by line, each with NAME in front [env: PANICMON_LABEL]' -r -f
complete -c panicmon -l timestamps -d 'Relay the command\'s output line by line, each with the time in front: rfc3339, iso8601, unix, unix-ms, or a layout of Go\'s (15:04:05.000) or of strftime (%H:%M:%S) [env: PANICMON_TIMESTAMPS]' -r -f
complete -c panicmon -s c -l config -d 'Run the processes of this pmux file instead of a command; - is stdin [env: PANICMON_CONFIG]' -r -F
complete -c panicmon -l clear-env -d 'Give the command no variables but those of --env (and of --user) [env: PANICMON_CLEAR_ENV]'
complete -c panicmon -s g -l group -d 'Signal the command\'s whole process group [env: PANICMON_GROUP]'
complete -c panicmon -l session -d 'Start the command in a session of its own, with the controlling terminal if panicmon is a session leader [env: PANICMON_SESSION]'
complete -c panicmon -l check -d 'Check the file of --config, warn of directories and commands that don\'t exist, and run nothing [env: PANICMON_CHECK]'
complete -c panicmon -l doctor -d 'Show what panicmon finds here and which of its promises hold, and run nothing [env: PANICMON_DOCTOR]'
complete -c panicmon -s v -l verbose -d 'Log what happens to stderr: -v processes, -vv signals too, -vvv everything [env: PANICMON_VERBOSE]'
complete -c panicmon -s q -l quiet -d 'Log nothing, not even warnings; errors that keep the command from running are still printed [env: PANICMON_QUIET]'
complete -c panicmon -s h -l help -d 'Print help'
complete -c panicmon -s V -l version -d 'Print version'
