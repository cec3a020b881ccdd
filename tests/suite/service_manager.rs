//! What a service manager has to say to its process, and the other way round: systemd's variables, and its socket.

use crate::support::{PROBE, Running, output, panicmon, wait_for, with_options};
use crate::sys;
use nix::cmsg_space;
use nix::sys::socket::sockopt::PassCred;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, UnixCredentials, recvmsg, setsockopt};
use std::io::{IoSliceMut, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;

/// A service manager that listens.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

/// What it was told, with what came along, and by whom.
struct Told {
    text: String,
    descriptors: Vec<OwnedFd>,
    pid: i32,
}

impl Manager {
    fn new(name: &str) -> Manager {
        let path = std::env::temp_dir().join(format!("panicmon-test-{}-{name}.sock", std::process::id()));
        let socket = UnixDatagram::bind(&path).unwrap();
        setsockopt(&socket, PassCred, &true).unwrap();
        socket.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
        Manager { socket, path }
    }

    fn next(&self) -> Told {
        let mut bytes = [0; 8192];
        let mut control = cmsg_space!([RawFd; 8], UnixCredentials);
        let mut buffers = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let received =
            recvmsg::<()>(self.socket.as_raw_fd(), &mut buffers, Some(&mut control), flags).expect("a message");
        let (mut descriptors, mut pid) = (Vec::new(), 0);
        for message in received.cmsgs().unwrap() {
            match message {
                ControlMessageOwned::ScmRights(fds) => descriptors.extend(fds.into_iter().map(sys::own)),
                ControlMessageOwned::ScmCredentials(who) => pid = who.pid(),
                _ => {}
            }
        }
        let length = received.bytes;
        Told { text: String::from_utf8_lossy(&bytes[..length]).into_owned(), descriptors, pid }
    }

    fn run(&self, options: &[&str], words: &[&str]) -> Running {
        let mut command = with_options(options, words);
        command.env("NOTIFY_SOCKET", &self.path);
        Running::start(command)
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn notifications_are_panicmons_own_and_the_main_process_stays() {
    let manager = Manager::new("text");
    let mut running = manager
        .run(&[], &["notify", "READY=1\nSTATUS=all is well", "MAINPID=1\nSTOPPING=1", "MAINPID=1", "WATCHDOG=1"]);
    for text in ["READY=1\nSTATUS=all is well", "STOPPING=1", "WATCHDOG=1"] {
        let told = manager.next();
        assert_eq!((told.text.as_str(), told.pid), (text, running.pid() as i32));
    }
    assert_eq!(running.code(), 0);
}

#[test]
fn descriptors_go_along() {
    let manager = Manager::new("descriptors");
    let mut running = manager.run(&[], &["notify-barrier"]);
    let mut stored = manager.next();
    assert_eq!(stored.text, "FDSTORE=1\nFDNAME=word");
    let mut text = String::new();
    let mut file = std::fs::File::from(stored.descriptors.pop().unwrap());
    let barrier = manager.next();
    assert_eq!((barrier.text.as_str(), barrier.descriptors.len()), ("BARRIER=1", 1));
    assert_eq!(running.line().as_deref(), Some("waiting"));
    // Nobody but the manager holds it open any more: panicmon has closed its own.
    drop(barrier);
    assert_eq!(running.line().as_deref(), Some("passed"));
    assert_eq!(running.code(), 0);
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "word");
}

#[test]
fn none_is_lost_though_the_manager_is_slow() {
    let manager = Manager::new("slow");
    let words: Vec<_> = (0..500).map(|number| format!("STATUS={number}")).collect();
    let words: Vec<_> = ["notify"].into_iter().chain(words.iter().map(String::as_str)).collect();
    let mut running = manager.run(&[], &words);
    // It waits for the manager.
    let child = wait_for("its child", || crate::support::children(running.pid()).first().copied());
    crate::support::wait_for_full_pipe(child);
    for word in &words[1..] {
        assert_eq!(manager.next().text, *word);
    }
    assert_eq!(running.code(), 0);
}

#[test]
fn a_manager_that_takes_nothing_holds_up_neither_signals_nor_the_end() {
    let manager = Manager::new("stuck");
    let words = vec!["STATUS=x"; 1000];
    let mut command = with_options(&[], &[&["notify"], &words[..]].concat());
    command.env("NOTIFY_SOCKET", &manager.path).stderr(std::process::Stdio::piped());
    let mut running = Running::start(command);
    let child = wait_for("its child", || crate::support::children(running.pid()).first().copied());
    crate::support::wait_for_full_pipe(child);
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 143);
    let mut told = String::new();
    running.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("notifications of the command are lost: its manager doesn't take them"), "{told}");
}

#[test]
fn descriptors_that_find_no_room_are_told_of_and_leave_none_open() {
    let manager = Manager::new("room");
    let mut command = Command::new(PROBE);
    command.args(["prepare", "nofile=12", "--", &panicmon(), "--", PROBE, "notify-with", "20", "STATUS=many"]);
    command.env("NOTIFY_SOCKET", &manager.path).stderr(std::process::Stdio::piped());
    let mut running = Running::start(command);
    assert_eq!(running.line().as_deref(), Some("sent: 0"));
    let told = manager.next();
    assert_eq!((told.text.as_str(), told.descriptors.len()), ("STATUS=many", 12 - 6), "as many as there was room for");
    let open = || std::fs::read_dir(format!("/proc/{}/fd", running.pid())).unwrap().count();
    wait_for("its own to be closed", || (open() == 6).then_some(()));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 143);
    let mut told = String::new();
    running.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("descriptors of a notification of the command are lost: too many are open"), "{told}");
}

#[test]
#[ignore = "needs root: another user"]
fn what_one_that_has_changed_its_user_says_last_is_heard() {
    let manager = Manager::new("last");
    for round in 0..50 {
        let mut command = Command::new(panicmon());
        let text = format!("STATUS={round}");
        let words = ["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups", PROBE, "notify", &text];
        assert_eq!(output(command.args(words).env("NOTIFY_SOCKET", &manager.path)).0, Some(0));
        assert_eq!(manager.next().text, text);
    }
}

#[test]
fn without_a_manager_or_with_one_that_is_not_wanted_there_is_no_socket() {
    let environment = |command: &mut Command| output(command).1;
    let manager = Manager::new("none");
    let with = |options: &[&str]| {
        let mut command = Command::new(panicmon());
        command.args(options).args(["--", "sh", "-c", "echo $NOTIFY_SOCKET"]).env("NOTIFY_SOCKET", &manager.path);
        environment(&mut command).trim().to_owned()
    };
    assert!(with(&[]).starts_with('@'), "{}", with(&[]));
    assert_eq!(with(&["--unset-env", "NOTIFY_SOCKET"]), "");
    assert_eq!(with(&["-e", "NOTIFY_SOCKET=/x"]), "/x");
    let mut command = Command::new(panicmon());
    assert_eq!(
        environment(command.args(["sh", "-c", "echo ${NOTIFY_SOCKET-none}"]).env_remove("NOTIFY_SOCKET")),
        "none\n"
    );
    for gone in ["/no/such/socket", "vsock:2:1234"] {
        let mut command = Command::new(panicmon());
        let (code, out, err) =
            output(command.args(["sh", "-c", "echo $NOTIFY_SOCKET; exit 3"]).env("NOTIFY_SOCKET", gone));
        assert_eq!((code, out.trim()), (Some(3), gone));
        assert_eq!(
            err.contains("can't pass notifications on to NOTIFY_SOCKET=/no/such/socket"),
            gone.starts_with('/'),
            "{err}"
        );
    }
}

#[test]
#[ignore = "needs root: another user"]
fn what_strangers_send_is_not_passed_on() {
    let manager = Manager::new("strangers");
    let mut command = Command::new(panicmon());
    command.args(["-q", "--", "sh", "-c", "echo $NOTIFY_SOCKET; exec \"$0\" until 10 3", PROBE]);
    let mut running = Running::start({
        command.env("NOTIFY_SOCKET", &manager.path);
        command
    });
    let socket = running.line().unwrap();
    let send = |user: &str, text: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", user, "--clear-groups", PROBE, "notify", text]);
        assert_eq!(output(command.env("NOTIFY_SOCKET", &socket)).0, Some(0));
    };
    send("1234", "STATUS=a stranger");
    send("0", "STATUS=root");
    assert_eq!(manager.next().text, "STATUS=root");
    running.kill(libc::SIGKILL);
}

#[test]
#[ignore = "needs root: another user"]
fn what_another_user_of_ours_sends_is_passed_on() {
    let manager = Manager::new("user");
    let mut running = manager.run(&["-u", "1234:5678"], &["notify", "READY=1"]);
    assert_eq!(manager.next().text, "READY=1");
    assert_eq!(running.code(), 0);
    // A descendant that has changed its user itself.
    let mut command = Command::new(panicmon());
    let words = ["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups", PROBE, "notify-and-pause", "READY=2"];
    command.args(words).env("NOTIFY_SOCKET", &manager.path);
    let running = Running::start(command);
    assert_eq!(manager.next().text, "READY=2");
    // With its own change of user it has lost the signal that would end it with panicmon.
    let child = crate::support::children(running.pid())[0];
    sys::kill(child, libc::SIGKILL).unwrap();
}

#[test]
fn the_pid_of_the_process_that_was_started_is_the_childs() {
    let variables = "echo $$ $LISTEN_PID $WATCHDOG_PID $SYSTEMD_EXEC_PID ${LISTEN_PIDFDID-none} $LISTEN_FDS";
    let start = |before: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{before} exec \"$0\" -- sh -c \"$1\""), &panicmon(), variables]);
        let out = output(&mut command).1;
        out.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let own = start("export LISTEN_FDS=1 LISTEN_PIDFDID=7 LISTEN_PID=$$ WATCHDOG_PID=$$ SYSTEMD_EXEC_PID=$$;");
    assert!(own[1..4].iter().all(|pid| *pid == own[0]), "{own:?}");
    assert_eq!(own[4..], ["none", "1"]);
    let others = start("export LISTEN_FDS=1 LISTEN_PIDFDID=7 LISTEN_PID=1 WATCHDOG_PID=2 SYSTEMD_EXEC_PID=3;");
    assert_eq!(others[1..], ["1", "2", "3", "7", "1"]);
    // As each run has another pid, each has its own there.
    let mut command = Command::new("sh");
    let script = "export LISTEN_PID=$$; exec \"$0\" --restart always --max-restarts 2 --min-wait 1ms --max-wait 1ms -- \
        sh -c 'echo $$ $LISTEN_PID'";
    let runs = output(command.args(["-c", script, &panicmon()])).1;
    let runs: Vec<_> = runs.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert!(runs.len() == 3 && runs.iter().all(|(own, told)| own == told), "{runs:?}");
}

/// A socket that a service manager has opened.
#[test]
fn sockets_are_the_childs() {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let theirs = theirs.as_raw_fd();
    let script = format!("exec 3<&{theirs}; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" -- \"$1\" listen-fds");
    let mut command = Command::new("sh");
    nix::fcntl::fcntl(sys::borrow(theirs), nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    command.args(["-c", &script, &panicmon(), PROBE]);
    assert_eq!(Running::start(command).code(), 0);
    let mut bytes = [0; 16];
    let length = ours.recv(&mut bytes).unwrap();
    assert_eq!(&bytes[..length], b"hello");
}
