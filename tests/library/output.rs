//! What the child writes, and the writers that it goes to.

use crate::support::PROBE;
use crate::{in_blocking_thread, send_to_self, sys, turn};
use panicmon::{Executor, Handler, Options, Output, ProcessExited};
use std::io::{self, Write};
use std::sync::mpsc;

#[test]
fn output_goes_into_writers_to_the_last_byte() {
    let _turn = turn();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let options =
        Options::default().stdout(Output::Writer(Box::new(&mut out))).stderr(Output::Writer(Box::new(&mut err)));
    let script = "head -c 1000000 /dev/zero; printf 'no newline'; echo problem >&2; exit 4";
    assert_eq!(Executor::new(options).unwrap().run(["sh", "-c", script]).unwrap().get(), 4);
    assert_eq!((out.len(), &out[1_000_000..]), (1_000_010, &b"no newline"[..]));
    assert_eq!(err, b"problem\n");
}

#[test]
fn a_child_that_enlarges_its_pipe_loses_nothing() {
    let _turn = turn();
    let mut out = Vec::new();
    let options = Options::default().stdout(Output::Writer(Box::new(&mut out)));
    Executor::new(options).unwrap().run([PROBE, "enlarge-and-write", "900000"]).unwrap();
    assert_eq!(out.len(), 900_000);
}

#[test]
fn a_grandchild_that_holds_the_pipe_delays_no_end() {
    let _turn = turn();
    let mut out = Vec::new();
    let options = Options::default().stdout(Output::Writer(Box::new(&mut out)));
    Executor::new(options).unwrap().run(["sh", "-c", "sleep 600 & echo $!"]).unwrap();
    let grandchild: u32 = String::from_utf8(out).unwrap().trim().parse().unwrap();
    let alive = sys::kill(grandchild, libc::SIGKILL);
    assert!(alive.is_ok(), "it was there still");
}

#[test]
fn a_writer_that_fails_closes_the_pipe() {
    struct Failing;
    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let _turn = turn();
    let options = Options::default().stdout(Output::Writer(Box::new(Failing)));
    // Rust programs ignore SIGPIPE and so do their children: this one sees the failing write.
    let status = Executor::new(options).unwrap().run(["sh", "-c", "while echo x 2>/dev/null; do :; done; exit 6"]);
    assert_eq!(status.unwrap().get(), 6);
}

#[test]
fn a_writer_that_panics_costs_no_status() {
    struct Panics;
    impl Write for Panics {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("the writer's own");
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let _turn = turn();
    let options = Options::default().stdout(Output::Writer(Box::new(Panics)));
    assert_eq!(Executor::new(options).unwrap().run(["sh", "-c", "echo x; exit 4"]).unwrap().get(), 4);
}

#[test]
fn a_slow_writer_delays_no_signal() {
    struct Slow(mpsc::Receiver<()>);
    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Until the test has seen the signal arrive.
            let _ = self.0.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    struct Go(mpsc::Sender<()>);
    impl Handler for Go {
        fn process_exited(&mut self, _: &ProcessExited<'_>) {
            self.0.send(()).unwrap();
        }
    }
    let _turn = turn();
    let (go, wait) = mpsc::channel();
    let options = Options::default().stdout(Output::Writer(Box::new(Slow(wait)))).handler(Go(go));
    let mut executor = Executor::new(options).unwrap();
    send_to_self(libc::SIGUSR1);
    let code = in_blocking_thread(libc::SIGUSR1, || executor.run([PROBE, "exit-after", "1", "5"]).unwrap());
    assert_eq!(code.get(), 5);
}

#[test]
fn output_may_go_nowhere() {
    let _turn = turn();
    let options = Options::default().stdout(Output::Null).stderr(Output::Null);
    let script = r#"test "$(readlink /proc/$$/fd/1)$(readlink /proc/$$/fd/2)" = /dev/null/dev/null"#;
    assert!(Executor::new(options).unwrap().run(["sh", "-c", script]).unwrap().is_success());
}
