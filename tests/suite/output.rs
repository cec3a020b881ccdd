//! Lines on their way to streams that fail, to a journal, and to a command of another user; and their times.

use crate::support::{
    Scratch, by_shell, first_line_of, outcome, output, panicmon, script_with, wait_for, wait_for_full_pipe,
};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// `panicmon --label x -- cat`, whose stdin is the test's, its stdout where the script has it, its stderr read here.
struct Cat {
    child: Child,
    stderr: Receiver<String>,
    said: usize,
}

impl Cat {
    fn start(script: &str) -> Cat {
        let mut cat = Command::new(panicmon());
        cat.args(["--label", "x", "--", "cat"]);
        let mut command = by_shell(script, &cat);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, stderr) = channel();
        thread::spawn(move || lines.map(Result::unwrap).try_for_each(|line| sender.send(line)));
        Cat { child, stderr, said: 0 }
    }

    /// Has it write numbered lines of this width, at once.
    fn say(&mut self, lines: usize, width: usize) {
        let lines: String = (0..lines).map(|line| format!("{:0width$}\n", self.said + line)).collect();
        self.said += lines.lines().count();
        self.child.stdin.as_ref().unwrap().write_all(lines.as_bytes()).unwrap();
    }

    /// The next that panicmon says of itself.
    fn told(&self) -> String {
        wait_for("what panicmon says", || self.stderr.try_recv().ok())
    }

    /// Has it come to its end: the status, and what it says meanwhile.
    fn end(mut self) -> (Option<i32>, Vec<String>) {
        drop(self.child.stdin.take());
        (outcome(self.child).status.code(), self.stderr.iter().collect())
    }
}

/// The numbers of labelled lines, each of which must be whole.
fn numbers(text: &str, width: usize) -> Vec<usize> {
    let number = |line: &str| {
        let number = line.strip_prefix("x › ").filter(|number| number.len() == width);
        number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("a torn line: {line:?}"))
    };
    text.lines().map(number).collect()
}

/// The count in `N lines couldn't be written to stdout`.
fn lost(told: &str) -> usize {
    let count = told.strip_prefix("panicmon: warn: ").and_then(|told| told.split_once(' ')).unwrap();
    assert!(count.1.contains("couldn't be written to stdout"), "{told}");
    if count.0 == "one" { 1 } else { count.0.parse().unwrap() }
}

#[test]
fn a_full_disk_costs_lines_and_stops_nothing() {
    let script = "echo a; echo b; echo said >&2; exit 3";
    let (code, _, err) = output(&mut by_shell("exec \"$@\" >/dev/full", &script_with(&["--label=x"], script)));
    assert_eq!(code, Some(3), "{err}");
    let (of_child, mut told): (Vec<_>, Vec<_>) = err.lines().partition(|line| *line == "x » said");
    assert_eq!(of_child.len(), 1, "{err}");
    assert_eq!(told.pop(), Some("panicmon: warn: 2 lines couldn't be written to stdout: they are lost"));
    let begin = "panicmon: warn: can't write to stdout: No space left on device (os error 28): its lines are lost until that works again";
    assert_eq!(told, [begin]);
}

#[test]
fn a_full_disk_is_told_at_once_and_is_not_waited_for() {
    let mut cat = Cat::start("exec \"$@\" >/dev/full");
    cat.say(1, 3);
    assert!(cat.told().contains("can't write to stdout: No space left on device"));
    wait_for_full_pipe(cat.child.id());
    assert_eq!(lost(&cat.end().1[0]), 1);
}

#[test]
fn a_full_disk_stops_no_process_of_a_file_either() {
    let file = Scratch::new("processes:\n- {name: a, cmd: sh, args: [-c, 'echo out; exit 0'], noRestartOn: [0]}\n");
    let mut command = Command::new(panicmon());
    command.arg("--config").arg(&file.0);
    let (code, _, err) = output(&mut by_shell("exec \"$@\" >/dev/full", &command));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("one line couldn't be written to stdout: it is lost") && !err.contains("interrupt"), "{err}");
}

/// Once there is room again, it goes on at the start of a line; what is lost is counted; and XFSZ is nothing to the command.
#[test]
fn a_limit_of_file_size_tears_no_line_and_what_is_lost_is_counted() {
    const WIDTH: usize = 100;
    let log = Scratch::new("");
    let mut cat = Cat::start(&format!("ulimit -f 1; exec \"$@\" >>'{}'", log.0.display()));
    // More than fits into a block, of which shells have two sizes.
    cat.say(20, WIDTH);
    let told = cat.told();
    assert!(told.contains("can't write to stdout: File too large"), "{told}");
    wait_for_full_pipe(cat.child.id());
    let mut seen = fs::read_to_string(&log.0).unwrap();
    assert!(!seen.ends_with('\n'), "a line was begun: {seen}");
    File::options().write(true).open(&log.0).unwrap().set_len(0).unwrap();
    cat.say(1, WIDTH);
    let mut lost_lines = lost(&cat.told());
    wait_for("the line", || fs::read_to_string(&log.0).unwrap().ends_with("20\n").then_some(()));
    seen += &fs::read_to_string(&log.0).unwrap();
    // And again, to the end.
    File::options().write(true).open(&log.0).unwrap().set_len(0).unwrap();
    cat.say(20, WIDTH);
    let said = cat.said;
    let (code, told) = cat.end();
    assert_eq!(code, Some(0), "{told:?}");
    seen += &fs::read_to_string(&log.0).unwrap();
    lost_lines += lost(told.last().unwrap());
    let whole = &seen[..=seen.rfind('\n').unwrap()];
    let numbers = numbers(whole, WIDTH);
    assert!(numbers.contains(&20) && numbers.is_sorted(), "{numbers:?}");
    assert_eq!(numbers.len() + lost_lines, said);
}

#[test]
#[ignore = "needs root: a mount namespace"]
fn a_disk_that_is_full_for_a_while_tears_no_line() {
    const WIDTH: usize = 1000;
    let script = "exec unshare --mount sh -c 'mount -t tmpfs -o size=64k none /mnt && head -c 57344 /dev/zero >/mnt/other && exec \"$@\" >>/mnt/log' sh \"$@\"";
    let mut cat = Cat::start(script);
    cat.say(20, WIDTH);
    let told = cat.told();
    assert!(told.contains("can't write to stdout: No space left on device"), "{told}");
    let root = format!("/proc/{}/root/mnt", cat.child.id());
    let text = || fs::read_to_string(format!("{root}/log")).unwrap();
    assert!(!text().ends_with('\n'), "a line was begun");
    wait_for_full_pipe(cat.child.id());
    fs::remove_file(format!("{root}/other")).unwrap();
    cat.say(1, WIDTH);
    let lost = lost(&cat.told());
    wait_for("the line", || text().ends_with("20\n").then_some(()));
    let numbers = numbers(&text(), WIDTH);
    assert_eq!((numbers.len() + lost, numbers.is_sorted()), (21, true), "{numbers:?}");
    let (code, told) = cat.end();
    assert_eq!((code, told), (Some(0), Vec::new()));
}

#[test]
fn what_is_said_of_a_full_disk_that_holds_both_streams_comes_when_there_is_room() {
    let log = Scratch::new("");
    let mut cat = Cat::start(&format!("ulimit -f 1; exec \"$@\" >>'{}' 2>&1", log.0.display()));
    cat.say(30, 100);
    let text = || fs::read_to_string(&log.0).unwrap();
    wait_for("the limit", || (!text().is_empty() && !text().ends_with('\n')).then_some(()));
    wait_for_full_pipe(cat.child.id());
    File::options().write(true).open(&log.0).unwrap().set_len(0).unwrap();
    cat.say(1, 100);
    wait_for("the count", || text().contains("lines couldn't be written to stdout: they are lost\n").then_some(()));
    let text = text();
    let told: Vec<_> = text.lines().filter(|line| line.contains("panicmon")).collect();
    assert!(told.len() == 2 && told.iter().all(|line| line.starts_with("panicmon: warn: ")), "{text}");
    assert_eq!(cat.end(), (Some(0), Vec::new()));
}

#[test]
fn who_was_stopped_for_a_reader_that_is_gone_does_not_end_with_0() {
    for (end, code) in [("exit 0", 125), ("exit 7", 7), ("trap - INT; kill -INT $$", 125)] {
        let script = format!("trap '{end}' INT; while :; do echo line; done");
        let mut child = script_with(&["--label=x"], &script);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = outcome(child);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(err, "panicmon: error: nobody reads stdout any more: stopping\n");
        assert_eq!(output.status.code(), Some(code), "{end}");
    }
}

/// As under systemd. Where another reader comes, as to a named pipe, it goes on.
#[test]
fn a_reader_that_is_gone_stops_nothing_where_its_signal_is_ignored() {
    let fifo = Scratch::new("");
    fs::remove_file(&fifo.0).unwrap();
    nix::unistd::mkfifo(&fifo.0, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut cat = Cat::start(&format!("trap '' PIPE; exec \"$@\" >'{}'", fifo.0.display()));
    let first = File::open(&fifo.0).unwrap();
    cat.say(1, 3);
    assert_eq!(first_line_of(first), "x › 000");
    cat.say(2, 3);
    assert_eq!(cat.told(), "panicmon: warn: nobody reads stdout any more: its lines are lost until somebody does");
    let second = File::open(&fifo.0).unwrap();
    cat.say(1, 3);
    assert_eq!(first_line_of(second), "x › 003");
    assert_eq!(lost(&cat.told()), 2);
    assert_eq!(cat.end(), (Some(0), Vec::new()));
}

#[test]
#[ignore = "needs root: another user"]
fn another_user_can_open_its_streams_anew() {
    let script = "echo out >/dev/stdout; echo err >>/dev/stderr";
    for option in ["--label=x", "--timestamps=%s"] {
        let (code, out, err) = output(&mut script_with(&[option, "--user", "nobody"], script));
        assert!(code == Some(0) && out.ends_with("› out\n") && err.ends_with("» err\n"), "{out}{err}");
    }
}

/// The local time, in hours and minutes, of the zone that TZ tells of; and what is said of it.
fn stamped(set: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = script_with(&["--timestamps=%z %Z %H"], "echo");
    output(command.env_remove("TZ").env_remove("TZDIR").envs(set.iter().copied()))
}

#[test]
fn times_are_those_of_the_zone_of_the_environment() {
    for (zone, stamp) in [("IST-5:30", "+0530 IST "), ("<+03>-3", "+0300 +03 "), ("", "+0000 UTC ")] {
        let (code, out, err) = stamped(&[("TZ", zone)]);
        assert!(code == Some(0) && out.starts_with(stamp) && err.is_empty(), "{zone}: {out}{err}");
    }
    let (code, out, err) = stamped(&[]);
    assert!(code == Some(0) && out.ends_with(" › \n") && err.is_empty(), "{out}{err}");
}

#[test]
fn a_zone_that_is_not_there_is_utc_and_told_once() {
    for zone in ["Mars/Olympus", "/dev/zero", "/", ":/dev/tty"] {
        let (code, out, err) = stamped(&[("TZ", zone), ("TZDIR", "/")]);
        assert!(code == Some(0) && out.starts_with("+0000 UTC "), "{out}{err}");
        assert!(err.starts_with(&format!("panicmon: warn: TZ={zone}: ")) && err.lines().count() == 1, "{err}");
    }
    // It makes no difference to these.
    let mut command = script_with(&["--timestamps=unix"], ":");
    assert_eq!(output(command.env("TZ", "Mars/Olympus")), (Some(0), String::new(), String::new()));
}

/// A search for it would open each file there is.
#[test]
fn a_pipe_among_the_zones_keeps_nobody_waiting() {
    let directory = Scratch::new("");
    fs::remove_file(&directory.0).unwrap();
    fs::create_dir(&directory.0).unwrap();
    let fifo = directory.0.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let tzdir = directory.0.to_str().unwrap();
    for zone in ["fifo", "Mars/Olympus", fifo.to_str().unwrap()] {
        let (code, out, err) = stamped(&[("TZ", zone), ("TZDIR", tzdir)]);
        assert!(code == Some(0) && out.starts_with("+0000 UTC ") && err.contains("times are in UTC"), "{out}{err}");
    }
    fs::remove_file(&fifo).unwrap();
}

#[test]
fn a_layout_without_an_hour_is_refused_and_formats_have_names() {
    for word in ["2006-01-02", "%F", "rfc1123"] {
        let (code, _, err) = output(&mut script_with(&["--timestamps", word], ":"));
        assert!(code == Some(125) && err.contains("write rfc3339, iso8601, unix or unix-ms"), "{err}");
        let file = Scratch::new(&format!("timeFormat: '{word}'\nprocesses: [{{cmd: 'true', noRestartOn: [0]}}]\n"));
        let (code, _, err) = output(Command::new(panicmon()).arg("--config").arg(&file.0));
        assert!(code == Some(125) && err.contains(":1:13: 'timeFormat': "), "{err}");
    }
    for (word, length) in [("rfc3339", 20), ("iso8601", 24), ("unix", 10), ("unix-ms", 13)] {
        let (code, out, _) = output(script_with(&["--timestamps", word], "echo").env("TZ", "UTC"));
        let (stamp, rest) = out.split_at(length);
        assert_eq!((code, rest), (Some(0), " › \n"), "{out}");
        assert!(!stamp.contains(' '), "{out}");
    }
}

/// Runs it with its stderr in a file that it is told is the journal, or another: what is in the file then.
fn in_journal(command: &mut Command, is_journal: bool) -> (Option<i32>, String) {
    let (journal, other) = (Scratch::new(""), Scratch::new(""));
    let stderr = File::options().append(true).open(&journal.0).unwrap();
    let stream = fs::metadata(if is_journal { &journal.0 } else { &other.0 }).unwrap();
    command.env("JOURNAL_STREAM", format!("{}:{}", stream.dev(), stream.ino()));
    let child = command.stdin(Stdio::null()).stdout(stderr.try_clone().unwrap()).stderr(stderr).spawn().unwrap();
    let code = outcome(child).status.code();
    (code, fs::read_to_string(&journal.0).unwrap())
}

#[test]
fn messages_have_their_priority_in_the_journal() {
    let error = |is_journal| in_journal(Command::new(panicmon()).arg("/no/where"), is_journal);
    assert_eq!(error(true), (Some(127), "<3>panicmon: /no/where: no such file\n".to_owned()));
    assert_eq!(error(false), (Some(127), "panicmon: /no/where: no such file\n".to_owned()));
    let options = ["-vv", "--restart=always", "--max-restarts=1", "--min-wait=1ms"];
    let (code, told) = in_journal(&mut script_with(&options, "exit 3"), true);
    assert_eq!(code, Some(3));
    let starts =
        ["<6>panicmon: starting sh", "<6>panicmon: sh, pid ", "<7>panicmon: it used ", "<4>panicmon: sh failed"];
    assert!(told.lines().count() >= starts.len(), "{told}");
    for (line, start) in told.lines().zip(starts) {
        assert!(line.starts_with(start) && line.matches("panicmon").count() == 1, "{told}");
    }
    let (_, told) = in_journal(&mut script_with(&options, "exit 3"), false);
    assert!(told.starts_with("panicmon: info: starting sh\n") && !told.contains('<'), "{told}");
}

#[test]
fn the_priority_of_a_line_stays_in_front_of_its_label_in_the_journal_only() {
    let script = "echo '<3>bad' >&2; echo plain >&2; echo '<0>out'; echo '<8>none'; echo '<3 >none'; exit 3";
    let run = |is_journal| {
        let (code, text) = in_journal(&mut script_with(&["--label=web"], script), is_journal);
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        (code, lines)
    };
    let (out, err) = ("web › ", "web » ");
    assert_eq!(run(true).0, Some(3));
    assert_eq!(
        run(true).1,
        [
            format!("<0>{out}out"),
            format!("<3>{err}bad"),
            format!("{err}plain"),
            format!("{out}<3 >none"),
            format!("{out}<8>none")
        ]
    );
    assert_eq!(
        run(false).1,
        [
            format!("{err}<3>bad"),
            format!("{err}plain"),
            format!("{out}<0>out"),
            format!("{out}<3 >none"),
            format!("{out}<8>none")
        ]
    );
}

#[test]
fn remarks_have_their_priority_in_the_journal() {
    let file =
        Scratch::new("processes:\n- {name: a, cmd: sh, args: [-c, 'echo \"<2>x\"; exit 3'], noRestartOn: [3]}\n");
    let run = |is_journal| in_journal(Command::new(panicmon()).arg("--config").arg(&file.0), is_journal).1;
    let text = run(true);
    for line in [
        "<6>a    ~ starting process",
        "<2>a    › x",
        "<4>a    ~ exit code 3, process exited: exit status 3",
        "<6>pmux ~ exited gracefully, ciao!",
    ] {
        assert!(text.lines().any(|seen| seen == line), "{text}");
    }
    // Elsewhere they have none, and what the process writes is left as it is.
    let without: String =
        text.lines().map(|line| line.split_once('>').unwrap().1).map(|line| format!("{line}\n")).collect();
    assert_eq!(run(false), without.replace("› x", "› <2>x"));
}
