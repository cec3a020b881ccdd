//! Random lives: a way to run a command, a number of things that happen to it and to panicmon, and an end. Afterwards the
//! status is the one that was asked for, each signal has come once, and nobody is left.
//!
//! `PANICMON_TEST_SEED` names one life, to see it again.

use crate::support::{
    PROBE, Random, Running, Scratch, children, panicmon, spend, status_field, status_signals, wait_for,
    with_one_pipe_held,
};
use crate::sys;
use crate::terminal::shell::{INTERRUPT, SUSPEND, Screen};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

/// Ends the command with its value.
const END: i32 = 63;
/// For the message, and to be known again: not all that was sent may have come then.
const KILLED: &str = "kill -9 of panicmon";
/// These are counted.
const COUNTED: [i32; 3] = [40, 41, 50];

#[test]
fn lives_end_as_they_should() {
    lives(0..40);
}

#[test]
#[ignore = "a thousand lives take minutes"]
fn a_thousand_lives_end_as_they_should() {
    lives(1000..2000);
}

pub fn lives(seeds: std::ops::Range<u64>) {
    let only = std::env::var("PANICMON_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in only.map_or(seeds, |seed| seed..seed + 1) {
        let mut told = Vec::new();
        if catch_unwind(AssertUnwindSafe(|| life(seed, &mut told))).is_err() {
            panic!("PANICMON_TEST_SEED={seed}: {told:#?}");
        }
    }
}

fn life(seed: u64, told: &mut Vec<String>) {
    let mut random = Random::new(seed);
    // The first numbers of neighbours are alike.
    for _ in 0..10 {
        random.below(2);
    }
    match random.below(7) {
        0 => Life::plain(random, told, &[]),
        1 => Life::killed_after(random, told),
        2 => {
            let delay = format!("TERM={}ms", random.below(60));
            Life::plain(random, told, &["--delay", &delay]);
        }
        3 => Life::drained(random, told),
        4 => Life::restarted(random, told),
        5 => Life::of_a_file(random, told),
        _ => at_a_terminal(random, told),
    }
}

/// What a stop does to the command.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Exit(u8),
    Die,
    Nothing,
}

impl Answer {
    fn any(random: &mut Random) -> Answer {
        match random.below(3) {
            0 => Answer::Exit(0),
            1 => Answer::Exit(10 + random.below(100) as u8),
            _ => Answer::Die,
        }
    }

    fn rule(self, signal: i32) -> String {
        match self {
            Answer::Exit(code) => format!("{signal}=exit:{code}"),
            Answer::Die => format!("{signal}=die"),
            Answer::Nothing => "nothing".to_owned(),
        }
    }

    fn status(self, signal: i32) -> i32 {
        match self {
            Answer::Exit(code) => code.into(),
            Answer::Die => 128 + signal,
            Answer::Nothing => 128 + libc::SIGKILL,
        }
    }
}

/// A run of panicmon and what is known of it.
struct Life<'t> {
    random: Random,
    /// What was done, for the message of one that fails.
    told: &'t mut Vec<String>,
    running: Running,
    /// Counted signals that were sent, with a value each.
    sent: Vec<(i32, usize)>,
    /// Those that came, and to whom.
    came: Vec<(u32, i32, usize)>,
    /// Commands that are there.
    ready: Vec<u32>,
    helpers: Vec<u32>,
    /// Whom we have stopped.
    frozen: Vec<u32>,
}

impl<'t> Life<'t> {
    fn start(random: Random, told: &'t mut Vec<String>, options: &[&str], command: &[&str]) -> Life<'t> {
        told.push(format!("panicmon {options:?} {command:?}"));
        // All is blocked from the start: what comes before the command is ready waits for it. A test that a script has
        // started in the background ignores INT, and so would panicmon: then it is no stop.
        let mut prepared = Command::new(PROBE);
        prepared.args(["prepare", "default=2", "block-all", "--", &panicmon()]).args(options).args(command);
        let mut prepared = with_one_pipe_held(&prepared);
        // Without a terminal, wherever the tests run.
        sys::lead_session(&mut prepared, false);
        let running = Running::start(prepared);
        Life {
            random,
            told,
            running,
            sent: Vec::new(),
            came: Vec::new(),
            ready: Vec::new(),
            helpers: Vec::new(),
            frozen: Vec::new(),
        }
    }

    /// `panicmon OPTIONS -- probe live RULES`, once that is ready.
    fn of_one(random: Random, told: &'t mut Vec<String>, options: &[&str], rules: &[String]) -> Life<'t> {
        let mut words = vec!["--", PROBE, "live"];
        words.extend(rules.iter().map(String::as_str));
        let mut life = Life::start(random, told, options, &words);
        life.until("the command to be ready", |life| life.ready.len() == 1);
        life
    }

    /// One command; it ends by itself, by a stop, or is killed, or panicmon is.
    fn plain(mut random: Random, told: &'t mut Vec<String>, options: &[&str]) {
        let answer = Answer::any(&mut random);
        let rules = [answer.rule(libc::SIGTERM), answer.rule(libc::SIGINT)];
        let mut life = Life::of_one(random, told, options, &rules);
        life.some_things_happen();
        let status = match life.random.below(4) {
            0 => life.stop_with(answer),
            1 => life.end_command(),
            2 => life.kill_command(),
            _ => return life.kill_panicmon(),
        };
        life.ends_with(&[status]);
    }

    /// A grace period, long or short.
    fn killed_after(mut random: Random, told: &'t mut Vec<String>) {
        let answer = if random.below(2) == 0 { Answer::Nothing } else { Answer::any(&mut random) };
        let is_short = matches!(answer, Answer::Nothing) || random.below(2) == 0;
        let rules = [answer.rule(libc::SIGTERM), answer.rule(libc::SIGINT), "stubborn".to_owned()];
        let options = ["-k", if is_short { "30ms" } else { "1h" }];
        let mut life = Life::of_one(random, told, &options, &rules);
        life.some_things_happen();
        // A reload and a dump start no grace period: it is there still.
        life.send_one(libc::SIGHUP);
        life.send_one(libc::SIGQUIT);
        life.some_things_happen();
        if life.random.below(4) == 0 {
            return life.kill_panicmon();
        }
        let status = life.stop_with(answer);
        let killed = 128 + libc::SIGKILL;
        // What it leaves behind when it ends by itself is left: nothing else was asked for.
        let is_killed = life.ends_by(&[status, if is_short { killed } else { status }]) == killed;
        if !matches!(answer, Answer::Nothing) || !is_killed {
            life.kill_helpers();
        }
        life.nobody_is_left();
    }

    fn drained(mut random: Random, told: &'t mut Vec<String>) {
        let answer = Answer::any(&mut random);
        let mut rules = vec![answer.rule(libc::SIGTERM), answer.rule(libc::SIGINT)];
        let is_stubborn = random.below(2) == 0;
        for _ in 0..=random.below(4) {
            rules.push(if is_stubborn && random.below(2) == 0 { "stubborn" } else { "helper" }.to_owned());
        }
        // With an hour for those that don't end, somebody must be impatient.
        let is_long = random.below(2) == 0;
        let options = ["--drain", if is_long { "1h" } else { "20ms" }];
        let mut life = Life::of_one(random, told, &options, &rules);
        life.some_things_happen();
        let status = match life.random.below(3) {
            0 => life.stop_with(answer),
            1 => life.end_command(),
            _ => life.kill_command(),
        };
        if life.random.below(6) == 0 {
            return life.kill_panicmon_or_so_it_ends(Some(status));
        }
        life.wait_for_end_of_command();
        if life.random.below(2) == 0 {
            life.signal_panicmon(libc::SIGHUP);
        }
        if is_long && rules.contains(&"stubborn".to_owned()) {
            life.signal_panicmon(libc::SIGTERM);
            life.pass_time(2000);
            life.signal_panicmon(libc::SIGINT);
        }
        life.ends_with(&[status]);
    }

    fn restarted(mut random: Random, told: &'t mut Vec<String>) {
        let (answer, to_quit) = (Answer::any(&mut random), random.below(5));
        let quit = ["nothing", "3=exit:0", "3=exit:131", "3=die", "3=exit:9"][to_quit as usize];
        let mut rules = vec![answer.rule(libc::SIGTERM), answer.rule(libc::SIGINT), quit.to_owned()];
        // Left behind by each run, and ended after it.
        rules.extend((0..random.below(3)).map(|_| "helper".to_owned()));
        let on_failure = random.below(2) == 0;
        let when = if on_failure { "--restart=on-failure" } else { "--restart=always" };
        let mut life = Life::of_one(random, told, &[when, "-q", "--min-wait=1ms", "--max-wait=4ms"], &rules);
        for _ in 0..life.random.below(4) {
            life.some_things_happen();
            life.all_have_come();
            let runs = life.ready.len();
            match life.random.below(3) {
                0 if to_quit == 4 => {
                    // An end that is none of those of a QUIT that ends it all: it is started again.
                    life.signal_panicmon(libc::SIGQUIT);
                }
                0 => drop(life.end_command_with(1 + life.running.pid() as u8 % 100)),
                _ => drop(life.kill_command()),
            }
            if life.random.below(2) == 0 {
                // What comes between two runs is the next one's.
                life.wait_for_end_of_command();
                life.queue_some();
            }
            life.until("the next run", |life| life.ready.len() > runs);
        }
        life.some_things_happen();
        let statuses = match life.random.below(5) {
            0 => vec![life.stop_with(answer)],
            1 => {
                // In the middle of a restart: what it has ended with, or as the next run answers.
                life.all_have_come();
                let killed = life.kill_command();
                life.pass_time(8000);
                vec![killed, life.stop_with_late(answer)]
            }
            2 if on_failure => {
                life.all_have_come();
                vec![life.end_command_with(0)]
            }
            3 if (1..4).contains(&to_quit) => {
                life.all_have_come();
                life.signal_panicmon(libc::SIGQUIT);
                vec![if to_quit == 1 { 0 } else { 128 + libc::SIGQUIT }]
            }
            _ => return life.kill_panicmon(),
        };
        life.ends_with(&statuses);
    }

    fn of_a_file(mut random: Random, told: &'t mut Vec<String>) {
        // Of many there is an index, and the kernel keeps track of their pipes, which a child of still more doesn't copy.
        let count = if random.below(3) == 0 { 20 + random.below(30) } else { 1 + random.below(3) } as usize;
        let mut file = "processes:\n".to_owned();
        for number in 0..count {
            let (answer, wait) = match random.below(3) {
                0 => (Answer::Nothing, "30ms"),
                1 => (Answer::Exit(random.below(3) as u8), "1h"),
                _ => (Answer::Die, "1h"),
            };
            // A stubborn one is killed when the time is up.
            let left = match random.below(3) {
                0 => ", helper",
                1 if wait == "30ms" => ", helper, stubborn",
                _ => "",
            };
            file += &format!(
                "- {{name: p{number}, cmd: '{PROBE}', args: [live, '{}'{left}], minWait: 1ms, maxWait: 4ms, sigKillWait: {wait}}}\n",
                answer.rule(libc::SIGINT)
            );
        }
        told.push(file.clone());
        let file = Scratch::new(&file);
        let mut life = Life::start(random, told, &["--config", file.0.to_str().unwrap()], &[]);
        life.until("all to be ready", |life| life.ready.len() == count);
        let mut ended = 0;
        for _ in 0..life.random.below(6) {
            match life.random.below(5) {
                0 => {
                    life.all_have_come();
                    let at = life.random.below(count as u64) as usize;
                    let pid = life.ready.remove(at);
                    life.told.push(format!("kill -9 {pid}"));
                    sys::kill(pid, libc::SIGKILL).unwrap();
                    ended += 1;
                    life.until("it to be started again", |life| life.ready.len() == count);
                }
                1 => life.freeze(),
                _ => life.something_happens(),
            }
        }
        if life.random.below(4) == 0 {
            return life.kill_panicmon();
        }
        life.told.push(format!("{ended} ended"));
        life.all_have_come();
        let stop = life.any_stop();
        life.signal_panicmon(stop);
        if life.random.below(4) == 0 {
            // It is no stop.
            life.signal_panicmon(libc::SIGUSR2);
        }
        life.ends_with(&[0]);
    }

    /// Up to six things.
    fn some_things_happen(&mut self) {
        for _ in 0..self.random.below(7) {
            self.something_happens();
        }
    }

    fn something_happens(&mut self) {
        match self.random.below(8) {
            0..3 => self.queue_some(),
            3 => self.all_have_come(),
            4 => {
                let signal =
                    [libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2, libc::SIGWINCH][self.random.below(4) as usize];
                self.send_one(signal);
            }
            5 => self.freeze(),
            6 => self.thaw(),
            _ => self.pass_time(3000),
        }
    }

    fn pass_time(&mut self, most: u64) {
        let time = self.random.below(most);
        self.told.push(format!("{time} µs"));
        spend(Duration::from_micros(time));
    }

    fn signal_panicmon(&mut self, signal: i32) {
        self.told.push(format!("signal {signal}"));
        self.running.kill(signal);
    }

    /// Signals that are counted.
    fn queue_some(&mut self) {
        for _ in 0..=self.random.below(20) {
            let signal = COUNTED[self.random.below(COUNTED.len() as u64) as usize];
            let value = self.sent.len();
            sys::queue(self.running.pid(), signal, value).unwrap();
            self.sent.push((signal, value));
        }
        self.told.push(format!("queued up to {}", self.sent.len()));
    }

    /// One that may coalesce with another is waited for, so that it can be counted, too.
    fn send_one(&mut self, signal: i32) {
        self.thaw();
        let count = |life: &Life<'_>, pid| life.came.iter().filter(|came| (came.0, came.1) == (pid, signal)).count();
        let before: Vec<_> = self.ready.iter().map(|pid| (*pid, count(self, *pid))).collect();
        let current = before.len().saturating_sub(self.current().len());
        self.signal_panicmon(signal);
        self.until("the signal", |life| before[current..].iter().all(|(pid, before)| count(life, *pid) > *before));
        assert!(before.iter().all(|(pid, before)| count(self, *pid) <= before + 1), "{signal} came twice");
    }

    /// Those of the commands that run: of one that is started again the last.
    fn current(&self) -> &[u32] {
        let from = self.ready.iter().rposition(|pid| is_gone(*pid)).map_or(0, |at| at + 1);
        &self.ready[from..]
    }

    /// Stops panicmon or a command by SIGSTOP.
    fn freeze(&mut self) {
        let current = self.current().to_vec();
        let who = match self.random.below(2) {
            0 => self.running.pid(),
            _ => current[self.random.below(current.len() as u64) as usize],
        };
        self.told.push(format!("SIGSTOP to {who}"));
        sys::kill(who, libc::SIGSTOP).unwrap();
        wait_for("it to be stopped", || status_field(who, "State")?.starts_with('T').then_some(()));
        self.frozen.push(who);
    }

    fn thaw(&mut self) {
        for pid in std::mem::take(&mut self.frozen) {
            self.told.push(format!("SIGCONT to {pid}"));
            sys::kill(pid, libc::SIGCONT).unwrap();
            if pid == self.running.pid() {
                // It passes that on, and a command that is stopped before would go on by it.
                wait_for("panicmon to go on", || {
                    let state = status_field(pid, "State")?;
                    (state.starts_with('Z') || state.starts_with('S') && status_signals(pid, "ShdPnd") == 0)
                        .then_some(())
                });
            }
        }
    }

    /// Waits until all that was queued has come, to all that run.
    fn all_have_come(&mut self) {
        self.thaw();
        let sent = self.sent.clone();
        self.until("all signals", |life| {
            sent.iter().all(|sent| life.came.iter().any(|came| (came.1, came.2) == *sent))
        });
    }

    fn any_stop(&mut self) -> i32 {
        [libc::SIGTERM, libc::SIGINT][self.random.below(2) as usize]
    }

    /// Returns the status that is right then.
    fn stop_with(&mut self, answer: Answer) -> i32 {
        self.all_have_come();
        self.stop_with_late(answer)
    }

    fn stop_with_late(&mut self, answer: Answer) -> i32 {
        if let (1, [pid]) = (self.random.below(4), self.current()) {
            // It is stopped, and continued when the stop has come.
            let pid = *pid;
            self.told.push(format!("SIGSTOP to {pid}, until"));
            let _ = sys::kill(pid, libc::SIGSTOP);
            self.frozen.push(pid);
        }
        let stop = self.any_stop();
        self.signal_panicmon(stop);
        for pid in std::mem::take(&mut self.frozen) {
            let _ = sys::kill(pid, libc::SIGCONT);
        }
        answer.status(stop)
    }

    fn end_command(&mut self) -> i32 {
        let code = self.random.below(100) as u8;
        self.all_have_come();
        self.end_command_with(code)
    }

    fn end_command_with(&mut self, code: u8) -> i32 {
        self.told.push(format!("the command is to end with {code}"));
        sys::queue(self.running.pid(), END, code.into()).unwrap();
        code.into()
    }

    fn kill_command(&mut self) -> i32 {
        self.all_have_come();
        let pid = *self.ready.last().unwrap();
        self.told.push(format!("kill -9 {pid}"));
        sys::kill(pid, libc::SIGKILL).unwrap();
        128 + libc::SIGKILL
    }

    fn wait_for_end_of_command(&self) {
        let pid = *self.ready.last().unwrap();
        wait_for("the command to be reaped", || status_field(pid, "State").is_none().then_some(()));
    }

    /// SIGKILL to panicmon: the commands are gone; what they have started may be there.
    fn kill_panicmon(self) {
        self.kill_panicmon_or_so_it_ends(None);
    }

    /// The same where it may have ended with this status before.
    fn kill_panicmon_or_so_it_ends(mut self, status: Option<i32>) {
        self.told.push(KILLED.to_owned());
        self.running.kill(libc::SIGKILL);
        let end = self.running.wait();
        assert!(end.signal() == Some(libc::SIGKILL) || status.is_some() && end.code() == status, "{end}");
        for pid in &self.ready {
            wait_for("the command to be gone", || is_gone(*pid).then_some(()));
        }
        self.kill_helpers();
        self.nobody_is_left();
    }

    fn kill_helpers(&self) {
        for pid in &self.helpers {
            let _ = sys::kill(*pid, libc::SIGKILL);
        }
    }

    fn ends_with(mut self, statuses: &[i32]) {
        self.ends_by(statuses);
        self.nobody_is_left();
    }

    fn ends_by(&mut self, statuses: &[i32]) -> i32 {
        // Before the end of its output, which one that it leaves behind may hold. What it says still has room in the pipe.
        let status = self.running.code();
        assert!(statuses.contains(&status), "{status} isn't in {statuses:?}");
        status
    }

    /// Nobody has its pipe open any more, and those who have said that they are there are gone.
    fn nobody_is_left(&mut self) {
        while self.read_line() {}
        for pid in self.ready.iter().chain(&self.helpers) {
            wait_for("it to be gone", || is_gone(*pid).then_some(()));
        }
        let is_complete = !self.told.iter().any(|told| told == KILLED);
        self.signals_came_once(is_complete);
    }

    /// Each to each command that was there, in the order in which they were sent.
    fn signals_came_once(&self, is_complete: bool) {
        let mut came: BTreeMap<(u32, i32), Vec<usize>> = BTreeMap::new();
        for (pid, signal, value) in self.came.iter().filter(|came| COUNTED.contains(&came.1)) {
            came.entry((*pid, *signal)).or_default().push(*value);
        }
        for (who, values) in &came {
            assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "twice, or out of order, to {who:?}: {values:?}");
        }
        for (signal, value) in self.sent.iter().filter(|_| is_complete) {
            let to = came.iter().filter(|((_, number), values)| number == signal && values.contains(value)).count();
            assert!(to > 0, "{signal} with value {value} is lost");
        }
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Life<'_>) -> bool) {
        while !is_so(self) {
            let goes_on = self.read_line();
            assert!(goes_on, "it ended; waited in vain for {what}");
        }
    }

    /// Takes in the next line; none at the end.
    fn read_line(&mut self) -> bool {
        let Some(line) = self.running.line() else { return false };
        assert!(!line.contains("panicked"), "{line}");
        // Behind the label of one of several.
        let said = line.split_once("› ").map_or(line.as_str(), |(_, said)| said);
        let words: Vec<&str> = said.split(' ').collect();
        let number = |word: &str| word.parse::<u32>().unwrap_or(0);
        match words.as_slice() {
            ["ready", pid] => self.ready.push(number(pid)),
            ["helper", pid] => self.helpers.push(number(pid)),
            ["came", signal, value, pid] => {
                self.came.push((number(pid), number(signal) as i32, value.parse().unwrap_or(usize::MAX)));
            }
            _ => self.told.push(format!("said: {line}")),
        }
        true
    }
}

impl Drop for Life<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let came = |sent: &(i32, usize)| self.came.iter().any(|came| (came.1, came.2) == *sent);
            let missing: Vec<_> = self.sent.iter().filter(|sent| !came(sent)).collect();
            self.told.push(format!("ready were {:?}; signals that didn't come: {missing:?}", self.ready));
            let pid = self.running.pid();
            let fields = ["State", "SigPnd", "ShdPnd", "SigBlk"].map(|field| (field, status_field(pid, field)));
            self.told.push(format!("panicmon {pid}: {fields:?}, its children {:?}", children(pid)));
            // Frozen, it couldn't end those it has started.
            let _ = sys::kill(self.running.pid(), libc::SIGKILL);
            self.kill_helpers();
        }
    }
}

fn is_gone(pid: u32) -> bool {
    status_field(pid, "State").is_none_or(|state| state.starts_with('Z'))
}

/// A job of a shell: ^Z and fg, stopped by others, ^C.
fn at_a_terminal(mut random: Random, told: &mut Vec<String>) {
    let file = Scratch::new("");
    let path = file.0.to_str().unwrap().to_owned();
    let said = |word: &str| {
        let text = fs::read_to_string(&path).unwrap();
        text.lines().filter_map(|line| Some(line.strip_prefix(word)?.trim().to_owned())).collect::<Vec<_>>()
    };
    let came = |signal: i32| said("came").iter().filter(|line| line.starts_with(&format!("{signal} "))).count();
    let answer = Answer::any(&mut random);
    let wrapper = ["panicmon --", "panicmon -- panicmon --"][random.below(2) as usize];
    let mut screen = Screen::with_shell(wrapper);
    let line = format!("{{}} probe live out={path} 20=stop {}", answer.rule(libc::SIGINT));
    told.push(format!("{wrapper} {line}"));
    screen.line(&line);
    wait_for("the command to be ready", || (said("ready").len() == 1).then_some(()));
    let command: u32 = said("ready")[0].parse().unwrap();
    let is_stopped = || status_field(command, "State").is_some_and(|state| state.starts_with('T'));
    let mut sent = Vec::new();
    for _ in 0..random.below(5) {
        match random.below(3) {
            0 => {
                let value = sent.len();
                told.push(format!("signal 40 with {value}"));
                sys::queue(screen.job(), 40, value).unwrap();
                sent.push(value);
            }
            one => {
                if one == 1 {
                    told.push("^Z".to_owned());
                    screen.press(SUSPEND);
                } else {
                    told.push("SIGSTOP to the command".to_owned());
                    sys::kill(command, libc::SIGSTOP).unwrap();
                }
                assert_eq!(screen.status(), 128 + libc::SIGSTOP);
                wait_for("the command to be stopped", || is_stopped().then_some(()));
                screen.line("fg");
                wait_for("the command to be continued", || (!is_stopped()).then_some(()));
            }
        }
    }
    wait_for("all signals", || (came(40) == sent.len()).then_some(()));
    screen.shell_lost_terminal();
    let status = match random.below(3) {
        0 => {
            told.push("^C".to_owned());
            screen.press(INTERRUPT);
            answer.status(libc::SIGINT)
        }
        1 => {
            told.push("kill -9 of the command".to_owned());
            sys::kill(command, libc::SIGKILL).unwrap();
            128 + libc::SIGKILL
        }
        _ => {
            told.push("kill -9 of panicmon".to_owned());
            sys::kill(screen.job(), libc::SIGKILL).unwrap();
            128 + libc::SIGKILL
        }
    };
    assert_eq!(screen.status(), status);
    screen.alone();
    assert_eq!(came(40), sent.len());
}
