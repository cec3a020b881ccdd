//! The helper of the tests: does what it is told and reports what it saw.
//!
//! | words | what it does |
//! |---|---|
//! | `prepare OP... -- COMMAND ARG...` | changes what is inherited, then executes the command |
//! | `pause` | says that it is there (its name becomes `ready`) and does nothing for ever |
//! | `exit CODE` · `die SIGNAL` | ends |
//! | `receive` | blocks all signals and prints a line for each one that comes, to the end of time |
//! | `receive-by-thread` | the same by a thread other than the first |
//! | `exit-after COUNT CODE` | the same without printing, and exits after COUNT signals |
//! | `live [out=PATH] RULE...` | blocks all signals, says `ready PID`, and for each one that comes, `came SIGNAL VALUE PID`. 63 ends it with its value. A rule: `SIGNAL=exit:CODE`, `SIGNAL=die`, `SIGNAL=stop`, `SIGNAL=orphans:COUNT` (processes that end at once), `SIGNAL=lines:COUNT` (written at once, then `wrote PID`), `SIGNAL=notify:TEXT`, `helper` (a process that pauses, of whom it says `helper PID`), `stubborn` (one that blocks all signals), `away` (the same in a session of its own) |
//! | `speak CODE` · `leave CODE` | writes a line to stdout and one to stderr, and exits; `leave` leaves a process behind that pauses |
//! | `await SIGNAL CODE` | blocks all signals, says that it is ready, and exits when this one comes |
//! | `block-until PATH` | blocks all signals, says that it is ready, and unblocks them when it can read from that FIFO; says so, and pauses |
//! | `until SIGNAL CODE` | blocks all signals, and exits when this one comes |
//! | `enlarge-and-write BYTES` | makes its stdout, a pipe, hold a megabyte, and fills it |
//! | `queue PID COUNT SIGNAL...` | queues each signal COUNT times, with the values 0, 1, 2, … , trying again when there is no room |
//! | `orphans COUNT` | orphans COUNT processes that end at once, says so, and pauses |
//! | `living-orphan` | orphans a process that pauses, prints its pid, and pauses |
//! | `chain COUNT` | becomes the first of a chain of COUNT processes, each the child of the one before; they block all signals and pause, and the last says that it is ready |
//! | `burst COUNT CODE` | orphans COUNT processes, then ends together with all of them |
//! | `host COMMAND ARG...` | runs the command by the library, from a thread, again and again |
//! | `host-with-handler COMMAND ARG...` | the same from its first thread, and says `handled` when USR2 comes |
//! | `host-once COMMAND ARG...` · `host-job-control COMMAND ARG...` | runs it once by the library, without or with job control, and ends with its status |
//! | `host-job-control-twice COMMAND ARG...` | the same twice with one executor; says how the first ended |
//! | `notify TEXT...` · `notify-and-pause TEXT` | sends each to NOTIFY_SOCKET |
//! | `notify-as-path TEXT` · `notify-padded TEXT` | the same as a client that knows paths only, or one that pads an abstract name |
//! | `notify-lingering PORT TEXT` · `notify-deaf-fuse TEXT` | sends it with a descriptor whose close waits |
//! | `notify-with COUNT TEXT` | sends it with COUNT descriptors, says so, and pauses |
//! | `notify-barrier` | sends a descriptor to be stored, and a barrier; says when it waits for that, and when it is passed |
//! | `listen-fds` | says hello to the socket that LISTEN_FDS tells of, if LISTEN_PID is its own |
//! | `fill-memory` | takes memory to the end of time |
//! | `end-first-thread` | says that it is ready, and goes on in another thread only |
//! | `close-stdout` | closes its stdout and pauses |

use crate::{notify, sys};
use std::ffi::CStr;
use std::io::{Read, Write};

/// It is the same by any name.
pub fn called(_name: &'static CStr) {}

pub fn run(args: &[&'static CStr], env: &[&'static CStr]) -> u8 {
    let words: Vec<&str> = args.iter().skip(1).map(|word| word.to_str().unwrap_or_default()).collect();
    match words.as_slice() {
        ["prepare", ..] => prepare(&args[2..], env),
        ["pause", ..] => pause(),
        ["exit", code] => number(code) as u8,
        ["die", signal] => sys::die(number(signal)),
        ["receive"] => receive(),
        ["receive-by-thread"] => {
            sys::block(u64::MAX);
            std::thread::spawn(receive);
            pause()
        }
        ["exit-after", count, code] => exit_after(number(count), number(code) as u8),
        ["live", rules @ ..] => live(rules),
        ["speak", code] => speak(number(code) as u8),
        ["leave", code] => {
            sys::fork(|| helper(0));
            speak(number(code) as u8)
        }
        ["await", signal, code] => {
            sys::block(u64::MAX);
            say("ready");
            until(number(signal), number(code) as u8)
        }
        ["block-until", path] => {
            sys::block(u64::MAX);
            say("ready");
            let read = std::fs::File::open(path).and_then(|mut fifo| fifo.read_exact(&mut [0]));
            sys::unblock(u64::MAX);
            say(&format!("unblocked: {read:?}"));
            pause()
        }
        ["until", signal, code] => until(number(signal), number(code) as u8),
        ["enlarge-and-write", bytes] => {
            sys::enlarge_pipe(1, 1 << 20);
            sys::write(1, &vec![b'x'; number(bytes) as usize]);
            0
        }
        ["queue", pid, count, signals @ ..] => queue(number(pid), number(count), signals),
        ["orphans", count] => orphans(number(count)),
        ["living-orphan"] => living_orphan(),
        ["chain", count] => {
            sys::block(u64::MAX);
            chain(number(count))
        }
        ["burst", count, code] => burst(number(count), number(code) as u8),
        ["host", ..] => host(&words[1..]),
        ["host-with-handler", ..] => {
            sys::say_when(libc::SIGUSR2);
            complain(&format!("{:?}", run_for_ever(&words[1..])))
        }
        ["host-once", ..] => host_once(&words[1..], false),
        ["host-job-control", ..] => host_once(&words[1..], true),
        ["host-job-control-twice", ..] => host_twice(&words[1..]),
        ["notify", texts @ ..] => texts.iter().map(|text| notify::send(text, &[])).max().unwrap_or(0),
        ["notify-as-path", text] => notify::send_as(notify::Reading::Path, text, &[]),
        ["notify-padded", text] => notify::send_as(notify::Reading::Padded, text, &[]),
        ["notify-lingering", port, text] => notify::lingering(number(port) as u16, text),
        ["notify-deaf-fuse", text] => notify::deaf_fuse(text),
        ["notify-and-pause", text] => {
            notify::send(text, &[]);
            pause()
        }
        ["notify-with", count, text] => {
            say(&format!("sent: {}", notify::send(text, &vec![0; number(count) as usize])));
            pause()
        }
        ["notify-barrier"] => notify::barrier(),
        ["listen-fds"] => notify::listen_fds(),
        ["fill-memory"] => {
            let mut all = Vec::new();
            loop {
                all.push(vec![1u8; 1 << 20]);
            }
        }
        ["end-first-thread"] => {
            std::thread::spawn(|| {
                say("ready");
                pause()
            });
            sys::end_thread()
        }
        ["close-stdout"] => {
            sys::close(1);
            pause()
        }
        _ => complain(&format!("no such words: {words:?}")),
    }
}

pub fn complain(message: &str) -> u8 {
    let _ = writeln!(std::io::stderr(), "probe: {message}");
    99
}

fn number(word: &str) -> i32 {
    word.parse().unwrap_or(-1)
}

/// Whether there is anybody to hear it.
pub fn say(line: &str) -> bool {
    sys::write(1, format!("{line}\n").as_bytes())
}

fn speak(code: u8) -> u8 {
    say("out");
    sys::write(2, b"err\n");
    code
}

pub fn pause() -> u8 {
    sys::set_name(c"ready");
    loop {
        sys::pause();
    }
}

fn prepare(words: &[&'static CStr], env: &[&'static CStr]) -> u8 {
    let Some(end) = words.iter().position(|word| *word == c"--") else { return complain("prepare without --") };
    let mut env = env;
    for op in &words[..end] {
        let op = op.to_str().unwrap_or_default();
        let (name, value) = op.split_once('=').unwrap_or((op, ""));
        match name {
            "ignore" => sys::ignore(number(value)),
            "default" => sys::leave_to_default(number(value)),
            "block" => sys::block(1 << (number(value) - 1)),
            "block-all" => sys::block(u64::MAX),
            "close" => sys::close(number(value)),
            // An open file with an offset, and the flag that is inherited with it.
            "open" => sys::open_at(c"/etc/passwd", number(value), i64::from(number(value)) * 3),
            "nofile" => sys::limit(libc::RLIMIT_NOFILE, number(value) as u64),
            "address-space" => sys::limit(libc::RLIMIT_AS, number(value) as u64),
            "sigpending" => sys::limit(libc::RLIMIT_SIGPENDING, number(value) as u64),
            "umask" => sys::umask(number(value) as u32),
            "cwd" => sys::chdir(c"/usr"),
            // Real ids stay as they are, as a set-user-id program leaves them.
            "effective-user" => sys::set_effective(libc::SYS_setresuid, number(value)),
            "effective-group" => sys::set_effective(libc::SYS_setresgid, number(value)),
            "leave-group" => sys::leave_group(),
            // A system call that is refused from now on, by EPERM or what is named after a colon.
            "refuse" => {
                let (call, errno) =
                    value.split_once(':').map_or((value, libc::EPERM), |(call, errno)| (call, number(errno)));
                sys::refuse(number(call), errno);
            }
            "end-at" => sys::end_at(number(value)),
            "refuse-terminal" => sys::refuse_terminal(number(value)),
            "refuse-ioctl" => {
                let (request, errno) = value.split_once(':').unwrap_or((value, "1"));
                sys::refuse_ioctl(number(request), number(errno));
            }
            "refuse-shared-memory" => sys::refuse_shared_memory(),
            "refuse-subreaper" => sys::refuse_subreaper(),
            "stop" => sys::stop(),
            "odd-environment" => env = &[c"A=1", c"A=2", c"no-equals-sign", c"=", c"", c"B=\xff\xfe", c"A=3"],
            "say" => drop(say(value)),
            _ => return complain(&format!("no such preparation: {op}")),
        }
    }
    sys::exec(&words[end + 1..], env);
    complain("can't execute the prepared command")
}

fn receive() -> u8 {
    sys::block(u64::MAX);
    say("ready");
    loop {
        let came = sys::wait_for_signal();
        if !say(&format!("{} {} {} {}", came.signal, came.code, came.pid, came.value)) {
            return 0;
        }
    }
}

fn live(rules: &[&str]) -> u8 {
    sys::block(u64::MAX);
    let own = std::process::id();
    for rule in rules {
        match rule.split_once('=').unwrap_or((rule, "")) {
            ("out", path) => sys::append_to(path),
            ("helper", _) => drop(say(&format!("helper {}", sys::fork(|| helper(u64::MAX))))),
            ("stubborn", _) => drop(say(&format!("helper {}", sys::fork(|| helper(0))))),
            ("away", _) => drop(say(&format!("helper {}", sys::fork(away)))),
            _ => {}
        }
    }
    say(&format!("ready {own}"));
    loop {
        let came = sys::wait_for_signal();
        say(&format!("came {} {} {own}", came.signal, came.value));
        if came.signal == 63 {
            return came.value as u8;
        }
        let rule = rules.iter().filter_map(|rule| rule.split_once('=')).find(|rule| number(rule.0) == came.signal);
        match rule.map(|rule| rule.1.split_once(':').unwrap_or((rule.1, ""))) {
            Some(("exit", code)) => return number(code) as u8,
            Some(("die", _)) => sys::die(came.signal),
            Some(("stop", _)) => sys::stop(),
            Some(("orphans", count)) => orphan(number(count)),
            Some(("lines", count)) => {
                let lines = "a line of a few words\n".repeat(number(count) as usize);
                sys::write(1, format!("{lines}wrote {own}\n").as_bytes());
            }
            Some(("notify", text)) => drop(notify::send(text, &[])),
            _ => {}
        }
    }
}

fn helper(unblocked: u64) -> i32 {
    sys::unblock(unblocked);
    i32::from(pause())
}

fn away() -> i32 {
    let _ = nix::unistd::setsid();
    helper(0)
}

fn exit_after(count: i32, code: u8) -> u8 {
    sys::block(u64::MAX);
    say("ready");
    for _ in 0..count {
        sys::wait_for_signal();
    }
    code
}

fn until(signal: i32, code: u8) -> u8 {
    sys::block(u64::MAX);
    while sys::wait_for_signal().signal != signal {}
    code
}

fn queue(pid: i32, count: i32, signals: &[&str]) -> u8 {
    for value in 0..count {
        for signal in signals {
            while !sys::queue(pid, number(signal), value as usize) {
                sys::give_way();
            }
        }
    }
    0
}

fn orphans(count: i32) -> u8 {
    orphan(count);
    say("done");
    pause()
}

/// Orphans processes that end at once.
fn orphan(count: i32) {
    for _ in 0..count {
        sys::in_child(|| {
            sys::fork(|| 0);
            0
        });
    }
}

fn living_orphan() -> u8 {
    sys::in_child(|| {
        say(&sys::fork(|| i32::from(pause())).to_string());
        0
    });
    pause()
}

fn chain(count: i32) -> u8 {
    if count > 1 {
        if sys::fork(|| i32::from(chain(count - 1))) < 0 {
            return complain(&format!("{count} are missing: {}", std::io::Error::last_os_error()));
        }
    } else {
        say("ready");
    }
    pause()
}

fn burst(count: i32, code: u8) -> u8 {
    let (read, write) = sys::pipe();
    sys::in_child(|| {
        for _ in 0..count {
            sys::fork(|| {
                sys::close(write);
                sys::read_to_end(read);
                0
            });
        }
        0
    });
    // All of them are waiting for this process to end, and with it the pipe.
    code
}

fn host(command: &[&str]) -> u8 {
    std::thread::scope(|scope| {
        let result = scope.spawn(|| run_for_ever(command)).join();
        complain(&format!("{result:?}"))
    })
}

fn host_once(command: &[&str], job_control: bool) -> u8 {
    let options = panicmon::Options::default().job_control(job_control);
    let ended = panicmon::Executor::new(options).and_then(|mut executor| executor.run(command));
    ended.map_or_else(|error| complain(&error.to_string()), panicmon::StatusCode::get)
}

fn host_twice(command: &[&str]) -> u8 {
    let Ok(mut executor) = panicmon::Executor::new(panicmon::Options::default().job_control(true)) else { return 99 };
    say(&format!("{:?}", executor.run(command)));
    executor.run(command).map_or_else(|error| complain(&error.to_string()), panicmon::StatusCode::get)
}

fn run_for_ever(command: &[&str]) -> Result<(), panicmon::Error> {
    let mut executor = panicmon::Executor::new(panicmon::Options::default())?;
    loop {
        executor.run(command)?;
    }
}
