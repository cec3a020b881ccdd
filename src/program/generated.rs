//! The files of `packaging/` that are made from the table of the options: the man page, and the completions of shells.
//!
//! `PANICMON_UPDATE=1 cargo test --lib generated` writes them.

use super::completions::script;
use super::options::help::{ABOUT, EXAMPLES, USAGE};
use super::options::text_flags::{Shell, all_flags};
use super::options::words::command;
use std::path::Path;

/// The sections of the man page that aren't made from the table.
const SECTIONS: &str = r#".SH "WHAT IS FORWARDED"
Every signal that can be caught is forwarded to the command once, whenever it comes. A signal from another process goes to the
command alone (with \fB\-\-group\fR to its process group), one from the terminal to the command's process group. SIGCHLD isn't
forwarded: it is how panicmon learns of its own children. Real\-time signals keep their values, their sender and their order.
.PP
Some signals are a stop as well: TERM and INT, or those of \fB\-\-stop\-signals\fR instead, and a hang\-up of the controlling
terminal. A stop starts the time of \fB\-\-kill\-after\fR and ends \fB\-\-restart\fR; a second one kills the processes that
\fB\-\-drain\fR waits for, and those of a file. A HUP sent by kill(2) and a QUIT are no stop; but if the command ends by a QUIT, or
with 0 after one, \fB\-\-restart\fR ends, too. \fB\-\-rewrite\fR doesn't change what is a stop, but a signal that it drops is none.
The same signal from the same process within 100 ms counts once.
.PP
An image that is stopped by another signal has it in \fBPANICMON_STOP_SIGNALS\fR: TERM,WINCH for httpd, TERM,USR1 for haproxy,
TERM,RTMIN+3 for systemd.
.PP
.SH "WHAT IS LEFT BEHIND"
With \fB\-\-restart\fR, and in a file, the processes that a run leaves in its own process group and session are ended before the
next run: by TERM, and by KILL after ten seconds (in a file: sigKillWait). Processes in other groups and sessions live on.
\fB\-\-drain\fR ends every descendant, with and without restarts. \fB\-\-drain 0\fR ends none, and silences the warnings about
them.
.SH "THE FILE"
The file of \fB\-\-config\fR is YAML. At the top are \fBprocesses\fR and \fBtimeFormat\fR (as for \fB\-\-timestamps\fR). Only
\fBcmd\fR must be given for a process:
.PP
.nf
processes:
  \- name: web
    cmd: myserver
    args: [\-\-port, 8080]
    env: { TZ: UTC }
    dir: /srv/web
    minWait: 1s        # the least time from an end to the next start
    maxWait: 64s       # the most, at least minWait
    stopSignal: INT    # what its process group is sent at a stop
    sigKillWait: 10s   # from that to KILL
    drain: false       # true: end every descendant after each run
    noRestartOn: [0]   # exit codes, signals, \-1 for any signal
                       # and for not started
    signals: [USR1]    # which signals are passed on to it
.fi
.PP
A process is started again after every end but those of \fBnoRestartOn\fR. A signal that is no stop goes to each process that
catches, ignores or blocks it; a process with the key \fBsignals\fR gets those it lists, and no others. To run a process as another
user, write cmd: panicmon, and args: [\-\-user, www, \-\-, myserver].
.SH "OTHER NAMES"
Called by the name of one of these programs, or with \fB\-\-as\fR, panicmon reads its words and variables as that program does, and
has its exit statuses: \fBtini\fR, \fBtini\-static\fR and \fBdocker\-init\fR; \fBdumb\-init\fR; \fBcatatonit\fR and
\fBpodman\-init\fR. The variables \fBPANICMON_...\fR work as well, and win.
.SH "EXIT STATUS"
.TP
.B 0\-255
The command's own.
.TP
.B 128+N
Signal N ended the command. As a job of an interactive shell, and as systemd's own process, panicmon dies of that signal itself.
.TP
.B 125
panicmon itself failed, or was called wrongly. If the reader of the output that panicmon relays goes away, panicmon stops the
command (unless SIGPIPE was ignored from the start), and exits with 125 if the command then ends with 0.
.TP
.B 126
The command was found, but can't be executed.
.TP
.B 127
The command wasn't found.
.TP
.B 0, 1
With \fB\-\-config\fR: 0 after a stop, 1 after a second one. With \fB\-\-doctor\fR: 0 if every promise holds and what is
named is there, 1 if not.
.SH ENVIRONMENT
The variable of an option is \fBPANICMON_\fR and its name in capitals. The command line wins; an empty variable counts as unset. A
switch takes \fBtrue\fR or \fBfalse\fR, \fByes\fR or \fBno\fR, \fBon\fR or \fBoff\fR, \fB1\fR or \fB0\fR, in any
case; \fBPANICMON_VERBOSE\fR also a number. \fBPANICMON_ENV\fR has an assignment on each line. With \fB\-\-config\fR a variable that is
for one command is refused as the option is. \fB\-\-check\fR reads no variable but \fBPANICMON_CONFIG\fR, and what prints a text reads none.
\fB\-\-doctor\fR reads all, and tells what is wrong with them.
.PP
Variables that panicmon has applied are not in the environment of the command, so that another panicmon below doesn't apply them,
too. All others stay: those of no option, those without effect in this run (\fBPANICMON_CONFIG\fR beside a COMMAND), and a variable whose
option is given on the command line.
.TP
.B PANICMON_LOG
Filters the log, as env_logger's RUST_LOG does. It isn't an option, and stays in the environment of the command.
.TP
.B TZ, TZDIR
The zone of the times of \fB\-\-timestamps\fR: a name in the zoneinfo directories, the path of a regular file, or a POSIX rule; without
TZ, /etc/localtime. If the zone isn't found, times are in UTC, with a warning.
.TP
.B NOTIFY_SOCKET
If it is set, the command gets a socket of panicmon's instead, and panicmon passes on what it sends there, with descriptors, but
without MAINPID: sd_notify(3).
.TP
.B LISTEN_PID, WATCHDOG_PID, SYSTEMD_EXEC_PID
Where they hold panicmon's process id, the command finds its own there.
.SH FILES
.TP
.I /etc/passwd, /etc/group
Users and groups of \fB\-\-user\fR.
"#;

const SEE_ALSO: &str = r#".SH "SEE ALSO"
.BR init (1),
.BR prctl (2),
.BR signal (7),
.BR systemd.service (5),
.BR tini (1)
"#;

/// What clap knows of the options, and their texts.
fn described() -> clap::Command {
    command().about(ABOUT.trim_end_matches('.')).override_usage(USAGE.join("\n       ")).mut_args(
        |arg| match all_flags().find(|flag| arg.get_id() == flag.long) {
            Some(flag) => arg.help(flag.described()),
            None => arg.help("The command to run and its arguments"),
        },
    )
}

fn man_page() -> Vec<u8> {
    let man = clap_mangen::Man::new(described());
    let title = concat!(".TH PANICMON 1 \"\" \"panicmon ", env!("CARGO_PKG_VERSION"), "\" \"User Commands\"\n");
    let mut page = title.as_bytes().to_vec();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    man.render_options_section(&mut page).unwrap();
    page.extend_from_slice(SECTIONS.as_bytes());
    page.extend_from_slice(b".SH EXAMPLES\n");
    for (line, what) in EXAMPLES {
        page.extend_from_slice(format!(".TP\n.B {}\n{what}\n", line.replace('-', "\\-")).as_bytes());
    }
    page.extend_from_slice(SEE_ALSO.as_bytes());
    page
}

#[test]
fn they_are_current() {
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    for (file, text) in [
        ("man/panicmon.1", man_page()),
        ("completions/panicmon.bash", script(Shell::Bash).into_bytes()),
        ("completions/_panicmon", script(Shell::Zsh).into_bytes()),
        ("completions/panicmon.fish", script(Shell::Fish).into_bytes()),
    ] {
        let path = packaging.join(file);
        if std::env::var_os("PANICMON_UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let there = std::fs::read(&path).unwrap_or_default();
        assert!(there == text, "packaging/{file} is not current: PANICMON_UPDATE=1 cargo test --lib generated");
    }
}
