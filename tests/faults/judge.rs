//! Whether a life was as it is to be.

use crate::lives::{Fault, Life};
use crate::scenarios::Scenario;

/// What the Rust library says where a program has lost its head.
const LOST: [&str; 5] = ["panicked", "RUST_BACKTRACE", "memory allocation of", "fatal runtime error", "overflowed its"];

/// What can't be in life, or is known to be wrong, by a part of its name.
// What a terminal hasn't taken isn't seen, and the test waits for it.
// A process of the same session can always be sent SIGCONT.
// TODO: where waiting fails during a drain, what is left lives on without a word.
const KNOWN: &[&str] = &[
    " ppoll",
    "job: main kill ",
    "job -vvv: main kill ",
    "label on a terminal: main write",
    "label on a terminal -vvv: main write",
];

pub fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|known| name.contains(known))
}

/// None of panicmon's promises is broken, or why one is.
pub fn judge(scenario: &Scenario, fault: Option<&Fault>, life: &Life) -> Result<(), String> {
    let said = format!("{}{}", life.out, life.err);
    let wrong = |why: &str| {
        let end = |text: &str| text.chars().rev().take(400).collect::<Vec<_>>().into_iter().rev().collect::<String>();
        Err(format!("{why}: {:?}, stdout {:?}, stderr {:?}", life.status, end(&life.out), end(&life.err)))
    };
    if let Some(word) = LOST.iter().find(|word| said.contains(**word)) {
        return wrong(word);
    }
    let Some(status) = life.status else { return wrong("it hasn't ended") };
    // Without /proc, those who are to be ended can't be found.
    if life.left && !(life.met && life.has_given_up()) {
        return wrong("somebody is left");
    }
    let Some(code) = status.code() else { return wrong("it was killed") };
    let told = life.has_told();
    if let Some(fault) = fault.filter(|_| life.met) {
        let (kind, fault) = (fault.kind.as_str(), Some(fault));
        // Its own message may be what couldn't be written.
        let is_mute = kind.contains("stderr") || kind.contains("write tty");
        let may_be = |code: i32| match code {
            125 => true,
            126 | 127 => kind.contains("exec"),
            _ => false,
        };
        return match code {
            _ if told && life.stopped => Ok(()),
            code if code == scenario.status && (told || is_mute) => Ok(()),
            code if code == scenario.status => has_lost_nothing(scenario, fault, life).or_else(|why| wrong(&why)),
            code if may_be(code) && (told || is_mute) => Ok(()),
            code if may_be(code) => wrong("no sentence"),
            _ => wrong("not the right status"),
        };
    }
    if code != scenario.status {
        return wrong("not the right status");
    }
    has_lost_nothing(scenario, fault, life).or_else(|why| wrong(&why))
}

/// What the command has said and what came to it is all there.
fn has_lost_nothing(scenario: &Scenario, fault: Option<&Fault>, life: &Life) -> Result<(), String> {
    if scenario.terminal.is_none() {
        let of_command = |text: &str| {
            let lines = text.lines().filter(|line| !line.contains("panicmon: ") && !line.contains(" ~ "));
            let mut lines: Vec<_> = lines.map(without_pid).collect();
            lines.sort();
            lines
        };
        let sorted = |lines: &[&'static str]| {
            let mut lines = lines.to_vec();
            lines.sort_unstable();
            lines
        };
        if of_command(&life.out) != sorted(scenario.out) || of_command(&life.err) != sorted(scenario.err) {
            return Err("without a word, not the right output".to_owned());
        }
    }
    // A barrier is passed where its descriptor is closed; it isn't passed on without that.
    let is_barrier_alone = fault.is_some_and(|fault| fault.kind == "child unshare")
        && scenario.notified.starts_with(&life.notified.iter().map(String::as_str).collect::<Vec<_>>());
    if life.notified != scenario.notified && !is_barrier_alone {
        return Err(format!("without a word, notified {:?}", life.notified));
    }
    Ok(())
}

/// `#` in the place of a process's number, which is the last word.
fn without_pid(line: &str) -> String {
    match line.rsplit_once(' ') {
        Some((before, pid)) if pid.len() > 1 && pid.bytes().all(|byte| byte.is_ascii_digit()) => format!("{before} #"),
        _ => line.to_owned(),
    }
}
