//! What becomes of signals, and what is given to the child, by options of the library.

use crate::support::{PROBE, status_field, wait_for};
use crate::{in_blocking_thread, send_to_self, turn};
use panicmon::{Error, Event, Executor, Handler, Options, Output, Signal};
use std::fs;
use std::sync::mpsc;
use std::time::Duration;

/// Tells of each event about a signal.
struct Told(mpsc::Sender<String>);

impl Handler for Told {
    fn event(&mut self, event: &Event<'_>) {
        let told = match event {
            Event::Received(event) => format!("received {}", event.signal),
            Event::Passed(event) => format!("passed {}", event.signal),
            Event::Dropped(event) => format!("dropped {}", event.signal),
            Event::Delayed(event) => format!("delayed {} by {:?}", event.signal, event.delay),
            _ => return,
        };
        let _ = self.0.send(told);
    }
}

fn output_of(options: Options<'_>, script: &str) -> (Result<u8, Error>, String) {
    let mut out = Vec::new();
    let status = {
        let options = options.stdout(Output::Writer(Box::new(&mut out)));
        Executor::new(options).and_then(|mut executor| executor.run(["sh", "-c", script]))
    };
    (status.map(|status| status.get()), String::from_utf8(out).unwrap())
}

#[test]
fn signals_are_rewritten_and_dropped_and_it_is_told() {
    let _turn = turn();
    let (sender, told) = mpsc::channel();
    let options = Options::default()
        .signals([Signal::USR1, Signal::USR2])
        .rewrite(Signal::USR1, None)
        .rewrite(Signal::USR2, Some(Signal::HUP))
        .rewrite(Signal::USR2, Some(Signal::WINCH))
        .handler(Told(sender));
    let status = in_blocking_thread(libc::SIGWINCH, || {
        let mut executor = Executor::new(options).unwrap();
        send_to_self(libc::SIGUSR1);
        send_to_self(libc::SIGUSR2);
        executor.run([PROBE, "until", &libc::SIGWINCH.to_string(), "6"]).unwrap()
    });
    assert_eq!(status.get(), 6);
    let told: Vec<_> = told.iter().collect();
    // Either may be first: each runs the handler on a thread of its own.
    let mut pairs: Vec<_> = told.chunks(2).map(|pair| pair.join(", ")).collect();
    pairs.sort_unstable();
    assert_eq!(pairs, ["received SIGUSR1, dropped SIGUSR1", "received SIGUSR2, passed SIGWINCH"]);
}

#[test]
fn a_signal_is_delayed_and_it_is_told() {
    let _turn = turn();
    let (sender, told) = mpsc::channel();
    let delay = Duration::from_millis(50);
    let options = Options::default().signals([Signal::USR1]).delay(Signal::USR1, delay).handler(Told(sender));
    let status = in_blocking_thread(libc::SIGUSR1, || {
        let mut executor = Executor::new(options).unwrap();
        send_to_self(libc::SIGUSR1);
        executor.run([PROBE, "until", &libc::SIGUSR1.to_string(), "5"]).unwrap()
    });
    assert_eq!(status.get(), 5);
    let told: Vec<_> = told.iter().collect();
    assert_eq!(told, ["received SIGUSR1", "delayed SIGUSR1 by 50ms", "passed SIGUSR1"]);
}

#[test]
fn it_is_started_in_a_directory() {
    let _turn = turn();
    let (status, out) = output_of(Options::default().dir("/usr"), "pwd -P");
    assert_eq!((status.unwrap(), out.as_str()), (0, "/usr\n"));
    assert!(matches!(output_of(Options::default().dir("/no/where"), ":").0, Err(Error::Dir { .. })));
    assert!(matches!(output_of(Options::default().dir("a\0b"), ":").0, Err(Error::Nul { .. })));
}

/// The environment of a child, as the kernel has it.
fn environment_with(options: Options<'_>) -> String {
    let mut out = Vec::new();
    let options = options.stdout(Output::Writer(Box::new(&mut out)));
    assert!(Executor::new(options).unwrap().run(["/bin/cat", "/proc/self/environ"]).unwrap().is_success());
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn the_environment_is_inherited_replaced_or_amended() {
    let _turn = turn();
    let own = fs::read("/proc/self/environ").unwrap();
    let own = String::from_utf8_lossy(&own);
    assert_eq!(environment_with(Options::default()), own);
    assert_eq!(environment_with(Options::default().env_replace(["B=2", "A=1"])), "B=2\0A=1\0");
    let (path, others): (Vec<_>, Vec<_>) =
        own.split_inclusive('\0').partition(|variable| variable.starts_with("PATH="));
    assert_eq!(path.len(), 1);
    let amended = environment_with(Options::default().env("PANICMON_TEST", "x").env_remove("PATH"));
    assert_eq!(amended, others.concat() + "PANICMON_TEST=x\0");
}

#[test]
fn another_user_is_for_those_who_may() {
    let _turn = turn();
    let (status, out) = output_of(Options::default().user(1234, 5678, [5678, 91]), "id -u; id -g; id -G");
    if status_field(std::process::id(), "Uid").unwrap().starts_with("0\t") {
        assert_eq!((status.unwrap(), out.as_str()), (0, "1234\n5678\n5678 91\n"));
    } else {
        assert!(matches!(status, Err(Error::User { uid: 1234, gid: 5678, .. })));
    }
}

/// The pipe to a writer is its own.
#[test]
#[ignore = "needs root: another user"]
fn another_user_can_open_its_stdout_anew() {
    let _turn = turn();
    let (status, out) = output_of(Options::default().user(1234, 5678, []), "echo out >>/dev/stdout");
    assert_eq!((status.unwrap(), out.as_str()), (0, "out\n"));
}

#[test]
fn what_a_child_of_an_init_leaves_behind_is_ended() {
    let _turn = turn();
    let budget = Duration::from_secs(3600);
    let script = "sleep 1000 >/dev/null & echo $!; exit 3";
    let (status, out) = output_of(Options::default().init(true).drain(budget), script);
    assert_eq!(status.unwrap(), 3);
    let left: u32 = out.trim().parse().unwrap();
    assert_eq!(status_field(left, "State"), None);
    // Others' children are not the executor's to end, or to wait for.
    let (status, out) = output_of(Options::default().drain(budget), script);
    assert_eq!(status.unwrap(), 3);
    let left: u32 = out.trim().parse().unwrap();
    assert!(status_field(left, "State").is_some());
    crate::sys::kill(left, libc::SIGKILL).unwrap();
    wait_for("it to go", || status_field(left, "State").is_none_or(|state| state.starts_with('Z')).then_some(()));
}

#[test]
fn the_signal_for_the_death_of_the_parent_is_that_of_the_newest_executor_and_is_put_back() {
    let _turn = turn();
    let now = || nix::sys::prctl::get_pdeathsig().unwrap().map(|signal| signal as i32);
    let executor = |signal| Executor::new(Options::default().parent_death_signal(signal)).unwrap();
    let before = now();
    // In either order of their ends.
    for newest_first in [true, false] {
        let (older, newer) = (executor(Signal::USR1), executor(Signal::USR2));
        assert_eq!(now(), Some(libc::SIGUSR2));
        let last = if newest_first {
            drop(newer);
            assert_eq!(now(), Some(libc::SIGUSR1));
            older
        } else {
            drop(older);
            assert_eq!(now(), Some(libc::SIGUSR2));
            newer
        };
        drop(last);
        assert_eq!(now(), before);
    }
}
