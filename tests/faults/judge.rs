//! Whether a life was as it is to be.

use crate::lives::{Fault, Life};
use crate::scenarios::Scenario;

/// What the Rust library says where a program has lost its head.
const LOST: [&str; 5] = ["panicked", "RUST_BACKTRACE", "memory allocation of", "fatal runtime error", "overflowed its"];

/// What panicmon says where a line of the command's may be missing: it is lost, or one of the command's runs isn't.
const EXCUSES: [&str; 4] = ["lost", "couldn't be started", "exit code -1", "nobody reads"];

/// None of panicmon's promises is broken, or why one is.
pub fn judge(scenario: &Scenario, fault: Option<&Fault>, life: &Life) -> Result<(), String> {
    verdict(scenario, fault.filter(|_| life.met), life).map_err(|why| {
        let end = |text: &str| text.chars().rev().take(400).collect::<Vec<_>>().into_iter().rev().collect::<String>();
        let (out, err) = (end(&life.out), end(&life.err));
        format!("{why}: {:?} after {:?}, stdout {out:?}, stderr {err:?}", life.status, life.took)
    })
}

fn verdict(scenario: &Scenario, fault: Option<&Fault>, life: &Life) -> Result<(), String> {
    let wrong = |why: &str| Err(why.to_owned());
    let said = format!("{}{}", life.out, life.err);
    if let Some(word) = LOST.iter().find(|word| said.contains(**word)) {
        return wrong(word);
    }
    let Some(status) = life.status else { return wrong("it hasn't ended") };
    // Without /proc, those who are to be ended can't be found.
    if life.left && !(fault.is_some() && life.has_given_up()) {
        return wrong("somebody is left");
    }
    if life.is_late(fault) {
        return wrong("it took too long");
    }
    let Some(code) = status.code() else { return wrong("it was killed") };
    let Some(fault) = fault else {
        return if code == scenario.status { has_lost_nothing(scenario, life) } else { wrong("not the right status") };
    };
    has_nothing_else(scenario, life)?;
    let (kind, told, is_mute) = (fault.kind.as_str(), life.has_told(), fault.is_mute());
    match code {
        _ if told && life.stopped => Ok(()),
        code if code == scenario.status => {
            // What isn't written to a stream that fails is no surprise.
            let is_excused = is_mute || told && EXCUSES.iter().any(|excuse| said.contains(excuse));
            // A barrier is passed where its descriptor is closed; it isn't passed on without that.
            let is_barrier_alone = kind == "child unshare" && life.notified[..] == scenario.notified[..1];
            let is_unread = scenario.is_tee && fault.errno == libc::EPIPE && kind.contains(" std");
            if is_excused || is_barrier_alone || is_unread { Ok(()) } else { has_lost_nothing(scenario, life) }
        }
        125 if told || is_mute => Ok(()),
        126 | 127 if told && kind.contains("exec") => Ok(()),
        125..=127 => wrong("no sentence"),
        _ => wrong("not the right status"),
    }
}

/// The lines of the command, without panicmon's own, in order.
fn lines_of_command(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.contains("panicmon: ") && !line.contains(" ~ "));
    let mut lines: Vec<_> = lines.map(without_pid).collect();
    lines.sort();
    lines
}

/// What the command has said and what came to it is all there.
fn has_lost_nothing(scenario: &Scenario, life: &Life) -> Result<(), String> {
    if scenario.terminal.is_none() {
        let sorted = |lines: &[&'static str]| {
            let mut lines = lines.to_vec();
            lines.sort_unstable();
            lines
        };
        if lines_of_command(&life.out) != sorted(scenario.out) || lines_of_command(&life.err) != sorted(scenario.err) {
            return Err("without a word, not the right output".to_owned());
        }
    }
    if life.notified != scenario.notified {
        return Err(format!("without a word, notified {:?}", life.notified));
    }
    Ok(())
}

/// There is nothing that the command hasn't said, and nothing twice if nothing came to it twice.
fn has_nothing_else(scenario: &Scenario, life: &Life) -> Result<(), String> {
    let is_part = |lines: Vec<String>, all: &[&str]| {
        let mut all = all.to_vec();
        lines.iter().all(|line| match all.iter().position(|one| one == line) {
            Some(at) if !life.repeated => all.swap_remove(at) == line,
            at => at.is_some(),
        })
    };
    let is_output = scenario.terminal.is_some()
        || is_part(lines_of_command(&life.out), scenario.out) && is_part(lines_of_command(&life.err), scenario.err);
    let mut expected = scenario.notified.iter();
    match life.notified.iter().all(|message| expected.any(|one| one == message)) {
        _ if !is_output => Err("output that the command hasn't made".to_owned()),
        false => Err(format!("not its notifications: {:?}", life.notified)),
        true => Ok(()),
    }
}

/// `#` in the place of a process's number, which is the last word.
fn without_pid(line: &str) -> String {
    match line.rsplit_once(' ') {
        Some((before, pid)) if pid.len() > 1 && pid.bytes().all(|byte| byte.is_ascii_digit()) => format!("{before} #"),
        _ => line.to_owned(),
    }
}
