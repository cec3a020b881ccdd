//! Signals that are the program's own affair, and programs that handle signals in old ways.

use crate::alone::{alone, alone_each};
use crate::host::{
    ON_STACK, async_socket, by_flags, by_sigaction, by_signal, in_new_pid_namespace, raise, raise_at_once, raise_with,
    set_leftover, stack_of_handlers, take_calls, take_seen,
};
use crate::listening::{Listening, SOURCES, source};
use crate::sys;
use panicmon::{Origin, SignalSource};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

const USR1: i32 = libc::SIGUSR1;

#[test]
fn input_on_an_async_socket_is_not_the_childs() {
    alone_each(&SOURCES, |name| {
        let mut listening = Listening::by(source(name));
        // SIGTRAP has codes of its own, so the kernel says SI_SIGIO.
        for signal in [None, Some(libc::SIGIO), Some(libc::SIGUSR2), Some(libc::SIGRTMIN() + 3), Some(libc::SIGTRAP)] {
            let (_socket, mut peer) = async_socket(signal);
            peer.write_all(b"x").unwrap();
        }
        raise(USR1);
        assert_eq!(listening.numbers(1), [USR1]);
    });
}

/// The alternate stack of a thread of Rust's has room for few of them, one within another.
#[test]
fn signals_of_faults_that_are_sent_while_another_is_handled_do_not_fill_the_stack() {
    alone(|| {
        let mut listening = Listening::by(source("own"));
        raise_at_once(&[USR1, libc::SIGTRAP, libc::SIGBUS, libc::SIGSYS]);
        let mut numbers = listening.numbers(4);
        numbers.sort_unstable();
        assert_eq!(numbers, [libc::SIGTRAP, libc::SIGBUS, USR1, libc::SIGSYS]);
    });
}

#[test]
fn what_the_kernel_or_the_c_library_tells_the_program_is_not_the_childs() {
    const SI_ASYNCNL: i32 = -60;
    alone_each(&SOURCES, |name| {
        let mut listening = Listening::by(source(name));
        for code in [libc::SI_SIGIO, libc::SI_ASYNCIO, libc::SI_MESGQ, SI_ASYNCNL] {
            raise_with(libc::SIGUSR2, code, 0);
            raise_with(libc::SIGRTMIN() + 1, code, 0);
        }
        raise_with(libc::SIGURG, libc::SI_KERNEL, 0);
        raise(USR1);
        // Sent by a process, they are.
        raise(libc::SIGIO);
        raise_with(libc::SIGUSR2, libc::SI_QUEUE, 0);
        assert_eq!(listening.numbers(3), [USR1, libc::SIGIO, libc::SIGUSR2]);
    });
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn a_fork_of_pid_1_into_a_new_namespace_is_a_fork() {
    alone_each(&SOURCES, |name| {
        // PID 1 of a namespace, whose fork is PID 1 of another.
        let ended = in_new_pid_namespace(|| {
            let mut listening = Listening::by(source(name));
            let fork = in_new_pid_namespace(|| {
                raise(libc::SIGUSR2);
                std::process::id() as i32
            });
            assert_eq!(fork.unwrap().code(), Some(1), "it is PID 1");
            raise(USR1);
            assert_eq!(listening.numbers(1), [USR1]);
            std::process::id() as i32
        });
        assert_eq!(ended.unwrap().code(), Some(1), "it was PID 1");
    });
}

/// Memory that looks like a siginfo_t if only its beginning is read.
fn looks_like_one(signal: i32) -> &'static [usize; 32] {
    Box::leak(Box::new([signal as usize; 32]))
}

/// Addresses that a register may hold.
fn leftovers(signal: i32) -> [usize; 6] {
    let memory = looks_like_one(signal).as_ptr() as usize;
    // Null, unmapped (low and high), misaligned, a heap's, the stack's.
    [0, 8, usize::MAX / 2 - 7, memory + 4, memory, ON_STACK]
}

#[test]
fn a_handler_by_signal_2_that_calls_ours_does_no_harm() {
    alone(|| {
        let mut listening = Listening::by(SignalSource::Own);
        by_signal(0, USR1);
        for leftover in leftovers(USR1) {
            set_leftover(leftover);
            raise(USR1);
            assert_eq!(take_calls(), [1, 0, 0], "{leftover:#x}");
            let heard = listening.heard(1);
            let [(signal, origin)] = heard[..] else { panic!("{leftover:#x}: {heard:?}") };
            assert_eq!((signal.number(), origin.sender().map(|pid| pid.as_raw())), (USR1, Some(0)), "{leftover:#x}");
        }
    });
}

#[test]
fn nothing_is_written_to_where_a_leftover_points() {
    alone(|| {
        let _listening = Listening::by(SignalSource::Own);
        by_signal(0, USR1);
        let memory = looks_like_one(USR1);
        set_leftover(memory.as_ptr() as usize);
        raise(USR1);
        assert_eq!(std::hint::black_box(memory), &[USR1 as usize; 32]);
    });
}

#[test]
fn among_handlers_by_signal_2_each_is_called_once_and_so_is_the_executor() {
    alone(|| {
        // The second executor's layer lies over the first handler, and that over the first layer, over a handler that
        // reads its siginfo_t.
        by_sigaction(USR1);
        let mut first = Listening::by(SignalSource::Own);
        by_signal(0, USR1);
        let mut second = Listening::by(SignalSource::Own);
        for leftover in leftovers(USR1) {
            set_leftover(leftover);
            raise(USR1);
            assert_eq!((take_calls(), take_seen()), ([1, 0, 0], true), "{leftover:#x}");
            let own = Some(std::process::id() as i32);
            for listening in [&mut first, &mut second] {
                let heard = listening.heard(1);
                let [(_, origin)] = heard[..] else { panic!("{leftover:#x}: {heard:?}") };
                assert_eq!(origin.sender().map(|pid| pid.as_raw()), own, "the newest layer has a siginfo_t");
            }
        }
        // And a handler over all, which leaves nothing to any layer.
        by_signal(1, USR1);
        for leftover in leftovers(USR1) {
            set_leftover(leftover);
            raise(USR1);
            assert_eq!((take_calls(), take_seen()), ([1, 1, 0], true), "{leftover:#x}");
            assert_eq!(first.numbers(1), [USR1], "{leftover:#x}");
            assert_eq!(second.numbers(1), [USR1], "{leftover:#x}");
        }
    });
}

#[test]
fn without_a_siginfo_a_timers_signal_is_the_programs_and_others_are_the_childs() {
    alone(|| {
        let mut listening = Listening::by(SignalSource::Own);
        for signal in [libc::SIGALRM, libc::SIGIO, USR1] {
            by_signal(0, signal);
            raise(signal);
        }
        assert_eq!(listening.numbers(1), [USR1]);
    });
}

#[test]
fn a_siginfo_that_is_there_is_used() {
    alone(|| {
        let mut listening = Listening::by(SignalSource::Own);
        raise_with(USR1, libc::SI_QUEUE, 77);
        let heard = listening.heard(1);
        assert!(matches!(heard[..], [(_, Origin::Queue { value: 77, .. })]), "{heard:?}");
    });
}

static CALLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_: i32) {
    CALLED.fetch_add(1, Ordering::SeqCst);
}

/// SA_RESETHAND: sigaction(2).
#[test]
fn a_handler_for_the_first_signal_only_is_called_once() {
    alone(|| {
        by_flags(USR1, libc::SA_RESETHAND, count);
        by_flags(libc::SIGUSR2, libc::SA_RESETHAND, count);
        let mut listening = Listening::by(SignalSource::Own);
        for _ in 0..2 {
            raise(USR1);
            assert_eq!(CALLED.load(Ordering::SeqCst), 1);
            assert_eq!(listening.numbers(1), [USR1]);
        }
        drop(listening);
        // What the program has by now is given back: a handler that wasn't called yet, and none in place of the other.
        raise(libc::SIGUSR2);
        assert_eq!(CALLED.load(Ordering::SeqCst), 2);
        assert_eq!([USR1, libc::SIGUSR2].map(sys::disposition), [libc::SIG_DFL; 2]);
        // And so it is for the next executor.
        let mut listening = Listening::by(SignalSource::Own);
        raise(USR1);
        assert_eq!(CALLED.load(Ordering::SeqCst), 2);
        assert_eq!(listening.numbers(1), [USR1]);
    });
}

static MAY_RETURN: AtomicBool = AtomicBool::new(false);

extern "C" fn stays(_: i32) {
    while !MAY_RETURN.load(Ordering::SeqCst) {
        thread::yield_now();
    }
}

/// As one that leaves by siglongjmp(3).
#[test]
fn the_child_gets_a_signal_whose_handler_does_not_return() {
    alone(|| {
        by_flags(USR1, 0, stays);
        let mut listening = Listening::by(SignalSource::Own);
        thread::scope(|scope| {
            scope.spawn(|| raise(USR1));
            assert_eq!(listening.numbers(1), [USR1]);
            MAY_RETURN.store(true, Ordering::SeqCst);
        });
    });
}

/// A thread may have an alternate stack of 8 KiB, as Rust gives each of its own, and a signal that faults raise may come
/// while another is handled: the kernel's part of each may be 3 KiB (with AVX-512).
#[test]
fn our_handler_needs_little_of_a_stack() {
    // What compilers make of it without optimisation is larger.
    let most = if cfg!(debug_assertions) { 2560 } else { 1024 };
    alone(|| {
        by_flags(USR1, libc::SA_ONSTACK, count);
        let without = stack_of_handlers(USR1);
        let _listening = Listening::by(SignalSource::Own);
        for signal in [USR1, libc::SIGTERM, libc::SIGTSTP, libc::SIGTRAP, libc::SIGSYS] {
            let needs = stack_of_handlers(signal) - without;
            assert!(needs <= most, "{signal}: {needs} bytes");
        }
    });
}
