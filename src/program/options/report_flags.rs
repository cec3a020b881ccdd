//! The options under "Reports", as `flags` lists them.

use super::completes::{Completes, Words};
use super::flag::{Flag, OPTION, Often, Scope, set};
use super::values;

pub(super) const EVENTS: Flag = Flag {
    long: "events",
    variable: "PANICMON_EVENTS",
    value: Some("SINK"),
    often: Often::Lines,
    completes: Completes::Sink,
    heading: "Reports",
    help: "Write a JSON object for each event to SINK: stderr, a file, fd:N or unix:PATH; may be given several times",
    more: "A file is appended to. A socket gets one datagram for each event. What a slow reader has no room for is dropped, and counted",
    apply: |settings, given| {
        settings.events.push(values::sink(given.value())?);
        Ok(())
    },
    ..OPTION
};

pub(super) const REPORT: Flag = Flag {
    long: "report",
    variable: "PANICMON_REPORT",
    value: Some("DIR"),
    completes: Completes::Directory,
    heading: "Reports",
    brief: "Write to DIR how and why the command died",
    help: "Write a certificate to DIR for each abnormal end, for machines (.json) and for people (.txt)",
    more: "While the command runs, a locked file in DIR says so. One that is found without its lock is of a run that vanished without a record, which is told",
    apply: |settings, given| {
        settings.report = Some(values::directory(given.value())?);
        Ok(())
    },
    ..OPTION
};

pub(super) const REPORT_KEEP: Flag = Flag {
    long: "report-keep",
    variable: "PANICMON_REPORT_KEEP",
    value: Some("N"),
    heading: "Reports",
    help: "Keep the N newest certificates of --report [default: 20]",
    more: "Of each process of a file as many",
    apply: |settings, given| {
        let word = given.text()?;
        let number = word.parse().ok().filter(|number| *number > 0);
        settings.report_keep = Some(number.ok_or_else(|| format!("'{word}' is not a number from 1 on"))?);
        Ok(())
    },
    ..OPTION
};

pub(super) const TERMINATION_LOG: Flag = Flag {
    long: "termination-log",
    variable: "PANICMON_TERMINATION_LOG",
    value: Some("FILE"),
    completes: Completes::File,
    heading: "Reports",
    help: "Write to FILE why the command failed: /dev/termination-log in Kubernetes",
    more: "At most 4096 bytes: a sentence, the panic, and the last lines of stderr (these two take --stderr-tail). It is emptied at the start",
    apply: |settings, given| {
        settings.termination_log = Some(values::file(given.value())?);
        Ok(())
    },
    ..OPTION
};

pub(super) const METRICS: Flag = Flag {
    long: "metrics",
    variable: "PANICMON_METRICS",
    value: Some("FILE.prom"),
    completes: Completes::File,
    heading: "Reports",
    help: "Count starts, ends, signals and more in FILE.prom, for node_exporter's textfile collector",
    more: "It is replaced at most once a second, and at the end",
    apply: |settings, given| {
        settings.metrics = Some(values::file(given.value())?);
        Ok(())
    },
    ..OPTION
};

pub(super) const STDERR_TAIL: Flag = Flag {
    long: "stderr-tail",
    variable: "PANICMON_STDERR_TAIL",
    value: Some("SIZE"),
    heading: "Reports",
    help: "Keep the last words on stderr for reports: 64K",
    more: "As much again is kept from the first line that looks like a death. stderr becomes a pipe for that, unless it is a file; a terminal only with SIZE,force",
    apply: |settings, given| {
        settings.stderr_tail = Some(values::tail(given.text()?)?);
        Ok(())
    },
    ..OPTION
};

pub(super) const STDOUT_TAIL: Flag = Flag {
    long: "stdout-tail",
    variable: "PANICMON_STDOUT_TAIL",
    value: Some("SIZE"),
    heading: "Reports",
    help: "Keep the last words on stdout for reports: 64K",
    more: "As much again is kept from the first line that looks like a death. stdout becomes a pipe for that, unless it is a file; a terminal only with SIZE,force",
    apply: |settings, given| {
        settings.stdout_tail = Some(values::tail(given.text()?)?);
        Ok(())
    },
    ..OPTION
};

pub(super) const NAME: Flag = Flag {
    long: "name",
    variable: "PANICMON_NAME",
    value: Some("NAME"),
    scope: Scope::Command,
    in_file: "its key is 'name'",
    heading: "Reports",
    help: "Call the command by this name in reports",
    more: "Without it, it has the NAME of --label, or the base name of its file",
    apply: |settings, given| {
        let name = values::name(given.text()?)?;
        if name.is_empty() {
            return Err("'' is no name: is a variable unset?".to_owned());
        }
        settings.name = Some(name);
        Ok(())
    },
    ..OPTION
};

pub(super) const HOOK: Flag = Flag {
    long: "hook",
    variable: "PANICMON_HOOK",
    value: Some("COMMAND"),
    often: Often::Lines,
    completes: Completes::Command,
    heading: "Reports",
    help: "Run COMMAND for each event of --hook-on, which it gets as JSON on stdin; may be given several times",
    more: "Its words are split as a shell's, but no shell runs it: sh -c 'A | B' does. It has the command's user and directory",
    apply: |settings, given| {
        settings.hooks.push(values::hook(given.value())?);
        Ok(())
    },
    ..OPTION
};

pub(super) const HOOK_ON: Flag = Flag {
    long: "hook-on",
    variable: "PANICMON_HOOK_ON",
    value: Some("LIST"),
    often: Often::List,
    heading: "Reports",
    completes: Completes::List(Words::Events),
    help: "The events that hooks are run for [default: failed,exited]",
    more: "Each is an event as --events calls it, or the last word of one of a process: started is process.started",
    apply: |settings, given| {
        settings.hook_on.extend(values::hook_events(given.text()?)?);
        Ok(())
    },
    ..OPTION
};

pub(super) const HOOK_TIMEOUT: Flag = Flag {
    long: "hook-timeout",
    variable: "PANICMON_HOOK_TIMEOUT",
    value: Some("DURATION"),
    heading: "Reports",
    help: "Kill a hook that still runs after this time [default: 10s]",
    more: "panicmon's own end waits no longer than that for the last hooks; a second stop ends the waiting",
    apply: |settings, given| set(&mut settings.hook_timeout, values::hook_timeout(given.text()?)),
    ..OPTION
};

pub(super) const REDACT: Flag = Flag {
    long: "redact",
    variable: "PANICMON_REDACT",
    value: Some("PATTERN"),
    often: Often::Lines,
    heading: "Reports",
    help: "Take what fits this regular expression out of last words, messages and frames; may be given several times",
    apply: |settings, given| {
        settings.redact.push(values::pattern(given.text()?)?);
        Ok(())
    },
    ..OPTION
};

pub(super) const REPORT_ARGS: Flag = Flag {
    long: "report-args",
    variable: "PANICMON_REPORT_ARGS",
    heading: "Reports",
    help: "Tell the arguments of commands in reports, too; they may hold secrets",
    apply: |settings, given| {
        settings.report_args = given.is_on();
        Ok(())
    },
    ..OPTION
};
