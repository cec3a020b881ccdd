//! The table of the options: all there is to say of each, and what it does to the settings.

use super::completes::{Completes, Words};
use super::flag::{Flag, Given, OPTION, Often, Scope, set};
use super::report_flags;
use super::values;
use crate::formats::duration;
use crate::model::process_config::ParseRestartError;
use crate::program::logger::Verbosity;

/// Every option. To add one: an entry here, a field in [`Settings`](super::settings::Settings), its use, and a line in the
/// README's table, with the same words: a test compares.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "dir",
        short: Some('C'),
        variable: "PANICMON_DIR",
        value: Some("DIR"),
        scope: Scope::Command,
        completes: Completes::Directory,
        in_file: "its key is 'dir'",
        heading: "Command",
        help: "Start the command in this directory",
        apply: |settings, given| set(&mut settings.dir, values::directory(given.value())),
        ..OPTION
    },
    Flag {
        long: "env",
        short: Some('e'),
        variable: "PANICMON_ENV",
        value: Some("K=V"),
        often: Often::Lines,
        scope: Scope::Command,
        in_file: "its key is 'env'",
        heading: "Command",
        completes: Completes::Assignment,
        help: "Set a variable for the command; may be given several times",
        apply: |settings, given| {
            settings.env.push(values::assignment(given.value())?);
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "unset-env",
        variable: "PANICMON_UNSET_ENV",
        value: Some("LIST"),
        often: Often::List,
        scope: Scope::Command,
        heading: "Command",
        completes: Completes::Variables,
        help: "Remove variables from the command's environment: TOKEN,DEBUG",
        apply: |settings, given| {
            settings.unset_env.extend(values::variable_names(given.value())?);
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "clear-env",
        variable: "PANICMON_CLEAR_ENV",
        scope: Scope::Command,
        heading: "Command",
        help: "Give the command only the variables of --env and --user",
        apply: |settings, given| {
            settings.clear_env = given.is_on();
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "user",
        short: Some('u'),
        variable: "PANICMON_USER",
        value: Some("USER[:GROUP]"),
        scope: Scope::Command,
        completes: Completes::User,
        heading: "Command",
        brief: "Run the command as this user",
        help: "Run the command as this user, by name or number",
        more: "It gets the groups that /etc/group lists for the user, or GROUP alone",
        apply: |settings, given| set(&mut settings.user, values::user(given.text()?)),
        ..OPTION
    },
    Flag {
        long: "signals",
        short: Some('s'),
        variable: "PANICMON_SIGNALS",
        value: Some("LIST"),
        heading: "Signals",
        completes: Completes::List(Words::Heard(&[])),
        help: "Listen to and forward only these signals: TERM,HUP,RTMIN+3",
        more: "The others keep the disposition they had. At a terminal, TSTP, TTIN, TTOU and CONT are needed in any case",
        apply: |settings, given| set(&mut settings.signals, values::signal_list(given.text()?)),
        ..OPTION
    },
    Flag {
        long: "rewrite",
        short: Some('r'),
        variable: "PANICMON_REWRITE",
        value: Some("FROM=TO"),
        often: Often::List,
        scope: Scope::Command,
        heading: "Signals",
        brief: "Forward TO instead of FROM: TERM=QUIT, HUP=drop",
        completes: Completes::Pairs(Words::Heard(&["uncaught"]), Words::Sent(&["drop"])),
        help: "Forward TO instead of FROM: TERM=QUIT; HUP=drop forwards nothing",
        more: "uncaught=drop forwards no signal that would kill the command because it has no handler, except TERM, INT, QUIT, HUP and the stop signals",
        apply: |settings, given| {
            let rewrites = values::rewrites(given.text()?)?;
            settings.drop_uncaught |= rewrites.drop_uncaught;
            values::add(&mut settings.rewrites, rewrites.pairs)
        },
        ..OPTION
    },
    Flag {
        long: "delay",
        variable: "PANICMON_DELAY",
        value: Some("SIG=DURATION"),
        often: Often::List,
        scope: Scope::Command,
        heading: "Signals",
        completes: Completes::Pairs(Words::Heard(&[]), Words::These(&[])),
        help: "Forward SIG only after this time: TERM=10s",
        more: "If it comes a second time, both are forwarded at once",
        apply: |settings, given| values::add(&mut settings.delays, values::delays(given.text()?)?),
        ..OPTION
    },
    Flag {
        long: "group",
        short: Some('g'),
        variable: "PANICMON_GROUP",
        scope: Scope::Command,
        heading: "Signals",
        brief: "Send signals to the command's whole process group",
        help: "Send signals to the command's whole process group",
        apply: |settings, given| {
            settings.group = given.is_on();
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "session",
        variable: "PANICMON_SESSION",
        scope: Scope::Command,
        heading: "Signals",
        help: "Start the command in a session of its own",
        more: "It gets the controlling terminal if panicmon leads a session",
        apply: |settings, given| {
            settings.session = given.is_on();
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "parent-death-signal",
        variable: "PANICMON_PARENT_DEATH_SIGNAL",
        value: Some("SIGNAL"),
        heading: "Signals",
        completes: Completes::One(Words::Heard(&["KILL"])),
        help: "Get and forward this signal when panicmon's parent dies",
        apply: |settings, given| set(&mut settings.parent_death_signal, values::parent_death_signal(given.text()?)),
        ..OPTION
    },
    Flag {
        long: "kill-after",
        short: Some('k'),
        variable: "PANICMON_KILL_AFTER",
        value: Some("DURATION"),
        scope: Scope::Command,
        in_file: "its key is 'sigKillWait'",
        heading: "Ending",
        brief: "Kill the command this long after a stop: 10s",
        help: "Kill the command and its process group if it still runs this long after the first stop signal: 10s, 1m30s",
        apply: |settings, given| set(&mut settings.kill_after, duration::parse(given.text()?)),
        ..OPTION
    },
    Flag {
        long: "stop-signals",
        variable: "PANICMON_STOP_SIGNALS",
        value: Some("LIST"),
        heading: "Ending",
        completes: Completes::List(Words::Heard(&[])),
        help: "The signals that are a stop [default: TERM,INT]",
        more: "A stop starts the time of --kill-after, ends the restarts, and stops the processes of a file. A hang-up of the terminal is one in any case",
        apply: |settings, given| set(&mut settings.stop_signals, values::stop_signals(given.text()?)),
        ..OPTION
    },
    Flag {
        long: "drain",
        variable: "PANICMON_DRAIN",
        value: Some("DURATION"),
        scope: Scope::Command,
        in_file: "its key is 'drain: true'",
        heading: "Ending",
        brief: "End what the command leaves behind: TERM, then KILL",
        help: "After the command's end, end what it left behind: TERM, and KILL after this time",
        more: "That is every descendant. 0 ends nothing, not even what --restart would end",
        apply: |settings, given| set(&mut settings.drain, duration::parse(given.text()?)),
        ..OPTION
    },
    Flag {
        long: "exit",
        variable: "PANICMON_EXIT",
        value: Some("FROM=TO"),
        often: Often::List,
        scope: Scope::Command,
        heading: "Ending",
        brief: "Exit with TO instead of FROM: 143=0,oom=99",
        completes: Completes::Pairs(Words::Sent(&["oom", "timeout", "requested"]), Words::These(&[])),
        help: "Exit with TO instead of FROM: 143=0,oom=99",
        more: "FROM is a status, a signal that ended the command, oom, timeout (killed by --kill-after), or requested (a stop or a QUIT came through panicmon, and the command ended by it or with 0)",
        apply: |settings, given| values::add(&mut settings.exit, values::exit_rules(given.text()?)?),
        ..OPTION
    },
    Flag {
        long: "success",
        variable: "PANICMON_SUCCESS",
        value: Some("LIST"),
        scope: Scope::Command,
        in_file: "its key is 'success'",
        heading: "Ending",
        completes: Completes::List(Words::Sent(&[])),
        help: "Count these exit codes and signals as a success, for restarts and reports: 3,TERM",
        more: "panicmon's own exit status is still the command's",
        apply: |settings, given| {
            settings.success = values::successes(given.text()?)?;
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "restart",
        variable: "PANICMON_RESTART",
        value: Some("WHEN"),
        scope: Scope::Command,
        in_file: "which are started again after every end, but for those that 'noRestartOn' lists",
        heading: "Restarts",
        brief: "Start it again: never, on-failure, always",
        completes: Completes::One(Words::These(&["never", "on-failure", "always"])),
        help: "Start the command again when it ends: never, on-failure, always",
        more: "A stop ends the restarts",
        apply: |settings, given| {
            set(&mut settings.restart, given.text()?.parse().map_err(|error: ParseRestartError| error.to_string()))
        },
        ..OPTION
    },
    Flag {
        long: "min-wait",
        variable: "PANICMON_MIN_WAIT",
        value: Some("DURATION"),
        scope: Scope::Restarts,
        in_file: "its key is 'minWait'",
        heading: "Restarts",
        help: "The least time between an end and the next start [default: 1s]",
        more: "It doubles after each quick failure",
        apply: |settings, given| set(&mut settings.min_wait, duration::parse(given.text()?)),
        ..OPTION
    },
    Flag {
        long: "max-wait",
        variable: "PANICMON_MAX_WAIT",
        value: Some("DURATION"),
        scope: Scope::Restarts,
        in_file: "its key is 'maxWait'",
        heading: "Restarts",
        help: "The most time between an end and the next start [default: 64s]",
        apply: |settings, given| set(&mut settings.max_wait, duration::parse(given.text()?)),
        ..OPTION
    },
    Flag {
        long: "no-restart-on",
        variable: "PANICMON_NO_RESTART_ON",
        value: Some("LIST"),
        hyphen: true,
        scope: Scope::Restarts,
        in_file: "its key is 'noRestartOn'",
        heading: "Restarts",
        completes: Completes::List(Words::Sent(&["-1"])),
        help: "Don't restart after these exit codes and signals: 0,3,TERM",
        more: "-1 is any signal, and a command that can't be started",
        apply: |settings, given| {
            settings.no_restart_on = values::no_restart_list(given.text()?)?;
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "max-restarts",
        variable: "PANICMON_MAX_RESTARTS",
        value: Some("N"),
        scope: Scope::Restarts,
        heading: "Restarts",
        help: "Restart the command at most N times",
        apply: |settings, given| {
            let word = given.text()?;
            let number = word.parse().map_err(|_| format!("'{word}' is not a number from 0 to {}", u32::MAX))?;
            settings.max_restarts = Some(number);
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "label",
        variable: "PANICMON_LABEL",
        value: Some("NAME"),
        scope: Scope::Command,
        in_file: "its key is 'name'",
        heading: "Output",
        help: "Relay the command's output line by line, with NAME in front",
        apply: |settings, given| set(&mut settings.label, values::name(given.text()?)),
        ..OPTION
    },
    Flag {
        long: "timestamps",
        variable: "PANICMON_TIMESTAMPS",
        value: Some("FORMAT"),
        scope: Scope::Command,
        in_file: "its key is 'timeFormat'",
        heading: "Output",
        completes: Completes::One(Words::These(&["rfc3339", "iso8601", "unix", "unix-ms"])),
        help: "Relay the command's output line by line, with the time in front: rfc3339, %H:%M:%S",
        more: "Others are iso8601, unix, unix-ms, layouts as in Go (15:04:05.000), and all formats of strftime(3)",
        apply: |settings, given| set(&mut settings.timestamps, values::time_format(given.text()?)),
        ..OPTION
    },
    report_flags::EVENTS,
    report_flags::HOOK,
    report_flags::HOOK_ON,
    report_flags::HOOK_TIMEOUT,
    report_flags::REPORT,
    report_flags::REPORT_KEEP,
    report_flags::TERMINATION_LOG,
    report_flags::METRICS,
    report_flags::STDERR_TAIL,
    report_flags::STDOUT_TAIL,
    report_flags::REDACT,
    report_flags::REPORT_ARGS,
    report_flags::NAME,
    Flag {
        long: "config",
        short: Some('c'),
        variable: "PANICMON_CONFIG",
        value: Some("FILE"),
        scope: Scope::File,
        completes: Completes::File,
        heading: "Several processes",
        brief: "Run the processes of this file",
        help: "Run the processes of this pmux file; - is stdin",
        apply: |settings, given| set(&mut settings.config, values::file(given.value())),
        ..OPTION
    },
    Flag {
        long: "check",
        variable: "PANICMON_CHECK",
        scope: Scope::File,
        heading: "Several processes",
        help: "Check the file of --config and run nothing",
        more: "Directories and commands that don't exist are warned of",
        apply: |settings, given| {
            settings.check = given.is_on();
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "as",
        variable: "PANICMON_AS",
        value: Some("PROGRAM"),
        scope: Scope::Command,
        completes: Completes::One(Words::These(&["tini", "dumb-init", "catatonit"])),
        help: "Read the words behind -- as this program does: tini, dumb-init, catatonit",
        more: "Called by such a name, panicmon does it without this option. Its own options and variables win",
        apply: |settings, given| set(&mut settings.called, Ok(given.value().to_owned())),
        ..OPTION
    },
    Flag {
        long: "doctor",
        variable: "PANICMON_DOCTOR",
        help: "Print which of panicmon's promises hold here, and run nothing",
        more: "With the options of a run, it tells how long a stop takes at most, and what to do",
        apply: |settings, given| {
            settings.doctor = given.is_on();
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        variable: "PANICMON_VERBOSE",
        often: Often::Counted,
        brief: "Log to stderr: processes; -vv: signals, too",
        help: "Log to stderr: -v processes, -vv signals too, -vvv everything",
        apply: |settings, given| {
            if let Given::Switch(count) = given {
                settings.verbosity = Verbosity::from_count(*count);
            }
            Ok(())
        },
        ..OPTION
    },
    Flag {
        long: "quiet",
        short: Some('q'),
        variable: "PANICMON_QUIET",
        help: "Log nothing, not even warnings",
        more: "An error that keeps the command from running is still printed",
        apply: |settings, given| {
            if given.is_on() {
                settings.verbosity = Verbosity::Quiet;
            }
            Ok(())
        },
        ..OPTION
    },
];
