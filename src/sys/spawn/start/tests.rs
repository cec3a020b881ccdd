use super::*;
use crate::model::identity::Identity;
use crate::model::signal::SignalSet;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::test_filter::refuse;
use std::borrow::Cow;
use std::ffi::CString;
use std::time::{Duration, Instant};

fn no_env() -> Arc<Envp> {
    Arc::new(Envp::new(Vec::new()))
}

/// Whether the block is kept when a child is dropped that hasn't been waited for: it holds the command.
fn is_kept_at_drop(refused: bool) -> bool {
    let command = Arc::new(Command::new(vec![Cow::Borrowed(c"/")], no_env()).unwrap());
    let in_block = Arc::clone(&command);
    // The filter is this thread's alone.
    let started = std::thread::spawn(move || {
        let source = Source::Process(ProcessSignals::take());
        let setup = Setup { shared: true, ..Setup::plain(&ChildGroup::Own(None)) };
        let child = spawn(in_block, setup, Some(&source)).unwrap();
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

/// Starts a command that waits, in a thread of its own whose mask stays changed.
fn started(has_siblings: bool, act: impl FnOnce(Child) + Send + 'static) {
    let act = move || {
        let command = Command::new(vec![Cow::Borrowed(c"sleep"), Cow::Borrowed(c"1000")], no_env()).unwrap();
        let source = Source::Process(ProcessSignals::take());
        let setup = Setup { has_siblings, shared: true, ..Setup::plain(&ChildGroup::Own(None)) };
        act(spawn(Arc::new(command), setup, Some(&source)).unwrap());
    };
    std::thread::spawn(act).join().unwrap();
}

#[test]
fn a_stack_is_free_when_its_child_has_executed() {
    started(true, |child| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while child.block.stack.is_on() {
            assert!(Instant::now() < deadline, "the kernel says nothing");
            std::thread::yield_now();
        }
    });
}

#[test]
fn a_child_that_is_awaited_has_executed() {
    // It takes a while to try all these places.
    let path = format!("PATH={}/bin:/usr/bin", "/no/such/place:".repeat(5000));
    let env = Envp::new(vec![Cow::Owned(CString::new(path).unwrap())]);
    let command = Command::new(vec![Cow::Borrowed(c"sleep"), Cow::Borrowed(c"1000")], Arc::new(env)).unwrap();
    let act = move || {
        let source = Source::Process(ProcessSignals::take());
        let setup = Setup { exec_is_awaited: true, shared: true, ..Setup::plain(&ChildGroup::Own(None)) };
        let child = spawn(Arc::new(command), setup, Some(&source)).unwrap();
        child.wait_for_exec(Instant::now() + Duration::from_secs(60));
        assert!(!child.block.stack.is_on());
    };
    std::thread::spawn(act).join().unwrap();
}

#[test]
fn a_stack_is_free_when_its_child_has_ended() {
    started(false, |child| {
        let word = child.block.stack.word();
        assert!(child.block.stack.is_on());
        drop(child);
        // Other tests may have some, too.
        assert!((0..64).any(|_| stack::Use::begin().word() == word));
    });
}

#[test]
fn a_start_that_fails_leaves_the_mask_as_it_was_and_no_stack() {
    let starts = || {
        let mut command = Command::new(vec![Cow::Borrowed(c"/")], no_env()).unwrap();
        command.user = Some(Identity::new(1, 1, []));
        let command = Arc::new(command);
        let source = Source::Process(ProcessSignals::take());
        signals::set_mask(SignalSet::EMPTY);
        let before = stack::count();
        refuse(libc::SYS_mmap, libc::ENOMEM);
        for _ in 0..500 {
            let setup = Setup { mask: None, has_siblings: true, shared: true, ..Setup::plain(&ChildGroup::Own(None)) };
            let error = spawn(Arc::clone(&command), setup, Some(&source)).unwrap_err();
            assert!(error.to_string().contains("mmap"), "{error}");
        }
        (signals::set_mask(SignalSet::EMPTY), stack::count() - before)
    };
    let (mask, stacks) = std::thread::spawn(starts).join().unwrap();
    assert_eq!(mask, SignalSet::EMPTY);
    // Other tests use some meanwhile.
    assert!(stacks < 250, "{stacks}");
}

#[test]
fn a_child_that_needs_one_of_the_private_descriptors_is_given_copies_of_all() {
    let private = PrivateFds::from(640);
    let pipe = || io::pipe().unwrap().1.into();
    let from = |stdio| Setup { private: Some(private), stdio, ..Setup::plain(&ChildGroup::Own(None)) }.private_from();
    assert_eq!(from([None, Some(pipe()), Some(pipe())]), 640);
    assert_eq!(from([None, Some(pipe()), Some(private.put(pipe()))]), 0);
    assert_eq!(Setup::plain(&ChildGroup::Own(None)).private_from(), 0);
}
