//! Long lives: panicmons of all kinds to which something happens most of the time, for an hour. Memory and descriptors are
//! the same from the tenth minute on, and nobody wakes up while nothing happens.
//!
//! `PANICMON_SOAK_MINUTES` gives other minutes. Show the samples by `--nocapture`:
//! `cargo test --test suite -- --ignored --nocapture an_hour_of_lives`

use crate::support::{PROBE, Random, Running, Scratch, panicmon, spend, status_field, wait_for, with_one_pipe};
use crate::sys;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::panic::catch_unwind;
use std::process::Command;
use std::time::{Duration, Instant};

/// Of each minute this is left for all to be done, and for nothing to happen.
const QUIET: Duration = Duration::from_secs(15);
/// The time in which nothing happens.
const SPELL: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
/// From this minute on nothing may grow; in a shorter run, from a third of it on.
const WARM_MINUTE: u64 = 10;
/// The private memory that may be written for the first time after that. A look for descendants takes some for each process
/// of the machine, of which there may be more later on; so the least of the last third is compared with the most before.
const SLACK_KIB: u64 = 16;

/// What `live` does when they come.
const COUNTED: [i32; 3] = [40, 41, 50];
const ORPHANS: i32 = 51;
const LINES: i32 = 52;
const NOTIFY: i32 = 53;
const END: i32 = 63;

/// The rules of each command.
const RULES: [&str; 5] = ["51=orphans:3", "52=lines:200", "53=notify:STATUS=here", "15=exit:7", "2=exit:7"];

#[test]
#[ignore = "an hour"]
fn an_hour_of_lives_leaves_nothing_behind() {
    let minutes = std::env::var("PANICMON_SOAK_MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(60);
    let warm = WARM_MINUTE.min(minutes / 3);
    let manager = Manager::new();
    let mut random = Random::new(std::process::id().into());
    let file = file();
    let reports = Scratch::folder();
    let watched = watched(&reports);
    let mut all = vec![
        Long::start("plain", &[], &[], &manager),
        Long::start("label", &["--label=x", "--timestamps=rfc3339"], &[], &manager),
        Long::start("restart", &["--restart=always", "-q", "--min-wait=1ms", "--max-wait=4ms"], &["helper"], &manager),
        Long::start(
            "drain",
            &["--drain=20ms", "--restart=always", "-q", "--min-wait=1ms", "--max-wait=4ms"],
            &["helper", "stubborn"],
            &manager,
        ),
        Long::start("reports", &watched.iter().map(String::as_str).collect::<Vec<_>>(), &["helper"], &manager),
        Long::of_a_file("config", &file),
    ];
    let first_seed = u64::from(std::process::id()) << 16;
    let (mut seed, mut failed) = (first_seed, 0);
    let start = Instant::now();
    for minute in 1..=minutes {
        let quiet_at = start + MINUTE * minute as u32 - QUIET;
        while Instant::now() < quiet_at {
            for long in &mut all {
                (0..10).for_each(|_| long.something_happens(&mut random, &manager));
            }
            // Short ones beside them, at a terminal too. One that fails says so, and doesn't end the others.
            failed += u32::from(catch_unwind(|| crate::lives::lives(seed..seed + 1)).is_err());
            seed += 1;
        }
        all.iter().for_each(Long::settle);
        let before: Vec<_> = all.iter().map(|long| wakes(long.running.pid())).collect();
        // Nothing is waited for: this is the time in which nothing may happen.
        spend(SPELL);
        for (long, before) in all.iter_mut().zip(before) {
            long.take_sample(minute, before);
        }
    }
    for long in &all {
        long.is_flat_from(warm);
    }
    println!("{} short lives beside them", seed - first_seed);
    all.into_iter().for_each(Long::stop);
    assert_eq!(failed, 0, "short lives that failed");
}

/// All that is told of a command, to all that it can be told to. Its events go where they take no room.
fn watched(reports: &Scratch) -> Vec<String> {
    let folder = reports.0.display();
    let mut options: Vec<String> =
        ["--restart=always", "-q", "--min-wait=1ms", "--max-wait=4ms"].map(str::to_owned).to_vec();
    options
        .extend(["--stderr-tail=4K", "--stdout-tail=4K", "--hook=/bin/true", "--events=/dev/null"].map(str::to_owned));
    options.extend(["--hook-on=exited,restart.scheduled", "--report-keep=3"].map(str::to_owned));
    options.extend([
        format!("--report={folder}"),
        format!("--metrics={folder}/x.prom"),
        format!("--termination-log={folder}/termination.log"),
    ]);
    options
}

/// Three processes of a file, two of which leave somebody behind.
fn file() -> Scratch {
    let one = |name: &str, more: &str| {
        let rules: Vec<_> = RULES.iter().map(|rule| format!("'{rule}'")).collect();
        let rules = rules.join(", ");
        format!(
            "- {{name: {name}, cmd: '{PROBE}', args: [live, {rules}{more}], minWait: 1ms, maxWait: 4ms, sigKillWait: 20ms}}\n"
        )
    };
    Scratch::new(&format!("processes:\n{}{}{}", one("a", ""), one("b", ", helper"), one("c", ", helper, stubborn")))
}

/// What is counted in one minute.
#[derive(Debug)]
struct Sample {
    minute: u64,
    rss_kib: u64,
    private_kib: u64,
    descriptors: usize,
    wakes: u64,
}

/// One panicmon, for all the time.
struct Long {
    name: &'static str,
    running: Running,
    is_restarted: bool,
    /// The commands that are there.
    ready: BTreeSet<u32>,
    /// How many there are when none has just ended.
    count: usize,
    /// The last value that was sent along with a signal.
    value: usize,
    /// What came lately.
    came: BTreeSet<(u32, i32, usize)>,
    wrote: Vec<u32>,
    happened: u64,
    samples: Vec<Sample>,
}

impl Long {
    fn start(name: &'static str, options: &[&str], more: &[&str], manager: &Manager) -> Long {
        let mut command = Command::new(panicmon());
        command.args(options).args(["--", PROBE, "live"]).args(RULES).args(more);
        let mut command = with_one_pipe(&command);
        command.env("NOTIFY_SOCKET", &manager.path.0);
        Long::new(name, command, 1, options.contains(&"--restart=always"))
    }

    fn of_a_file(name: &'static str, file: &Scratch) -> Long {
        let mut command = Command::new(panicmon());
        command.arg("--config").arg(&file.0).env_remove("NOTIFY_SOCKET");
        Long::new(name, with_one_pipe(&command), 3, true)
    }

    fn new(name: &'static str, mut command: Command, count: usize, is_restarted: bool) -> Long {
        // If the test is ended, they end as well.
        command.env("PANICMON_PARENT_DEATH_SIGNAL", "TERM");
        // Without a terminal, wherever the tests run.
        sys::lead_session(&mut command, false);
        let running = Running::start(command);
        let mut long = Long {
            name,
            running,
            is_restarted,
            ready: BTreeSet::new(),
            count,
            value: 0,
            came: BTreeSet::new(),
            wrote: Vec::new(),
            happened: 0,
            samples: Vec::new(),
        };
        long.until("all to be ready", |long| long.ready.len() == count);
        long
    }

    fn something_happens(&mut self, random: &mut Random, manager: &Manager) {
        self.happened += 1;
        match random.below(if self.is_restarted { 9 } else { 7 }) {
            0 => self.signals_come(random),
            1 => {
                // All of them at once.
                self.running.kill(libc::SIGSTOP);
                let pid = self.running.pid();
                wait_for("it to be stopped", || status_field(pid, "State")?.starts_with('T').then_some(()));
                let sent = self.send_some(random);
                self.running.kill(libc::SIGCONT);
                self.have_come(&sent);
            }
            2 => {
                let sent = self.send(ORPHANS);
                self.have_come(&[sent]);
            }
            3 => {
                let sent = self.send(LINES);
                self.have_come(&[sent]);
                self.until("the lines", |long| long.wrote.len() == long.count);
                self.wrote.clear();
            }
            4 => {
                let signal = [libc::SIGHUP, libc::SIGUSR1, libc::SIGWINCH][random.below(3) as usize];
                self.running.kill(signal);
                self.until("the signal", |long| long.came.iter().filter(|came| came.1 == signal).count() == long.count);
            }
            5 => {
                let pid = self.any(random);
                sys::kill(pid, libc::SIGSTOP).unwrap();
                wait_for("it to be stopped", || status_field(pid, "State")?.starts_with('T').then_some(()));
                sys::kill(pid, libc::SIGCONT).unwrap();
            }
            6 => self.notifies(manager),
            7 => {
                let pid = self.any(random);
                self.ready.remove(&pid);
                sys::kill(pid, libc::SIGKILL).unwrap();
                self.until("it to be started again", |long| long.ready.len() == long.count);
            }
            _ => {
                self.ready.clear();
                sys::queue(self.running.pid(), END, random.below(100) as usize).unwrap();
                self.until("all to be started again", |long| long.ready.len() == long.count);
            }
        }
        self.came.clear();
    }

    fn any(&self, random: &mut Random) -> u32 {
        *self.ready.iter().nth(random.below(self.ready.len() as u64) as usize).unwrap()
    }

    fn signals_come(&mut self, random: &mut Random) {
        let sent = self.send_some(random);
        self.have_come(&sent);
    }

    fn send_some(&mut self, random: &mut Random) -> Vec<(i32, usize)> {
        (0..=random.below(20)).map(|_| self.send(COUNTED[random.below(3) as usize])).collect()
    }

    fn send(&mut self, signal: i32) -> (i32, usize) {
        self.value += 1;
        sys::queue(self.running.pid(), signal, self.value).unwrap();
        (signal, self.value)
    }

    /// Each to each command; that none comes twice is seen by `read_line`.
    fn have_come(&mut self, sent: &[(i32, usize)]) {
        self.until("all signals", |long| {
            let has = |pid: &u32| sent.iter().all(|(signal, value)| long.came.contains(&(*pid, *signal, *value)));
            long.ready.iter().all(has)
        });
    }

    /// Those of a file say it to nobody: they have no socket.
    fn notifies(&mut self, manager: &Manager) {
        if self.name != "config" {
            let sent = self.send(NOTIFY);
            self.have_come(&[sent]);
            assert_eq!(manager.next(), "STATUS=here");
        }
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Long) -> bool) {
        while !is_so(self) {
            let line = self.running.line();
            let line = line.unwrap_or_else(|| panic!("{}: it ended; waited in vain for {what}", self.name));
            assert!(!line.contains("panicked"), "{line}");
            let said = line.rsplit_once("› ").map_or(line.as_str(), |(_, said)| said);
            let words: Vec<&str> = said.split(' ').collect();
            let number = |word: &str| word.parse::<u32>().unwrap();
            match words.as_slice() {
                ["ready", pid] => drop(self.ready.insert(number(pid))),
                ["wrote", pid] => self.wrote.push(number(pid)),
                ["came", signal, value, pid] => {
                    let came = (number(pid), number(signal) as i32, value.parse().unwrap_or(0));
                    // Those of its own children, and of being continued, come as often as they do.
                    let may_come_again = matches!(came.1, libc::SIGCHLD | libc::SIGCONT);
                    assert!(self.came.insert(came) || may_come_again, "{}: it came twice: {line}", self.name);
                }
                _ => {}
            }
        }
    }

    /// What has happened is over: it sleeps for a second.
    fn settle(&self) {
        let pid = self.running.pid();
        let (mut before, mut since) = (wakes(pid), Instant::now());
        wait_for("panicmon to have done all", || {
            let now = wakes(pid);
            if now != before {
                (before, since) = (now, Instant::now());
            }
            (since.elapsed() > Duration::from_secs(1)).then_some(())
        });
    }

    fn take_sample(&mut self, minute: u64, wakes_before: u64) {
        let pid = self.running.pid();
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let private = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
        let sample = Sample {
            minute,
            rss_kib: kib(&status_field(pid, "VmRSS").unwrap()),
            private_kib: kib(private),
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
            wakes: wakes(pid) - wakes_before,
        };
        println!(
            "minute {minute:3}: {:8}{:8} things, VmRSS {:5} KiB, private {:4} KiB, {:2} descriptors, {} wakes; {} processes",
            self.name,
            self.happened,
            sample.rss_kib,
            sample.private_kib,
            sample.descriptors,
            sample.wakes,
            processes()
        );
        self.samples.push(sample);
    }

    fn is_flat_from(&self, warm: u64) {
        let name = self.name;
        for sample in &self.samples {
            assert_eq!(sample.wakes, 0, "{name} woke up while nothing happened: {sample:?}");
        }
        let (before, after): (Vec<_>, Vec<_>) = self.samples.iter().partition(|sample| sample.minute <= warm);
        for sample in &after {
            assert_eq!(sample.descriptors, self.samples[0].descriptors, "{name} has other descriptors: {sample:?}");
        }
        let last_third = after.iter().skip(after.len() - after.len() / 3).map(|sample| sample.private_kib);
        if let (Some(most), Some(least)) = (before.iter().map(|sample| sample.private_kib).max(), last_third.min()) {
            assert!(least <= most + SLACK_KIB, "{name} takes {least} KiB at least, {most} KiB before");
        }
    }

    fn stop(mut self) {
        self.running.kill(libc::SIGTERM);
        assert_eq!(self.running.code(), if self.name == "config" { 0 } else { 7 }, "{}", self.name);
        for pid in &self.ready {
            wait_for("the command to be gone", || status_field(*pid, "State").is_none().then_some(()));
        }
    }
}

/// How often a process has gone to sleep, or was made to.
fn wakes(pid: u32) -> u64 {
    let count = |field| status_field(pid, field).unwrap().parse::<u64>().unwrap();
    count("voluntary_ctxt_switches") + count("nonvoluntary_ctxt_switches")
}

/// How many there are on the machine, or in this container.
fn processes() -> usize {
    let numbers =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    numbers.count()
}

fn kib(value: &str) -> u64 {
    value.split_whitespace().next().unwrap().parse().unwrap()
}

/// Who listens to what commands say of themselves.
struct Manager {
    socket: UnixDatagram,
    path: Scratch,
}

impl Manager {
    fn new() -> Manager {
        let path = Scratch::new("");
        fs::remove_file(&path.0).unwrap();
        let socket = UnixDatagram::bind(&path.0).unwrap();
        socket.set_read_timeout(Some(crate::support::deadline())).unwrap();
        Manager { socket, path }
    }

    fn next(&self) -> String {
        let mut bytes = [0; 100];
        let length = self.socket.recv(&mut bytes).expect("a message");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }
}
