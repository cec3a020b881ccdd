//! `--doctor`: what is so here.

use crate::support::{PROBE, Scratch, bytes_of, output, panicmon, status_field};
use std::os::unix::process::ExitStatusExt;
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
        "ok  clone(2) in shared memory works\n".to_owned(),
        "ok  it can be a child subreaper\n".to_owned(),
        "ok  the kernel has a parent-death signal\n".to_owned(),
        "ok  pidfd_open(2) works\n".to_owned(),
        "ok  close_range(2) works\n".to_owned(),
        "ok  signalfd(2) works: each signal came, and queued ones with their values\n".to_owned(),
        "cgroup".to_owned(),
        format!("user {}, ", nix::unistd::geteuid()),
        "core pattern".to_owned(),
        "Every promise holds here.\nThere is nothing to do.\n".to_owned(),
    ] {
        assert!(out.contains(&told), "{told} in {out}");
    }
    assert!(!out.contains("was run"));
    // Each line says what it means.
    let lines: Vec<_> = out.lines().skip(1).collect();
    let (findings, last) = lines.split_at(lines.len() - 2);
    assert_eq!(last, ["Every promise holds here.", "There is nothing to do."]);
    for pair in findings.chunks(2) {
        assert!(
            ["ok  ", "--  "].iter().any(|mark| pair[0].starts_with(mark)) && pair[1].starts_with("      "),
            "{pair:?}"
        );
    }
}

/// `--doctor` under a filter, by the helper.
fn filtered(preparation: &str) -> (Option<i32>, String) {
    report(Command::new(PROBE).args(["prepare", preparation, "--", &panicmon(), "--doctor"]))
}

/// A kernel, its version and its files may promise what a filter refuses: what is told was tried.
#[test]
fn a_call_that_is_refused_is_told() {
    let refused = ": Operation not permitted (os error 1)\n";
    for (call, told) in [
        (libc::SYS_clone, &["NO  clone(2) doesn't work: ", "NO  clone(2): "][..]),
        (
            libc::SYS_prctl,
            &[
                "NO  clone(2) doesn't work: can't start the command: prctl(PR_SET_PDEATHSIG)",
                "NO  it can't be a child subreaper",
                "NO  there is no parent-death signal",
            ],
        ),
        (libc::SYS_signalfd4, &["NO  signalfd(2)"]),
        (libc::SYS_rt_sigqueueinfo, &["NO  rt_sigqueueinfo(2)"]),
        (libc::SYS_pidfd_open, &["NO  pidfd_open(2)"]),
        (libc::SYS_pidfd_send_signal, &["NO  pidfd_send_signal(2)"]),
        (libc::SYS_setpgid, &["NO  clone(2) doesn't work: can't start the command: setpgid"]),
    ] {
        let (code, out) = filtered(&format!("refuse={call}"));
        assert_eq!(code, Some(1), "{call}: {out}");
        for told in told {
            let line = out.lines().find(|line| line.starts_with(told));
            assert!(line.is_some_and(|line| format!("{line}\n").ends_with(refused)), "{told} in {out}");
        }
        let (_, to_do) = out.split_once("What is marked NO doesn't hold here.\nWhat to do:\n").unwrap();
        assert!(!to_do.is_empty() && to_do.lines().all(|line| line.starts_with("  - ")), "{out}");
        assert!(to_do.contains("in the filter of system calls (seccomp)"), "{out}");
    }
}

/// What is scarce is no filter's fault, and no emulator's.
#[test]
fn what_is_scarce_is_told() {
    for (limit, told) in [
        ("--nofile=5", "What to do:\n  - let panicmon open more files (ulimit -n)\n"),
        ("--sigpending=0", "What to do:\n  - let more signals be queued (ulimit -i)\n"),
    ] {
        let (code, out) = report(Command::new("prlimit").args([limit, &panicmon(), "--doctor"]));
        assert!(code == Some(1) && out.ends_with(told), "{limit}: {out}");
    }
}

#[test]
fn how_inherited_descriptors_are_closed_is_told() {
    let refuse = |call| format!("refuse={call}");
    let (close_range, listing) = (refuse(libc::SYS_close_range), refuse(libc::SYS_getdents64));
    let (code, out) = filtered(&close_range);
    let told = "  close_range(2): Operation not permitted (os error 1); /proc/self/fd";
    assert!(code == Some(0) && out.contains(&format!("ok{told} tells what is open\n")), "{out}");
    let (code, out) =
        report(Command::new(PROBE).args(["prepare", &close_range, &listing, "--", &panicmon(), "--doctor"]));
    assert!(code == Some(1) && out.contains(&format!("NO{told}: ")), "{out}");
}

/// As SystemCallFilter= of a unit does, if it has no SystemCallErrorNumber=.
#[test]
fn a_call_that_a_filter_ends_the_process_for_is_told_and_the_rest_is_looked_at() {
    for (call, told) in [
        (libc::SYS_signalfd4, "signalfd(2)"),
        (libc::SYS_rt_sigqueueinfo, "signalfd(2)"),
        (libc::SYS_pidfd_open, "pidfd_open(2) or pidfd_send_signal(2)"),
        (libc::SYS_pidfd_send_signal, "pidfd_open(2) or pidfd_send_signal(2)"),
        (libc::SYS_close_range, "close_range(2)"),
    ] {
        let (code, out) = filtered(&format!("end-at={call}"));
        let line = format!("NO  {told}: the process that makes the call is ended by SIGSYS\n");
        assert!(code == Some(1) && out.contains(&line), "{call}: {out}");
        assert!(out.contains(&format!("  - allow {told} in the filter of system calls")), "{out}");
        assert_eq!(out.matches("\nNO  ").count(), 1, "all others hold: {out}");
    }
}

/// As qemu-user does (packaging/test/cross has the real one).
#[test]
fn what_an_emulator_refuses_is_told_with_what_to_do() {
    let words = ["prepare", "refuse-shared-memory", "refuse-subreaper", "--", &panicmon(), "--doctor"];
    let (code, out) = report(Command::new(PROBE).args(words));
    assert!(out.contains("NO  it can't be a child subreaper: Invalid argument (os error 22)\n"), "{out}");
    assert!(code == Some(1) && out.contains("What to do:\n  - make panicmon PID 1 of a PID namespace"), "{out}");
}

/// `--doctor` in a mount namespace of its own, with this in place of /proc.
fn with_proc(mount: &str, privileges: &[&str]) -> (Option<i32>, String) {
    let script = format!("{mount}; exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh", "setpriv"]).args(privileges);
    report(command.args([&panicmon(), "--doctor"]))
}

#[test]
#[ignore = "needs root: other mounts of /proc, and other users"]
fn what_proc_shows_is_told() {
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let root = ["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"];
    let all = "ok  /proc is there, and hides no process\n";
    let hides = "/proc hides the processes of other users (hidepid)\n";
    for (mount, privileges, told, to_do) in [
        ("mount -t proc -o subset=pid proc /proc", &user[..], all, ""),
        ("mount -t proc -o hidepid=2 proc /proc", &[], all, ""),
        ("mount -t proc -o hidepid=2 proc /proc", &user, &format!("--  {hides}"), ""),
        // Root that may not trace, as in a container.
        ("mount -t proc -o hidepid=4 proc /proc", &root, &format!("NO  {hides}"), "mount /proc without hidepid"),
        ("umount -l /proc", &[], "NO  there is no /proc\n", "mount /proc: mount"),
    ] {
        let (code, out) = with_proc(mount, privileges);
        assert!(out.contains(told), "{mount}: {out}");
        let does_hold = if told.starts_with("NO") { Some(1) } else { Some(0) };
        assert!(code == does_hold && (to_do.is_empty() || out.contains(&format!("\n  - {to_do}"))), "{mount}: {out}");
    }
    // --drain, which needs to see processes, is told in one way.
    let (_, out) = with_proc("umount -l /proc", &[]);
    assert!(!out.contains("--drain reaches") && !out.contains("--drain finds what"), "{out}");
    assert_eq!(out.matches("--drain can't find what is left").count(), 1, "{out}");
    assert!(
        out.contains("      --drain could reach every descendant, and no other process, but it finds none"),
        "{out}"
    );
    // Of the PID namespace outside.
    let (code, out) =
        report(Command::new("unshare").args(["--pid", "--fork", "--kill-child", &panicmon(), "--doctor"]));
    assert!(code == Some(1) && out.contains("NO  /proc is that of another PID namespace\n"), "{out}");
    assert!(out.contains("\n  - mount the /proc of this PID namespace"), "{out}");
}

#[test]
fn the_time_of_a_stop_is_told_beside_that_of_others() {
    let others = [
        "What is set can't be seen from here; these are the defaults: docker stop and podman stop 10s (",
        ", supervisord 10s (stopwaitsecs of the program), ",
        "Kubernetes 30s (terminationGracePeriodSeconds of the pod), systemd 1m30s (TimeoutStopSec of the unit, ",
    ];
    let pod = |words: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(panicmon());
        command.arg("--doctor").args(words).env("KUBERNETES_SERVICE_HOST", "10.0.0.1").envs(variables.iter().copied());
        let (code, out) = report(&mut command);
        for other in others {
            assert!(out.contains(other), "{other} in {out}");
        }
        (code, out)
    };
    let (_, out) = pod(&[], &[]);
    assert!(out.contains("--  a stop takes as long as the command does: there is no --kill-after\n"), "{out}");
    let (code, out) = pod(&["--delay", "TERM=5s,HUP=1h", "-k30", "--drain=5s"], &[]);
    assert!(out.contains("--  a stop takes 40s at most: --delay SIGTERM=5s, --kill-after 30s, --drain 5s\n"), "{out}");
    let to_do = "Every promise holds here.\nWhat to do:\n  - have panicmon given more than 40s to stop: \
                 terminationGracePeriodSeconds: 41\n";
    assert!(code == Some(0) && out.ends_with(to_do), "{out}");
    // An image has variables; the command line wins.
    let variables = [("PANICMON_KILL_AFTER", "20s"), ("PANICMON_DRAIN", "9s")];
    let (_, out) = pod(&["--drain=1s"], &variables);
    assert!(out.contains("a stop takes 21s at most: PANICMON_KILL_AFTER 20s, --drain 1s\n"), "{out}");
    assert!(out.ends_with("There is nothing to do.\n"), "{out}");
    let file = Scratch::new("processes: [{ cmd: a, sigKillWait: 3s }, { cmd: b, sigKillWait: 50s }]\n");
    let (_, out) = pod(&["-c", file.0.to_str().unwrap()], &[]);
    assert!(out.contains("a stop takes 50s at most: sigKillWait 50s of b\n"), "{out}");
    assert!(out.contains("and none has the terminal\n"), "{out}");
    let (_, out) = pod(&["--kill-after=0", "--drain=90"], &[]);
    assert!(out.contains("a stop takes 1m30s at most: --kill-after 0s, --drain 1m30s\n"), "{out}");
    let (_, out) = pod(&["--session"], &[]);
    assert!(out.contains("--session asks for a session of its own\n"), "{out}");
}

#[test]
fn a_variable_that_a_run_would_refuse_is_told() {
    let mut command = Command::new(panicmon());
    let (code, out) = report(command.arg("--doctor").env("PANICMON_DRAIN", "soon").env("PANICMON_EXIT", "1"));
    assert!(code == Some(1) && out.contains("NO  PANICMON_DRAIN: 'soon' is no duration"), "{out}");
    assert!(out.contains("NO  PANICMON_EXIT: '1' has no '=' in it"), "{out}");
    assert_eq!(out.matches("\n  - mend or unset the variable\n").count(), 1, "{out}");
    let (code, out) = report(Command::new(panicmon()).arg("--doctor").env("PANICMON_DRIAN", "1s"));
    assert!(code == Some(0) && out.ends_with("  - PANICMON_DRIAN: did you mean PANICMON_DRAIN?\n"), "{out}");
}

/// Where a run would begin with an error, something doesn't hold.
#[test]
fn what_an_option_names_and_is_not_there_is_told() {
    let wrong = Scratch::new("processes: [{ cmd: true, ddir: / }]\n");
    let lacks = Scratch::new("processes: [{ name: web, cmd: no-such-command, dir: /no/such/folder }]\n");
    let effectless = Scratch::new("processes: [{ cmd: 'true' }]\nhookTimeout: 3s\n");
    let path = |file: &Scratch| file.0.to_str().unwrap().to_owned();
    let (wrong, lacks, effectless) = (path(&wrong), path(&lacks), path(&effectless));
    let mend = |file: &str| format!("mend {file}, or name another file: panicmon --check --config FILE");
    for (words, variable, told, to_do) in [
        (
            &["--config", "/no/such/file"][..],
            None,
            "--config: /no/such/file: there is no such file".to_owned(),
            mend("/no/such/file"),
        ),
        (
            &[],
            Some(("PANICMON_CONFIG", &*wrong)),
            format!("PANICMON_CONFIG: {wrong}:1:26: unknown key 'ddir'"),
            mend(&wrong),
        ),
        (
            &["-c", &effectless],
            None,
            format!("--config: {effectless}: 'hookTimeout': it has no effect"),
            mend(&effectless),
        ),
        (
            &["-c", &lacks],
            None,
            format!("{lacks}:1:53: web: the directory '/no/such/folder' is not there"),
            "have on this machine what".to_owned(),
        ),
        (
            &["-c", &lacks],
            None,
            format!("{lacks}:1:31: web: the command 'no-such-command' is in no folder of PATH"),
            "have on this machine what".to_owned(),
        ),
        (
            &["--user", "no-such", "true"],
            None,
            "--user: 'no-such' is neither in /etc/passwd nor".to_owned(),
            "name a user".to_owned(),
        ),
        (
            &["true"],
            Some(("PANICMON_USER", "0:no-such")),
            "PANICMON_USER: the group 'no-such' is neither".to_owned(),
            "name a user".to_owned(),
        ),
        (
            &["--dir", "/no/such/folder", "true"],
            None,
            "--dir: the directory '/no/such/folder' is not there".to_owned(),
            "make the directory".to_owned(),
        ),
    ] {
        let (code, out) =
            report(Command::new(panicmon()).arg("--doctor").args(words).envs(variable).env("PATH", "/usr/bin"));
        assert!(code == Some(1) && out.contains(&format!("\nNO  {told}")), "{words:?} {variable:?}: {out}");
        let (_, what) = out.split_once("What is marked NO doesn't hold here.\nWhat to do:\n").unwrap();
        assert!(what.contains(&format!("  - {to_do}")), "{words:?} {variable:?}: {out}");
    }
    // What isn't read can't be wrong.
    let (code, out) = report(Command::new(panicmon()).args(["--doctor", "--config", "-"]));
    assert!(code == Some(0) && out.contains("--  --config: the file is stdin\n      it isn't read here;"), "{out}");
}

/// A filter that ends the process that makes the call ends --doctor with it: what is printed before says so.
#[test]
fn a_filter_that_ends_it_at_the_first_process_is_told_before() {
    let words = ["prepare", &format!("end-at={}", libc::SYS_clone), "--", &panicmon(), "--doctor"];
    let end = bytes_of(Command::new(PROBE).args(words));
    assert_eq!(end.status.signal(), Some(libc::SIGSYS));
    let out = String::from_utf8(end.stdout).unwrap();
    let last: Vec<_> = out.lines().rev().take(2).collect();
    assert!(last[1].starts_with("--  there is a filter of system calls (seccomp); what it does to clone(2)"), "{out}");
    assert!(last[0].starts_with("      if this is the last line, it ends a process that calls clone(2)"), "{out}");
    let (_, out) = report(Command::new(panicmon()).arg("--doctor"));
    assert!(!out.contains("if this is the last line") || has_filter(), "{out}");
}

fn has_filter() -> bool {
    status_field(std::process::id(), "Seccomp").as_deref() != Some("0")
}

#[test]
fn without_shared_memory_every_promise_holds() {
    let (code, out) = filtered("refuse-shared-memory");
    assert!(
        out.contains("ok  clone(2) in shared memory: Invalid argument (an emulator?); it works without\n"),
        "{out}"
    );
    assert_eq!(code, Some(0), "{out}");
}

#[test]
#[ignore = "needs root: the capabilities that --user takes"]
fn a_change_of_user_that_is_refused_is_told_whatever_the_capabilities_are() {
    for call in [libc::SYS_setgroups, libc::SYS_setresuid] {
        let (_, out) = filtered(&format!("refuse={call}"));
        assert!(out.contains("      --user doesn't work: Operation not permitted (os error 1)\n"), "{out}");
    }
}

#[test]
fn in_an_image_its_variable_is_enough() {
    let (code, out) = report(Command::new(panicmon()).args(["echo", "was run"]).env("PANICMON_DOCTOR", "1"));
    assert_eq!(code, Some(0));
    assert!(out.ends_with("Every promise holds here.\nThere is nothing to do.\n"), "{out}");
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
    let (_, out) = report(command.env("SYSTEMD_EXEC_PID", "1"));
    assert!(out.contains("ok  it is PID 1\n"), "{out}");
    assert!(out.contains("ok  SYSTEMD_EXEC_PID=1, and it is PID 1: PrivatePIDs=yes\n"), "{out}");
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
