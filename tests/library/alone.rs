//! Tests that need a process of their own, since what they do to its signals can't be undone.

use crate::program::turn;
use crate::support::wait_for;
use std::env;
use std::process::{Child, Command, Stdio};

/// Set in the process of such a test, to the name of a scenario.
const SCENARIO: &str = "PANICMON_TEST_SCENARIO";

/// The exit code of a process that has come to the end of its scenario.
const PASSED: i32 = 77;

/// Runs it in a process of its own; for use as the whole of a test.
pub fn alone<F: FnOnce()>(act: F) {
    run::<F>(&[""], |_| act());
}

/// The same for each of these scenarios, in a process each.
pub fn alone_each<F: FnOnce(&str)>(scenarios: &[impl AsRef<str>], act: F) {
    run::<F>(scenarios, act);
}

/// The name of the test is part of the name of the closure's type.
fn run<F>(scenarios: &[impl AsRef<str>], act: impl FnOnce(&str)) {
    if let Ok(scenario) = env::var(SCENARIO) {
        act(&scenario);
        std::process::exit(PASSED);
    }
    // Executors of other tests wait for all children of this program, and end them.
    let _turn = turn();
    for scenario in scenarios.iter().map(AsRef::as_ref) {
        let mut child = Killed(test_process::<F>(scenario).spawn().unwrap());
        let status = wait_for("the process of the test", || child.0.try_wait().unwrap());
        assert_eq!(status.code(), Some(PASSED), "{status} in scenario '{scenario}'");
    }
}

/// This program once more, with the test that has this closure.
fn test_process<F>(scenario: &str) -> Command {
    let name = std::any::type_name::<F>();
    let (_, path) = name.split_once("::").unwrap();
    let test = path.split("::{{").next().unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--include-ignored", "--nocapture", "--test-threads=1"]);
    command.env(SCENARIO, scenario).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Doesn't outlive the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
