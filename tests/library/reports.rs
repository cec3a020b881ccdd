//! The handlers that leave files, and what they say in the log.

use crate::program::logged;
use crate::support::Scratch;
use crate::turn;
use panicmon::{Executor, Options, handlers::Report};
use std::fs;

#[test]
fn a_lost_run_is_logged_by_the_handler_that_finds_it() {
    let _turn = turn();
    let folder = Scratch::folder();
    // As a program leaves it that was killed.
    fs::write(folder.0.join("lost and found.running"), "{\"pid\":7}\n").unwrap();
    let report = Report::new(&folder.0).unwrap();
    let mut executor = Executor::new(Options::default().name("lost and found").handler(report)).unwrap();
    (0..2).for_each(|_| assert_eq!(executor.run(["true"]).unwrap().get(), 0));
    let said = "WARN the last run of lost and found (pid 7) has vanished together with its panicmon";
    assert_eq!(logged("lost and found"), [said]);
}
