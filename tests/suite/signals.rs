//! Every signal, once.

use crate::support::{Running, panicmon, prepared, status_field, status_signals, wait_for, wrapped};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

const NOT_FORWARDED: [i32; 3] = [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD];

fn receiver(ops: &[&str]) -> Running {
    let mut running = Running::start(prepared(ops, true, &["receive"]));
    assert_eq!(running.line().as_deref(), Some("ready"));
    running
}

/// The signal of the next line.
fn next(running: &mut Running) -> i32 {
    let line = running.line().expect("a line for a signal");
    line.split(' ').next().and_then(|word| word.parse().ok()).expect("a number")
}

#[test]
fn each_of_the_61_reaches_the_child_once_and_panicmon_lives_on() {
    let mut running = receiver(&[]);
    for signal in (1..=64).filter(|signal| !NOT_FORWARDED.contains(signal)) {
        running.kill(signal);
        assert_eq!(next(&mut running), signal);
        // Were it sent twice, the second would come before this one.
        let after = if signal == libc::SIGUSR2 { libc::SIGUSR1 } else { libc::SIGUSR2 };
        running.kill(after);
        assert_eq!(next(&mut running), after, "after {signal}");
    }
}

/// By kill(2) one that finds the queue full would be lost in silence; queued, it has to wait, and keeps its sender.
#[test]
fn a_realtime_signal_by_kill_is_passed_on_queued_with_its_sender() {
    let mut running = receiver(&[]);
    for signal in [34, 50, 64] {
        running.kill(signal);
        let expected = format!("{signal} {} {} 0", libc::SI_QUEUE, std::process::id());
        assert_eq!(running.line(), Some(expected));
    }
}

#[test]
fn ignored_and_blocked_signals_are_forwarded_too() {
    let mut running = receiver(&["ignore=1", "ignore=13", "ignore=2", "block=10", "block=40"]);
    for signal in [1, 13, 2, 10, 40] {
        running.kill(signal);
        assert_eq!(next(&mut running), signal);
    }
}

#[test]
fn a_subset_is_listened_to_and_the_others_take_their_course() {
    let mut command = Command::new(panicmon());
    command.args(["-s", "USR1,TERM", "--", crate::support::PROBE, "receive"]);
    let mut running = Running::start(command);
    assert_eq!(running.line().as_deref(), Some("ready"));
    running.kill(libc::SIGUSR1);
    assert_eq!(next(&mut running), libc::SIGUSR1);
    let caught_or_blocked = 1 << (libc::SIGHUP - 1);
    assert_eq!(status_signals(running.pid(), "SigBlk") & caught_or_blocked, 0);
    running.kill(libc::SIGHUP);
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&running.wait()), Some(libc::SIGHUP));
    running.wait_for_eof();
}

#[test]
fn a_stop_signal_by_kill_stops_the_child_until_it_is_continued() {
    let mut command = wrapped(&["pause"]);
    // In an orphaned process group these signals stop nobody; the test program's may be one.
    command.process_group(0);
    let running = Running::start(command);
    let child = running.ready_child();
    let state = |letter: &str| {
        wait_for("the child's state", || status_field(child, "State").filter(|state| state.starts_with(letter)));
    };
    for signal in [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU] {
        running.kill(signal);
        state("T");
        running.kill(libc::SIGCONT);
        state("S");
    }
}

/// The room in the queue is counted for all processes of a user together: those who fill it take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a sender of queued signals, while the wrapper is kept from running if asked, and checks what arrives.
fn queued(ops: &[&str], count: usize, held_up: bool) {
    let _turn = turn();
    let numbers = [34, 40, 64];
    let mut running = receiver(ops);
    if held_up {
        running.kill(libc::SIGSTOP);
        wait_for("the wrapper to be stopped", || status_field(running.pid(), "State").filter(|s| s.starts_with('T')));
    }
    let mut sender = prepared(ops, false, &[]);
    sender.args(["queue", &running.pid().to_string(), &count.to_string()]);
    sender.args(numbers.map(|number| number.to_string()));
    let mut sender = Running::start(sender);
    let pid = sender.pid();
    if held_up {
        assert_eq!(sender.code(), 0);
        running.kill(libc::SIGCONT);
    }
    let mut expected = numbers.map(|number| (number, 0));
    let mut came = 0;
    while came < numbers.len() * count {
        let line = running.line().expect("a line for a signal");
        if line.starts_with("18 ") {
            continue;
        }
        let (number, value) =
            expected.iter_mut().find(|(number, _)| line.starts_with(&format!("{number} "))).expect(&line);
        assert_eq!(line, format!("{number} {} {pid} {value}", libc::SI_QUEUE));
        *value += 1;
        came += 1;
    }
    running.kill(libc::SIGTERM);
    assert_eq!(next(&mut running), libc::SIGTERM, "none is left over, and TERM is heard");
    assert_eq!(sender.code(), 0);
}

#[test]
fn ten_thousand_queued_signals_arrive_in_order_with_value_and_sender() {
    queued(&[], 3334, true);
}

#[test]
fn none_is_lost_with_room_for_256_in_the_queue() {
    // The count is one for all processes of the user: with others' signals pending there is less room, but never none.
    queued(&["sigpending=256"], 3334, false);
}

#[test]
fn term_is_heard_while_the_queue_is_full() {
    let _turn = turn();
    let room = 256;
    let limit = format!("sigpending={room}");
    // A child that takes nothing, with all signals blocked, so that they stay pending.
    let running = Running::start(prepared(&[&limit, "block-all"], true, &["pause"]));
    let child = running.ready_child();
    let mut sender = prepared(&[&limit], false, &[]);
    sender.args(["queue", &running.pid().to_string(), "100000", "40"]);
    let _sender = Running::start(sender);
    wait_for("the child's queue to be full", || {
        let (used, _) =
            status_field(child, "SigQ")?.split_once('/').map(|(used, room)| (used.to_owned(), room.to_owned()))?;
        (used.parse::<u64>().ok()? >= room - 64).then_some(())
    });
    running.kill(libc::SIGTERM);
    wait_for("TERM to reach the child", || (status_signals(child, "ShdPnd") & 1 << 14 != 0).then_some(()));
}
