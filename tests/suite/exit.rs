//! `--exit`: another status than the command's.

use crate::support::{PROBE, Running, output, panicmon, script_with, with_options};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn code(options: &[&str], script: &str) -> Option<i32> {
    output(&mut script_with(options, script)).0
}

#[test]
fn codes_and_signals_are_mapped() {
    assert_eq!(code(&["--exit", "3=0"], "exit 3"), Some(0));
    assert_eq!(code(&["--exit", "3=0,4=44"], "exit 4"), Some(44));
    assert_eq!(code(&["--exit", "3=0"], "exit 5"), Some(5));
    assert_eq!(code(&["--exit", "0=9"], "exit 0"), Some(9));
    assert_eq!(code(&["--exit", "143=0"], "kill -TERM $$"), Some(0));
    assert_eq!(code(&["--exit", "143=0"], "exit 143"), Some(0));
    assert_eq!(code(&["--exit", "TERM=7", "--exit", "143=8"], "kill -TERM $$"), Some(7));
    assert_eq!(code(&["--exit", "TERM=7", "--exit", "143=8"], "exit 143"), Some(8));
    assert_eq!(output(script_with(&[], "exit 3").env("PANICMON_EXIT", "3=33,4=44")).0, Some(33));
    // The last run counts, and what panicmon itself fails of isn't the command's end.
    let options = ["--restart=on-failure", "--min-wait=1ms", "--max-wait=1ms", "--max-restarts=1", "--exit=3=30"];
    assert_eq!(code(&options, "exit 3"), Some(30));
    assert_eq!(output(Command::new(panicmon()).args(["--exit", "127=0", "/no/such/file"])).0, Some(127));
}

#[test]
fn a_requested_end_is_told_from_any_other() {
    for (words, signal, expected) in [
        (&["pause"][..], libc::SIGTERM, 40),
        (&["exit-after", "1", "143"], libc::SIGTERM, 40),
        (&["exit-after", "1", "130"], libc::SIGINT, 40),
        (&["exit-after", "1", "3"], libc::SIGTERM, 3),
        (&["exit-after", "1", "143"], libc::SIGUSR1, 143),
    ] {
        let mut running = Running::start(with_options(&["--exit", "requested=40"], words));
        if words == ["pause"] {
            running.ready_child();
        } else {
            assert_eq!(running.line().as_deref(), Some("ready"));
        }
        running.kill(signal);
        assert_eq!(running.code(), expected, "{words:?}, {signal}");
    }
    assert_eq!(code(&["--exit", "requested=40"], "kill -TERM $$"), Some(143), "nobody asked");
}

/// A cgroup of little memory that is removed again.
pub struct LittleMemory(pub PathBuf);

impl LittleMemory {
    /// Version 2 where it has the memory controller, or else version 1.
    pub fn new(of: &str) -> LittleMemory {
        let v1 = Path::new("/sys/fs/cgroup/memory");
        let name = format!("panicmon-test-{of}-{}", std::process::id());
        let (root, limit) = if v1.join("memory.limit_in_bytes").exists() {
            (v1.to_owned(), "memory.limit_in_bytes")
        } else {
            let _ = fs::write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
            (PathBuf::from("/sys/fs/cgroup"), "memory.max")
        };
        let dir = root.join(name);
        fs::create_dir(&dir).unwrap();
        let group = LittleMemory(dir);
        fs::write(group.0.join(limit), "24M").unwrap();
        for swap in ["memory.swap.max", "memory.memsw.limit_in_bytes"] {
            let _ = fs::write(group.0.join(swap), if swap.contains("memsw") { "24M" } else { "0" });
        }
        group
    }

    /// panicmon in it.
    fn run(&self, script: &str) -> Option<i32> {
        self.run_with(&[], script)
    }

    fn run_with(&self, options: &[&str], script: &str) -> Option<i32> {
        output(self.command(options, script).env("PANICMON_EXIT", "oom=99")).0
    }

    /// `panicmon OPTIONS -- sh -c SCRIPT` in it.
    pub fn command(&self, options: &[&str], script: &str) -> Command {
        let mut command = self.panicmon();
        command.args(options).args(["--", "sh", "-c", script]);
        command
    }

    /// `panicmon` in it.
    pub fn panicmon(&self) -> Command {
        let enter = "echo $$ > \"$0/cgroup.procs\"; exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", enter]).arg(&self.0).arg(panicmon());
        command
    }
}

impl Drop for LittleMemory {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
#[ignore = "needs root: a cgroup of its own"]
fn that_memory_ran_out_is_told_from_any_other_kill() {
    let group = LittleMemory::new("exit");
    let hog = format!("exec \"{PROBE}\" fill-memory");
    assert_eq!(group.run(&hog), Some(99));
    assert_eq!(group.run("kill -KILL $$"), Some(137));
    assert_eq!(group.run("exit 137"), Some(137));
    assert_eq!(group.run("exit 0"), Some(0));
    // An earlier run's is not the last one's.
    let again = ["--restart=on-failure", "--max-restarts=1", "--min-wait=1ms", "--max-wait=1ms"];
    let flag = std::env::temp_dir().join(format!("panicmon-test-{}-ran", std::process::id()));
    let first_only = format!("[ -e {0} ] && exit 3; touch {0}; {hog}", flag.display());
    assert_eq!(group.run_with(&again, &first_only), Some(3));
    fs::remove_file(&flag).unwrap();
    // One of its own children ran out of memory, but not it.
    assert_eq!(group.run(&format!("(exec \"{PROBE}\" fill-memory); exit 5")), Some(5));
}
