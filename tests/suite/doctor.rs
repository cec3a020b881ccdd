//! `--doctor`: what is so here.

use crate::support::{output, panicmon};
use std::process::Command;

fn report(command: &mut Command) -> (Option<i32>, String) {
    let (code, out, err) = output(command);
    assert_eq!(err, "");
    (code, out)
}

#[test]
fn it_tells_what_is_so_here_and_runs_nothing() {
    let (code, out) = report(Command::new(panicmon()).args(["--doctor", "--", "echo", "was run"]));
    assert_eq!(code, Some(0), "{out}");
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    for told in [
        format!("panicmon {} in ", env!("CARGO_PKG_VERSION")),
        format!("ok  Linux {release}"),
        "not 1\n".to_owned(),
        "ok  it can be a child subreaper\n".to_owned(),
        "ok  the kernel has a parent-death signal\n".to_owned(),
        "ok  pidfd_open(2) works\n".to_owned(),
        "cgroup".to_owned(),
        format!("user {}, ", nix::unistd::geteuid()),
        "core pattern".to_owned(),
        "Every promise holds here.\n".to_owned(),
    ] {
        assert!(out.contains(&told), "{told} in {out}");
    }
    assert!(!out.contains("was run"));
    // Each line says what it means.
    let lines: Vec<_> = out.lines().skip(1).collect();
    let (findings, last) = lines.split_at(lines.len() - 1);
    assert_eq!(last, ["Every promise holds here."]);
    for pair in findings.chunks(2) {
        assert!(
            ["ok  ", "--  "].iter().any(|mark| pair[0].starts_with(mark)) && pair[1].starts_with("      "),
            "{pair:?}"
        );
    }
}

#[test]
fn in_an_image_its_variable_is_enough() {
    let (code, out) = report(Command::new(panicmon()).args(["echo", "was run"]).env("PANICMON_DOCTOR", "1"));
    assert_eq!(code, Some(0));
    assert!(out.ends_with("Every promise holds here.\n"), "{out}");
}

#[test]
fn what_the_surroundings_say_is_told() {
    let mut command = Command::new("sh");
    let script = "trap '' HUP; export LISTEN_PID=$$ SYSTEMD_EXEC_PID=$$ WATCHDOG_PID=1 NOTIFY_SOCKET=/no/socket INVOCATION_ID=1; exec \"$0\" --doctor";
    let (code, out) = report(command.args(["-c", script, &panicmon()]).env_remove("KUBERNETES_SERVICE_HOST"));
    for told in [
        "signals ignored from the start: SIGHUP",
        "NO  NOTIFY_SOCKET=/no/socket\n",
        "nothing can be passed on to it: ",
        "this process\n",
        "WATCHDOG_PID=1, another",
    ] {
        assert!(out.contains(told), "{told} in {out}");
    }
    assert_eq!(out.matches(", this process\n").count(), 2, "{out}");
    assert_eq!(code, Some(1), "what doesn't hold is told by the status, too");
}

#[test]
#[ignore = "needs root: a PID namespace, and capabilities to lose"]
fn pid_1_and_lost_capabilities_are_told() {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc", &panicmon(), "--doctor"]);
    assert!(report(&mut command).1.contains("ok  it is PID 1\n"));
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-kill", "--inh-caps=-kill", &panicmon(), "--doctor"]);
    let (_, out) = report(&mut command);
    assert!(out.contains("of the capabilities KILL, SETUID and SETGID: SETUID SETGID\n"), "{out}");
    assert!(out.contains("can't be signalled, and outlives panicmon"), "{out}");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=1234", "--regid=1234", "--clear-groups", "unshare", "-U", "-r", &panicmon(), "--doctor"]);
    let (_, out) = report(&mut command);
    assert!(out.contains("--user doesn't work: setgroups(2) is denied in this user namespace\n"), "{out}");
}

/// A socket that somebody listens to.
#[test]
fn a_service_manager_that_listens_is_one() {
    let path = std::env::temp_dir().join(format!("panicmon-test-{}-doctor.sock", std::process::id()));
    let _socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let (code, out) = report(Command::new(panicmon()).arg("--doctor").env("NOTIFY_SOCKET", &path));
    std::fs::remove_file(&path).unwrap();
    assert!(out.contains(&format!("ok  NOTIFY_SOCKET={}\n", path.display())), "{out}");
    assert_eq!(code, Some(0));
}

#[test]
fn a_report_that_cannot_be_written_is_no_success() {
    let closed = output(Command::new("sh").args(["-c", "exec \"$0\" --doctor >&-", &panicmon()]));
    assert_eq!(closed.0, Some(125), "{}", closed.2);
}
