//! What a service manager has to say to its process, and the other way round: systemd's variables, and its socket.

use crate::events::Events;
use crate::support::{PROBE, Running, deadline, name, output, panicmon, rest_of, status_field, wait_for, with_options};
use crate::sys;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::sockopt::PassCred;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, UnixCredentials, recv, recvmsg, sendmsg, setsockopt,
};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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
        socket.set_read_timeout(Some(deadline())).unwrap();
        Manager { socket, path }
    }

    fn next(&self) -> Told {
        let mut bytes = [0; 8192];
        let mut control = cmsg_space!([RawFd; 8], UnixCredentials);
        let mut buffers = [IoSliceMut::new(&mut bytes)];
        // With a time limit, a call on a socket is interrupted whenever this process is stopped and continued: signal(7).
        while recv(self.socket.as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK) == Err(Errno::EINTR) {}
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
    let file = std::fs::File::from(stored.descriptors.pop().unwrap());
    let barrier = manager.next();
    assert_eq!((barrier.text.as_str(), barrier.descriptors.len()), ("BARRIER=1", 1));
    assert_eq!(running.line().as_deref(), Some("waiting"));
    // Nobody but the manager holds it open any more: panicmon has closed its own.
    drop(barrier);
    assert_eq!(running.line().as_deref(), Some("passed"));
    assert_eq!(running.code(), 0);
    assert_eq!(rest_of(file), "word");
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
    command.env("NOTIFY_SOCKET", &manager.path).stderr(Stdio::piped());
    let mut running = Running::start(command);
    let child = wait_for("its child", || crate::support::children(running.pid()).first().copied());
    crate::support::wait_for_full_pipe(child);
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 143);
    let told = rest_of(running.child.stderr.take().unwrap());
    assert!(told.contains("notifications of the command are lost: its manager doesn't take them"), "{told}");
}

#[test]
fn descriptors_that_find_no_room_are_told_of_and_leave_none_open() {
    let manager = Manager::new("room");
    let mut command = Command::new(PROBE);
    command.args(["prepare", "nofile=12", "--", &panicmon(), "--", PROBE, "notify-with", "20", "STATUS=many"]);
    command.env("NOTIFY_SOCKET", &manager.path).stderr(Stdio::piped());
    let mut running = Running::start(command);
    assert_eq!(running.line().as_deref(), Some("sent: 0"));
    let told = manager.next();
    assert_eq!((told.text.as_str(), told.descriptors.len()), ("STATUS=many", 12 - 5), "as many as there was room for");
    // stderr, /dev/null twice, the signals, the two sockets, the directory, and what says that one is passed on.
    let open = || std::fs::read_dir(format!("/proc/{}/fd", running.pid())).unwrap().count();
    wait_for("its own to be closed", || (open() == 8).then_some(()));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 143);
    let told = rest_of(running.child.stderr.take().unwrap());
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

/// Docker's filter of system calls refuses unshare(2).
#[test]
fn without_unshare_messages_go_on_and_their_descriptors_are_closed() {
    let manager = Manager::new("unshare");
    let mut command = Command::new(PROBE);
    let refused = format!("refuse={}", libc::SYS_unshare);
    command.args(["prepare", &refused, "--", &panicmon(), "--", "sh", "-c"]);
    let script = "\"$0\" notify-barrier; \"$0\" notify READY=1; exec sleep 1000";
    command.args([script, PROBE]).env("NOTIFY_SOCKET", &manager.path).stderr(Stdio::piped());
    let mut running = Running::start(command);
    assert_eq!([running.line(), running.line()].map(Option::unwrap), ["waiting", "passed"]);
    for text in ["FDSTORE=1\nFDNAME=word", "READY=1"] {
        let told = manager.next();
        assert_eq!((told.text.as_str(), told.descriptors.len(), told.pid), (text, 0, running.pid() as i32));
    }
    wait_for("no child but the command", || (crate::support::children(running.pid()).len() == 1).then_some(()));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 128 + libc::SIGTERM);
    let told = stderr(running);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("descriptors of the command's notifications aren't passed on: unshare(2): "), "{told}");
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
    assert!(with(&[]).ends_with("/notify"), "{}", with(&[]));
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

/// A command that says where its socket is, and ends with 3 when USR1 comes.
fn waiting(manager: &Manager, options: &[&str]) -> (Running, String) {
    let mut command = Command::new(panicmon());
    command.args(options).args(["--", "sh", "-c", "echo $NOTIFY_SOCKET; exec \"$0\" await 10 3", PROBE]);
    command.env("NOTIFY_SOCKET", &manager.path).stderr(Stdio::piped());
    let mut running = Running::start(command);
    let socket = running.line().unwrap();
    // Before, it would die of the signal that it waits for.
    assert_eq!(running.line().as_deref(), Some("ready"));
    (running, socket)
}

/// What is sent by a process that has ended before panicmon sees it, so that its own descriptors are closed.
fn send_unseen(running: &Running, socket: &str, senders: &mut [Command]) {
    running.kill(libc::SIGSTOP);
    wait_for("panicmon to be stopped", || status_field(running.pid(), "State")?.starts_with('T').then_some(()));
    for sender in senders {
        let (code, _, err) = output(sender.env("NOTIFY_SOCKET", socket));
        assert_eq!(code, Some(0), "{err}");
    }
    running.kill(libc::SIGCONT);
}

fn probe(words: &[&str]) -> Command {
    let mut command = Command::new(PROBE);
    command.args(words);
    command
}

fn as_user(user: &str, words: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups", PROBE]).args(words);
    command
}

fn stderr(mut running: Running) -> String {
    rest_of(running.child.stderr.take().unwrap())
}

/// A process that lives can be looked at: the command's user alone is no reason to hear it.
#[test]
fn of_the_commands_user_those_are_heard_that_descend_from_panicmon_or_have_ended() {
    let manager = Manager::new("kin");
    let (mut running, socket) = waiting(&manager, &[]);
    // This process is none of panicmon's.
    let stranger = UnixDatagram::unbound().unwrap();
    stranger.send_to(b"STATUS=a stranger", &socket).unwrap();
    let (_, theirs) = UnixDatagram::pair().unwrap();
    let theirs = [theirs.as_raw_fd()];
    let address = UnixAddr::new(socket.as_str()).unwrap();
    let (text, rights) = ([IoSlice::new(b"FDSTORE=1")], [ControlMessage::ScmRights(&theirs)]);
    sendmsg(stranger.as_raw_fd(), &text, &rights, MsgFlags::empty(), Some(&address)).unwrap();
    send_unseen(&running, &socket, &mut [probe(&["notify", "STATUS=ended"])]);
    assert_eq!(manager.next().text, "STATUS=ended");
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 3);
    let told = stderr(running);
    assert_eq!(told.matches("sends notifications: they aren't passed on").count(), 1, "{told}");
}

#[test]
#[ignore = "needs root: other users"]
fn what_strangers_send_is_not_passed_on() {
    let manager = Manager::new("strangers");
    let (mut running, socket) = waiting(&manager, &[]);
    send_unseen(
        &running,
        &socket,
        &mut [as_user("1234", &["notify", "STATUS=a stranger"]), probe(&["notify", "STATUS=root"])],
    );
    assert_eq!(manager.next().text, "STATUS=root");
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 3);
    // To another user's socket nobody else comes but root, who isn't heard.
    let (mut running, socket) = waiting(&manager, &["-u", "4321:4321"]);
    let refused = output(as_user("1234", &["notify", "STATUS=a stranger"]).env("NOTIFY_SOCKET", &socket));
    assert!(refused.2.contains("EACCES"), "{refused:?}");
    send_unseen(
        &running,
        &socket,
        &mut [probe(&["notify", "STATUS=root"]), as_user("4321", &["notify", "STATUS=its own user"])],
    );
    assert_eq!(manager.next().text, "STATUS=its own user");
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 3);
}

/// A directory, removed with all that is in it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("panicmon-test-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        // Anybody may come through.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Directory(std::fs::canonicalize(path).unwrap())
    }

    fn entries(&self) -> usize {
        std::fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_socket_is_a_path_where_a_directory_can_be_made_and_is_gone_at_the_end() {
    let manager = Manager::new("path");
    let (first, second) = (Directory::new("first"), Directory::new("second"));
    let long = second.0.join("x".repeat(90));
    std::fs::create_dir(&long).unwrap();
    let before = second.entries();
    let socket = |runtime: &str, words: &[&str]| {
        let mut command = Command::new(panicmon());
        command.args(words).env("NOTIFY_SOCKET", &manager.path).env("RUNTIME_DIRECTORY", runtime);
        let (code, out, err) = output(&mut command);
        (code, PathBuf::from(out.trim()), err)
    };
    let below = |path: &PathBuf| path.parent().unwrap().parent().unwrap().to_owned();
    let says = ["sh", "-c", "echo $NOTIFY_SOCKET; exit 3"];
    // What isn't there, isn't absolute, or makes the path too long for an address is passed over.
    let list = format!("relative:/no/such/directory:{}:{}", long.display(), first.0.display());
    let (code, out, err) = socket(&list, &says);
    assert_eq!((code, below(&out)), (Some(3), first.0.clone()), "{err}");
    assert_eq!((first.entries(), second.entries()), (0, before), "gone at the end");
    // Whichever umask panicmon has, its user can connect; others come in only where the command is root, which may become
    // another user.
    let is_root = nix::unistd::geteuid().is_root();
    let modes =
        "umask 777; exec \"$0\" -- sh -c 'stat -c %a ${NOTIFY_SOCKET%/*} $NOTIFY_SOCKET; \"$0\" notify READY=1' \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", modes, &panicmon(), PROBE]).env("NOTIFY_SOCKET", &manager.path);
    let (code, out, err) = output(command.env("RUNTIME_DIRECTORY", &first.0));
    assert_eq!((code, out.as_str()), (Some(0), if is_root { "711\n666\n" } else { "700\n600\n" }), "{err}");
    assert_eq!(manager.next().text, "READY=1");
    // However it ends: a command that can't be started, one that is killed.
    assert_eq!(socket(first.0.to_str().unwrap(), &["/no/such/command"]).0, Some(127));
    assert_eq!(socket(first.0.to_str().unwrap(), &["sh", "-c", "kill -KILL $$"]).0, Some(137));
    assert_eq!(first.entries(), 0);
    // Where the others in it could put something else in its place, there is none.
    std::fs::set_permissions(&first.0, std::fs::Permissions::from_mode(0o777)).unwrap();
    let list = format!("{}:{}", first.0.display(), second.0.display());
    let (_, out, err) = socket(&list, &says);
    assert_eq!(below(&out), second.0, "{err}");
}

#[test]
fn a_client_that_knows_paths_only_is_heard() {
    let manager = Manager::new("as-path");
    assert_eq!(manager.run(&[], &["notify-as-path", "READY=1"]).code(), 0);
    assert_eq!(manager.next().text, "READY=1");
}

#[test]
#[ignore = "needs root: another user"]
fn the_socket_is_the_other_users_alone() {
    let manager = Manager::new("others");
    let base = Directory::new("others-base");
    let script = "stat -c '%u:%g %a' ${NOTIFY_SOCKET%/*} $NOTIFY_SOCKET; exec \"$0\" notify-as-path READY=1";
    for (lost, expected) in [
        ("", "1234:5678 700\n1234:5678 600\n"),
        // It can't be given away: all are let in.
        ("-chown", "0:0 711\n0:0 666\n"),
        // It can't be written once it is given away.
        ("-dac_override", "1234:5678 700\n1234:5678 600\n"),
    ] {
        let mut command = Command::new("setpriv");
        if !lost.is_empty() {
            command.args([format!("--bounding-set={lost}"), format!("--inh-caps={lost}")]);
        }
        command.args([&panicmon(), "-u", "1234:5678", "--", "sh", "-c", script, PROBE]);
        command.env("NOTIFY_SOCKET", &manager.path).env("RUNTIME_DIRECTORY", &base.0);
        let (code, out, err) = output(&mut command);
        assert_eq!((code, out.as_str()), (Some(0), expected), "{err}");
        assert_eq!(manager.next().text, "READY=1");
        assert_eq!(base.entries(), 0, "{lost}");
    }
    // Neither where that user could replace it, nor where it has no way to it.
    std::os::unix::fs::chown(&base.0, Some(1234), None).unwrap();
    let closed = Directory::new("others-closed");
    std::fs::set_permissions(&closed.0, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = Command::new(panicmon());
    command.args(["-u", "1234:5678", "--", PROBE, "notify-as-path", "READY=1"]);
    let list = format!("{}:{}", base.0.display(), closed.0.display());
    command.env("NOTIFY_SOCKET", &manager.path).env("RUNTIME_DIRECTORY", list);
    assert_eq!(output(&mut command).0, Some(0));
    assert_eq!(manager.next().text, "READY=1");
}

#[test]
#[ignore = "needs root: a mount namespace, to have no directory for the socket"]
fn without_a_path_the_padded_name_is_the_sockets_too() {
    let manager = Manager::new("padded");
    let script = "for dir in /run /tmp \"$1\"; do mount --bind $dir $dir && mount -o remount,bind,ro $dir || exit 9; done
        exec \"$0\" -- sh -c '\"$0\" notify READY=1 && \"$0\" notify-padded STATUS=padded && echo $NOTIFY_SOCKET' \"$2\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, &panicmon()]).arg(std::env::temp_dir()).arg(PROBE);
    command.env("NOTIFY_SOCKET", &manager.path).env_remove("RUNTIME_DIRECTORY");
    let (code, out, err) = output(&mut command);
    assert_eq!((code, out.starts_with('@')), (Some(0), true), "{out} {err}");
    let mut told = [manager.next().text, manager.next().text];
    told.sort();
    assert_eq!(told, ["READY=1", "STATUS=padded"]);
}

/// Closing a descriptor that came in a message may block, but not panicmon.
#[test]
fn descriptors_that_are_slow_to_close_hold_nothing_up() {
    let manager = Manager::new("lingers");
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (mut running, socket) = waiting(&manager, &[]);
    let too_long = "x".repeat(5000);
    let lingering =
        ["MAINPID=1", "STATUS=1\nFDSTORE=1", &too_long].map(|text| probe(&["notify-lingering", &port, text]));
    let mut senders: Vec<_> = lingering.into_iter().chain([probe(&["notify", "READY=1"])]).collect();
    send_unseen(&running, &socket, &mut senders);
    let kept = manager.next();
    assert_eq!((kept.text.as_str(), kept.descriptors.len()), ("STATUS=1\nFDSTORE=1", 1));
    assert_eq!(manager.next().text, "READY=1");
    // Those who have closed them are gone.
    wait_for("no child but the command", || (crate::support::children(running.pid()).len() == 1).then_some(()));
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 3);
    // Closing this one here would wait, too.
    kept.descriptors.into_iter().for_each(|descriptor| sys::close_at_once(&descriptor));
}

/// What is left in the socket when panicmon gives up isn't closed by panicmon either.
#[test]
fn descriptors_that_are_never_taken_hold_up_no_end() {
    let manager = Manager::new("left");
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (mut running, socket) = waiting(&manager, &[]);
    // The manager has no room for them.
    // Each message by a socket of its own, or what is full may be the sender's buffer.
    let has_room = || {
        let sender = UnixDatagram::unbound().unwrap();
        sender.set_nonblocking(true).unwrap();
        sender.send_to(b"full", &manager.path).is_ok()
    };
    while has_room() {}
    send_unseen(
        &running,
        &socket,
        &mut [probe(&["notify-lingering", &port, "FDSTORE=1"]), probe(&["notify-lingering", &port, "MAINPID=1"])],
    );
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 3);
    let told = stderr(running);
    assert!(told.contains("at least 2 notifications of the command are lost: its manager doesn't take them"), "{told}");
}

/// A FUSE server that doesn't answer keeps even a process waiting that was sent SIGKILL.
#[test]
#[ignore = "needs root: a file system of its own"]
fn a_file_that_can_never_be_closed_holds_up_neither_messages_nor_the_end() {
    let manager = Manager::new("fuse");
    let (mut running, socket) = waiting(&manager, &[]);
    let mut server = probe(&["notify-deaf-fuse", "STATUS=never"]);
    server.env("NOTIFY_SOCKET", &socket);
    let mut opener = Running::start(server);
    let server = Killed(opener.line().unwrap().parse().unwrap());
    assert_eq!(opener.line().as_deref(), Some("sent: 0"));
    send_unseen(&running, &socket, &mut [probe(&["notify", "READY=1"])]);
    assert_eq!(manager.next().text, "READY=1");
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 3);
    // The one that waits for ever has let go of panicmon's stderr, or there would be no end of it.
    let told = rest_of(running.child.stderr.take().unwrap());
    assert!(
        told.contains("a process that closes descriptors of the command's notifications can't be killed"),
        "{told}"
    );
    // Then every close of it is over.
    drop(server);
}

/// A process that is killed in the end.
struct Killed(u32);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = sys::kill(self.0, libc::SIGKILL);
    }
}

/// systemd refuses a notify-reload service that would die of its reload, but sees panicmon's own signal mask.
#[test]
fn a_command_that_a_reload_would_end_is_told_of_when_it_is_ready() {
    let manager = Manager::new("reload");
    let tells = |words: &[&str]| {
        let mut command = Command::new(panicmon());
        command.args(["-v", "-g", "--"]).args(words).env("NOTIFY_SOCKET", &manager.path).stderr(Stdio::piped());
        let mut running = Running::start(command);
        assert_eq!(manager.next().text, "READY=1");
        running.kill(libc::SIGTERM);
        running.wait();
        stderr(running).contains("has no handler for SIGHUP")
    };
    assert!(tells(&[PROBE, "notify-and-pause", "READY=1"]));
    let after = |trap: &str| format!("{trap}; \"$0\" notify READY=1; \"$0\" until 15 0");
    assert!(!tells(&["sh", "-c", &after("trap : HUP"), PROBE]), "it has one");
    assert!(!tells(&["sh", "-c", &after("trap '' HUP"), PROBE]), "it ignores HUP");
}

/// With PrivatePIDs=yes panicmon is PID 1, which can't end by a signal.
#[test]
#[ignore = "needs root: a PID namespace"]
fn systemds_own_pid_1_ends_with_0_after_a_stop() {
    let start = |pid: &str, script: &str, options: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc", &panicmon()]).args(options);
        command.args(["--", "sh", "-c", script, PROBE]).env("SYSTEMD_EXEC_PID", pid);
        Running::start(command)
    };
    let stopped = |pid: &str, signal: i32, options: &[&str]| {
        let mut running = start(pid, "exec \"$0\" pause", options);
        let wrapper = wait_for("PID 1", || crate::support::children(running.pid()).first().copied());
        wait_for("its child", || crate::support::children(wrapper).into_iter().find(|pid| name(*pid) == "ready"));
        sys::kill(wrapper, signal).unwrap();
        running.code()
    };
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        assert_eq!(stopped("1", signal, &[]), 0);
        assert_eq!(stopped("7", signal, &[]), 128 + signal, "another's namespace: unshare is in the cgroup");
    }
    assert_eq!(stopped("1", libc::SIGUSR1, &[]), 128 + libc::SIGUSR1, "no stop");
    assert_eq!(stopped("1", libc::SIGTERM, &["--exit", "TERM=9"]), 9, "asked for");
    assert_eq!(start("1", "kill -TERM $$", &[]).code(), 143, "nobody sent that through panicmon");
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
    let mut running = Running::start(command);
    assert_eq!(manager.next().text, "READY=2");
    // With its own change of user it has lost the signal that would end it with panicmon.
    let child = crate::support::children(running.pid())[0];
    sys::kill(child, libc::SIGKILL).unwrap();
    assert_eq!(running.code(), 137);
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
    // A plain sh may take descriptors of one digit only.
    let mut command = Command::new("bash");
    nix::fcntl::fcntl(sys::borrow(theirs), nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    command.args(["-c", &script, &panicmon(), PROBE]);
    assert_eq!(Running::start(command).code(), 0);
    let mut bytes = [0; 16];
    ours.set_read_timeout(Some(deadline())).unwrap();
    let length = ours.recv(&mut bytes).unwrap();
    assert_eq!(&bytes[..length], b"hello");
}

#[test]
fn what_the_command_says_of_itself_is_told_as_events() {
    let (manager, events) = (Manager::new("events"), Events::new());
    let mut running = manager.run(&events.options(&[]), &["notify", "STATUS=warm\nREADY=1", "STATUS=serving"]);
    assert_eq!(running.code(), 0);
    assert_eq!(events.one("process.ready")["pid"], events.one("process.exited")["pid"]);
    let said: Vec<_> = events.of("process.status").iter().map(|event| event["status"].clone()).collect();
    assert_eq!(said, ["warm", "serving"]);
    assert_eq!(manager.next().text, "STATUS=warm\nREADY=1");
}
