//! `--stderr-tail`, `--stdout-tail`: the last words are kept, and to the command nothing is different.

use crate::events::Events;
use crate::support::{Scratch, assert_little_memory, by_shell, bytes_of, output, panicmon, script_with, wait_for};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Read, Write, pipe};
use std::process::{Command, Stdio};

/// What a Go program says when it panics.
pub const GO: &str = "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.pick(...)\n\
                  \t/src/app/main.go:9\nmain.main()\n\t/src/app/main.go:14 +0x1d\nexit status 2\n";

/// The end of a script whose stderr is kept.
fn told(options: &[&str], script: &str) -> Value {
    let events = Events::new();
    output(&mut script_with(&events.options(options), script));
    events.one("process.exited")
}

#[test]
fn what_it_died_of_is_told_and_its_last_words() {
    let script = |code: u8| format!("printf 'before\\n' >&2; printf '%s' '{GO}' >&2; exit {code}");
    let event = told(&["--stderr-tail", "64K", "--name", "web"], &script(2));
    let panic = &event["panic"];
    assert_eq!((&panic["language"], &panic["stream"]), (&json!("go"), &json!("stderr")), "{event}");
    assert_eq!(panic["message"], json!("runtime error: index out of range [5] with length 3"));
    assert!(panic["frames"][0].as_str().unwrap().starts_with("main.pick"), "{panic}");
    assert_eq!(event["stderr_tail"], json!(format!("before\n{GO}")));
    assert_eq!((event.get("stdout_tail"), &event["tail_truncated"]), (None, &json!(false)));
    let summary = event["summary"].as_str().unwrap();
    assert!(summary.ends_with(": go panic: runtime error: index out of range [5] with length 3"), "{summary}");
    assert_eq!(told(&["--stderr-tail", "64K"], &script(0)).get("panic"), None, "exit 0 is no death");
}

#[test]
fn a_tail_is_the_end_and_the_head_of_the_death_is_not_lost() {
    let flood = "i=0; while [ $i -lt 400 ]; do echo \"main.deeper($i)\" >&2; i=$((i+1)); done";
    let script = format!("printf '%s' '{GO}' >&2; {flood}; exit 2");
    let event = told(&["--stderr-tail", "1K"], &script);
    let tail = event["stderr_tail"].as_str().unwrap();
    assert!(tail.len() <= 1024 && tail.starts_with("main.deeper(") && tail.ends_with("main.deeper(399)\n"), "{tail}");
    assert_eq!((&event["tail_truncated"], &event["panic"]["language"]), (&json!(true), &json!("go")));
}

#[test]
fn each_run_has_last_words_of_its_own_and_a_relay_keeps_them_too() {
    let events = Events::new();
    let again = ["--restart=on-failure", "--max-restarts=1", "--min-wait=1ms", "--max-wait=1ms"];
    let options = [&["--stdout-tail", "1K", "--label", "web"][..], &again].concat();
    let (_, out, _) = output(&mut script_with(&events.options(&options), "echo from $$; exit 1"));
    let tails: Vec<_> = events.of("process.exited").iter().map(|event| event["stdout_tail"].clone()).collect();
    let lines: Vec<_> = out.lines().map(|line| json!(format!("{}\n", line.strip_prefix("web › ").unwrap()))).collect();
    assert_eq!((tails.len(), &tails), (2, &lines));
}

#[test]
fn bytes_pass_as_they_are_and_at_once() {
    let script = r"printf 'a\000\377\r\nb\n\nlast without newline' >&2; printf 'out' ";
    let plain = bytes_of(&mut script_with(&[], script));
    let kept = bytes_of(&mut script_with(&["--stderr-tail", "1K", "--stdout-tail", "1K"], script));
    assert_eq!((kept.stdout, kept.stderr), (plain.stdout, plain.stderr));

    // A question without a newline arrives before the answer is there.
    let mut command = script_with(&["--stderr-tail", "1K"], "printf 'name? ' >&2; read name; exit 3");
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut question = [0; 6];
    child.stderr.as_mut().unwrap().read_exact(&mut question).unwrap();
    child.stdin.take().unwrap().write_all(b"x\n").unwrap();
    assert_eq!((&question, child.wait().unwrap().code()), (b"name? ", Some(3)));
}

#[test]
fn what_isnt_kept_is_the_commands_own() {
    let script = "readlink /proc/$$/fd/1 /proc/$$/fd/2";
    let ours = "readlink /proc/$$/fd/1 /proc/$$/fd/2; exec \"$@\"";
    let (_, out, _) = output(&mut by_shell(ours, &script_with(&["--stderr-tail", "1K"], script)));
    let links: Vec<_> = out.lines().collect();
    assert!(links.len() == 4 && links[0] == links[2] && links[1] != links[3], "{out}");
}

#[test]
fn a_file_is_written_by_the_command_itself() {
    let folder = Scratch::folder();
    let log = folder.0.join("log");
    fs::write(&log, "of an earlier run\n").unwrap();
    let events = Events::new();
    let script = "readlink /proc/$$/fd/2; echo last words >&2; exit 1";
    let mut command = script_with(&events.options(&["--stderr-tail", "1K"]), script);
    let stderr = File::options().append(true).open(&log).unwrap();
    let out = command.stderr(stderr).stdout(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap().trim_end(), log.to_str().unwrap());
    assert_eq!(events.one("process.exited")["stderr_tail"], json!("last words\n"));
}

#[test]
fn a_reader_that_is_gone_is_gone_for_the_command_too() {
    for options in [&[] as &[&str], &["--stderr-tail", "1K"]] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = script_with(options, "while :; do echo line >&2 || exit 7; done");
        let mut child = command.stderr(writer).spawn().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(128 + libc::SIGPIPE), "{options:?}");
    }
}

/// Some runtimes drop what doesn't fit into their pipe when they die.
#[test]
fn a_death_isnt_held_up_by_a_reader_that_is_late() {
    let events = Events::new();
    let script = "head -c 300000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 2";
    let mut command = script_with(&events.options(&["--stderr-tail", "64K"]), script);
    let (mut reader, writer) = pipe().unwrap();
    let mut child = command.stderr(writer).stdout(Stdio::null()).spawn().unwrap();
    drop(command);
    // Nobody has read anything, and the command has ended.
    wait_for("its end", || (!events.of("process.exited").is_empty()).then_some(()));
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!((text.len(), text.ends_with("xend\n")), (300_004, true));
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn single_bytes_are_lines_again_and_a_flood_takes_little_memory() {
    let script = "i=0; while [ $i -lt 2000 ]; do printf x >&2; i=$((i+1)); done; echo >&2; exit 1";
    assert_eq!(told(&["--stderr-tail", "4K"], script)["stderr_tail"], json!(format!("{}\n", "x".repeat(2000))));
    let mut command = script_with(&["--stdout-tail", "64K"], "head -c 50000000 /dev/zero; exec sleep 1000");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut vec![0; 50_000_000]).unwrap();
    assert_little_memory(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The end of a run has its last words in it, and is told however many they are.
#[test]
fn an_end_with_many_last_words_is_told() {
    let script = "head -c 100000 /dev/zero >&2; echo end >&2; exit 1";
    let tail = told(&["--stderr-tail", "128K"], script)["stderr_tail"].to_string();
    assert!(tail.len() > 600_000 && tail.ends_with("end\\n\""), "{}", tail.len());
    // The relay to which lines for stderr are left has a bound of its own.
    let mut command = script_with(&["--stderr-tail", "128K", "--label", "web", "--events", "stderr"], script);
    let out = bytes_of(&mut command);
    let text = String::from_utf8_lossy(&out.stderr);
    let told = text.lines().filter(|line| line.contains("\"process.exited\"")).count();
    assert_eq!((out.status.code(), told), (Some(1), 1));
}

#[test]
fn sizes_that_mean_nothing_are_refused() {
    for size in ["", "0", "x", "1K,always", "1G"] {
        let (code, _, err) = output(Command::new(panicmon()).args(["--stderr-tail", size, "true"]));
        assert_eq!(code, Some(125), "{size}: {err}");
    }
}

#[test]
fn what_is_redacted_is_in_no_record_and_passes_all_the_same() {
    let events = Events::new();
    let options = events.options(&["--stderr-tail", "4K", "--redact", "token=[a-z0-9]+", "--redact", "main\\.secret"]);
    let text =
        "panic: bad token=abc123\n\ngoroutine 1 [running]:\nmain.secret()\n\t/src/app/main.go:9\nexit status 2\n";
    let (_, _, err) = output(&mut script_with(&options, &format!("printf '%s' '{text}' >&2; exit 2")));
    assert_eq!(err, text);
    let event = events.one("process.exited");
    assert_eq!(event["panic"]["message"], json!("bad [redacted]"), "{event}");
    let all = fs::read_to_string(&events.file).unwrap();
    assert!(!all.contains("abc123") && !all.contains("main.secret") && all.contains("[redacted]"), "{all}");
    assert!(event["summary"].as_str().unwrap().contains("bad [redacted]"), "{event}");
}

#[test]
fn arguments_are_told_where_that_is_asked_for() {
    for (options, told) in [(&[] as &[&str], false), (&["--report-args"], true)] {
        let events = Events::new();
        output(&mut script_with(&events.options(options), "exit 3 # hush"));
        assert_eq!(fs::read_to_string(&events.file).unwrap().contains("hush"), told, "{options:?}");
        assert!(!told || events.one("process.starting")["args"] == json!(["sh", "-c", "exit 3 # hush"]));
    }
}
