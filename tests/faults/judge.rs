//! Whether a life was as it is to be.

use crate::lives::{Fault, Life};
use crate::scenarios::Scenario;

/// What the Rust library says where a program has lost its head.
const LOST: [&str; 5] = ["panicked", "RUST_BACKTRACE", "memory allocation of", "fatal runtime error", "overflowed its"];

/// What is known to be wrong, by the beginning of its name.
// TODO: a /dev/tty that can't be opened is taken for a terminal.
const KNOWN: &[&str] = &["kill-after: main openat /dev/tty"];

pub fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|known| name.starts_with(known))
}

/// None of panicmon's promises is broken, or why one is.
pub fn judge(scenario: &Scenario, fault: Option<&Fault>, life: &Life) -> Result<(), String> {
    let said = format!("{}{}", life.out, life.err);
    let wrong = |why: &str| Err(format!("{why}: {:?}, stdout {:?}, stderr {:?}", life.status, life.out, life.err));
    if let Some(word) = LOST.iter().find(|word| said.contains(**word)) {
        return wrong(word);
    }
    let Some(status) = life.status else { return wrong("it hasn't ended") };
    // Without /proc, those who are to be ended can't be found.
    if life.left && !(life.met && said.contains("lives on")) {
        return wrong("somebody is left");
    }
    let Some(code) = status.code() else { return wrong("it was killed") };
    let told = said.lines().any(|line| line.contains("panicmon: ") || line.contains(" ~ "));
    if let Some(fault) = fault.filter(|_| life.met) {
        let kind = fault.kind.as_str();
        // Its own message may be what couldn't be written.
        let is_mute = kind.contains("stderr") || kind.contains("write tty");
        let may_be = |code: i32| match code {
            125 => true,
            126 | 127 => kind.contains("exec"),
            _ => false,
        };
        return match code {
            code if code == scenario.status && (told || is_mute) => Ok(()),
            code if code == scenario.status => has_lost_nothing(scenario, life).or_else(|why| wrong(&why)),
            code if may_be(code) && (told || is_mute) => Ok(()),
            code if may_be(code) => wrong("no sentence"),
            _ => wrong("not the right status"),
        };
    }
    if code != scenario.status {
        return wrong("not the right status");
    }
    has_lost_nothing(scenario, life).or_else(|why| wrong(&why))
}

/// What the command has said and what came to it is all there.
fn has_lost_nothing(scenario: &Scenario, life: &Life) -> Result<(), String> {
    if !scenario.terminal {
        let mut lines: Vec<_> = life.out.lines().map(without_pid).collect();
        let mut expected = scenario.out.to_vec();
        lines.sort();
        expected.sort_unstable();
        if lines != expected {
            return Err("without a word, not the right output".to_owned());
        }
    }
    match scenario.notified {
        Some(text) if life.notified != [text] => Err(format!("without a word, notified {:?}", life.notified)),
        _ => Ok(()),
    }
}

/// `#` in the place of a process's number, which is the last word.
fn without_pid(line: &str) -> String {
    match line.rsplit_once(' ') {
        Some((before, pid)) if pid.len() > 1 && pid.bytes().all(|byte| byte.is_ascii_digit()) => format!("{before} #"),
        _ => line.to_owned(),
    }
}
