//! One system call of panicmon's fails, and whatever it is, the status is the right one or there is a sentence.
//!
//! A scenario (`scenarios.rs`) is played once to count panicmon's calls by kind. Then it is played again for each kind,
//! each number of the call and each errno that such a call can really give (`table.rs`). A listener for seccomp(2)'s
//! notifications answers for the call that is to fail, and lets all others go on; ptrace(2) would change the timing and job
//! control. The calls of the commands are never touched.
//!
//! A share of all, chosen by a number that is printed (`PANICMON_FAULTS_CHOICE` gives another), is part of each run of the
//! tests. `PANICMON_FAULTS_ONLY` names words, separated by commas, that must all be in the name of a run, such as
//! `label:,execve`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod judge;
mod listener;
mod lives;
mod scenarios;
#[path = "../suite/support.rs"]
mod support;
#[path = "../suite/sys.rs"]
mod sys;
mod table;

use lives::Fault;
use scenarios::Scenario;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::Random;

/// Which calls of a kind fail in a scenario, one in each run: the first ones.
const MOST_CALLS: u32 = 20;

/// The same for files of /proc, of which each process has some.
const MOST_CALLS_PROC: u32 = 6;

/// How many runs are in each run of the tests.
const SHARE: usize = 600;

/// When this much is wrong, the test ends.
const ENOUGH: usize = 50;

/// How many scenarios are played at once in a share of all.
const AT_ONCE: usize = 2;

/// The same for all: many wait for most of their time.
const AT_ONCE_OF_ALL: usize = 4;

/// A run, and what is to happen in it.
type Planned<'s> = (&'s Scenario, Fault);

/// All runs of these scenarios.
fn plan(scenarios: &[Scenario]) -> Vec<Planned<'_>> {
    let (mut all, mut unknown) = (Vec::new(), Vec::new());
    for scenario in scenarios {
        let life = lives::play(scenario, None);
        if let Err(why) = judge::judge(scenario, None, &life) {
            panic!("{}, where nothing fails: {why}\n{life:#?}", scenario.name);
        }
        unknown.extend(life.unknown.iter().map(|kind| format!("{}: {kind}", scenario.name)));
        for (kind, count) in &life.counts {
            let most = if kind.ends_with(" proc") { MOST_CALLS_PROC } else { MOST_CALLS };
            for nth in 1..=(*count).min(most) {
                for errno in table::errnos(kind) {
                    let fault = |lasting| (scenario, Fault { kind: kind.clone(), nth, errno: *errno, lasting });
                    all.push(fault(false));
                    if nth <= 2 && table::may_last(kind, *errno) {
                        all.push(fault(true));
                    }
                }
            }
        }
    }
    assert!(unknown.is_empty(), "no table has these calls: {unknown:#?}");
    let only = std::env::var("PANICMON_FAULTS_ONLY").unwrap_or_default();
    all.retain(|planned| only.split(',').all(|word| name(planned).contains(word)));
    all
}

fn name((scenario, fault): &Planned<'_>) -> String {
    format!("{}: {fault}", scenario.name)
}

/// Plays them all, prints how many there were of each kind, and panics if anything isn't as it is to be.
fn play(all: &[Planned<'_>], at_once: usize) {
    let next = AtomicUsize::new(0);
    let (found, counts) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::<String, [usize; 4]>::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(planned) = all.get(next.fetch_add(1, Ordering::Relaxed))
                    && found.lock().unwrap().len() < ENOUGH
                {
                    let (end, wrong) = try_one(planned);
                    counts.lock().unwrap().entry(planned.1.kind.clone()).or_default()[end as usize] += 1;
                    if let Some(wrong) = wrong {
                        println!("{}: {wrong}", name(planned));
                        found.lock().unwrap().push(format!("{}: {wrong}", name(planned)));
                    }
                }
            });
        }
    });
    println!("{:<44}right  told unmet wrong", "kind of call");
    let mut sums = [0; 4];
    for (kind, ends) in counts.lock().unwrap().iter() {
        println!("{kind:<44}{:>5} {:>5} {:>5} {:>5}", ends[0], ends[1], ends[2], ends[3]);
        sums.iter_mut().zip(ends).for_each(|(sum, ends)| *sum += ends);
    }
    println!("{:<44}{:>5} {:>5} {:>5} {:>5}", format!("{} runs", all.len()), sums[0], sums[1], sums[2], sums[3]);
    assert!(sums[End::Unmet as usize] * 4 < all.len() || all.len() < 100, "most of the calls fail");
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} of {} runs:\n{}", found.len(), all.len(), found.join("\n"));
}

/// How a run ended.
#[derive(Clone, Copy)]
enum End {
    /// With the right status.
    Right,
    /// With a status of panicmon's own, and a sentence.
    Told,
    /// Without a call of that number: processes that run at the same time don't do the same in each run.
    Unmet,
    /// In a way that must not be.
    Wrong,
}

fn try_one((scenario, fault): &Planned<'_>) -> (End, Option<String>) {
    let mut life = lives::play(scenario, Some(fault));
    if life.status.is_some() && life.is_late(Some(fault)) {
        // A busy machine may be late once. One that hasn't ended by then, much later, won't.
        life = lives::play(scenario, Some(fault));
    }
    match judge::judge(scenario, Some(fault), &life) {
        Err(why) => (End::Wrong, Some(why)),
        Ok(()) if !life.met => (End::Unmet, None),
        Ok(()) if scenario.is_right(&life) => (End::Right, None),
        Ok(()) => (End::Told, None),
    }
}

#[test]
fn a_share_of_all_failures_is_told_or_does_no_harm() {
    let choice = std::env::var("PANICMON_FAULTS_CHOICE").ok().and_then(|choice| choice.parse().ok()).unwrap_or(1);
    println!("PANICMON_FAULTS_CHOICE={choice}");
    let scenarios = scenarios::all();
    let mut all = plan(&scenarios);
    // What fails again and again may take seconds until it is given up.
    all.retain(|(_, fault)| !fault.lasting);
    let mut random = Random::new(choice);
    while all.len() > SHARE {
        all.swap_remove(random.below(all.len() as u64) as usize);
    }
    play(&all, AT_ONCE);
}

#[test]
#[ignore = "it takes some minutes"]
fn each_failure_is_told_or_does_no_harm() {
    let scenarios = scenarios::all();
    play(&plan(&scenarios), AT_ONCE_OF_ALL);
}

#[test]
fn what_is_left_out_has_a_reason_and_is_no_kind_that_fails() {
    for (kind, reason) in table::LEFT_OUT.iter().chain(table::CANT_FAIL) {
        assert!(!reason.is_empty());
        assert!(table::errnos(&format!("main {kind}")).is_empty(), "{kind}");
    }
}
