use super::*;
use crate::model::signal::SignalSet;
use crate::sys::process;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::test_filter::refuse;

/// Whether the block is kept when a child is dropped that hasn't been waited for: it holds the command.
fn is_kept_at_drop(refused: bool) -> bool {
    let command = Arc::new(Command::new(vec![Cow::Borrowed(c"/")], Vec::new()).unwrap());
    let in_block = Arc::clone(&command);
    // The filter is this thread's alone.
    let started = std::thread::spawn(move || {
        let source = Source::Process(ProcessSignals::take());
        let setup = Setup {
            parent: process::id(),
            stdio: [None, None, None],
            heeded: SignalSet::EMPTY,
            limits: Changed::default(),
            group: &ChildGroup::Own(None),
            hand_over: false,
            pid_variables: false,
            mask: Some(SignalSet::EMPTY),
            shared: true,
        };
        let child = spawn(in_block, &setup, &source).unwrap();
        if refused {
            refuse(libc::SYS_waitid, libc::EPERM);
        }
        child.pid()
    });
    let pid = started.join().unwrap();
    if refused {
        // By another thread it can be waited for.
        nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid.as_raw()), None).unwrap();
    }
    Arc::strong_count(&command) > 1
}

#[test]
fn a_child_that_may_be_alive_keeps_its_stack() {
    assert!(!is_kept_at_drop(false), "its end was seen");
    assert!(is_kept_at_drop(true), "its end is unknown");
}
