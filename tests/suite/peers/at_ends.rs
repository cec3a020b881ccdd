//! Orphans, and what is left at the end of the command.

use super::{Names, clean, real};
use crate::support::{PROBE, Running, output, status_field, wait_for};
use std::process::{Command, Stdio};

fn both(name: &str) -> Vec<(&'static str, Command)> {
    let ours = ("panicmon", clean(&Names::kept().join(name)));
    [Some(ours), real(name).map(|real| ("the real one", real))].into_iter().flatten().collect()
}

/// `tini -w`: a word for each, with its pid. The command is none.
#[test]
fn tini_tells_of_each_orphan() {
    for (who, mut command) in both("tini") {
        command.args(["-sw", "--", PROBE, "live", "1=orphans:3", "15=exit:4"]).stderr(Stdio::piped());
        let mut running = Running::start(command);
        assert!(running.line().unwrap().starts_with("ready"));
        let mut lines = crate::support::lines_of(running.child.stderr.take().unwrap());
        running.kill(libc::SIGHUP);
        let own = running.pid();
        for _ in 0..3 {
            let line = lines.next().unwrap();
            let pid = line.strip_prefix(&format!("[WARN  tini ({own})] Reaped zombie process with pid="));
            assert!(pid.is_some_and(|pid| pid.parse::<u32>().is_ok()), "{who}: {line}");
        }
        running.kill(libc::SIGTERM);
        assert_eq!(running.code(), 4, "{who}");
        assert_eq!(lines.next(), None, "{who}");
    }
}

#[test]
fn without_w_nothing_is_told() {
    for name in ["tini", "dumb-init", "catatonit"] {
        for (who, mut command) in both(name) {
            let options: &[&str] = if name == "tini" { &["-s", "--"] } else { &["--"] };
            command.args(options).args([PROBE, "burst", "5", "4"]);
            assert_eq!(output(&mut command), (Some(4), String::new(), String::new()), "{who} {name}");
        }
    }
}

/// dumb-init sends TERM to what is left of the command's group, and waits for nobody.
#[test]
fn dumb_init_ends_the_rest_of_the_group() {
    let script = "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; \
                  until s=$(cut -d' ' -f2,6 /proc/$!/stat); [ \"${s#* }\" = $! ] && [ \"${s% *}\" = '(sleep)' ]; do :; done; exit 6";
    for (options, group_ends) in [
        (&[] as &[&str], true),
        (&["-c"], false),
        (&["-r", "15:0"], false),
        (&["-r", "15:12"], true),
        (&["-r", "1:2"], true),
    ] {
        for (who, mut command) in both("dumb-init") {
            command.args(options).args(["--", "sh", "-c", script]).stderr(Stdio::null());
            let mut running = Running::start(command);
            let mut pid = || running.line().unwrap().parse::<u32>().unwrap();
            let (in_group, away) = (pid(), pid());
            assert_eq!(running.code(), 6, "{who} {options:?}");
            let has_ended = |pid| status_field(pid, "State").is_none_or(|state| state.starts_with('Z'));
            if group_ends {
                wait_for("the rest of the group to end", || has_ended(in_group).then_some(()));
            }
            assert_eq!((has_ended(in_group), has_ended(away)), (group_ends, false), "{who} {options:?}");
            for pid in [in_group, away] {
                let _ = crate::sys::kill(pid, libc::SIGKILL);
            }
        }
    }
}
