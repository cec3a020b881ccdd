//! An end as people read it, made of its record.

use crate::model::duration::Short;
use crate::model::event::summary::Bytes;
use crate::model::printable::OneLine;
use crate::report::last_words::escapes;
use serde_json::Value;
use std::fmt::Write;
use std::time::Duration;

/// What stands where something was cut.
const CUT: &str = "…";

/// A certificate: the sentence, what is known of the run, the panic, and the last words.
pub(super) fn certificate(record: &Value) -> String {
    let mut text = format!("{}\n\n", sentence(record));
    for (label, value) in facts(record) {
        if let Some(value) = value {
            let _ = writeln!(text, "{label:<12}{}", OneLine(&value));
        }
    }
    if let Some(panic) = panic(record) {
        let _ = write!(text, "\n{panic}");
    }
    for stream in ["stderr", "stdout"] {
        if let Some(tail) = tail(record, stream) {
            let _ = write!(text, "\nthe last lines of {stream}:\n{tail}");
        }
    }
    text
}

/// The same in at most this many bytes: the sentence, the panic, and the last lines of stderr. It is these that are cut first;
/// then the frames of the panic, and its message.
pub(super) fn brief(record: &Value, most: usize) -> String {
    let mut text = cut_end(&sentence(record), most - 1);
    text.push('\n');
    if let Some(panic) = panic(record)
        && text.len() + 1 < most
    {
        text.push('\n');
        let room = most - text.len();
        text.push_str(&whole_lines(&panic, room));
    }
    if let Some(tail) = tail(record, "stderr") {
        let heading = "\nthe last lines of stderr:\n";
        let room = most.saturating_sub(text.len() + heading.len());
        let lines = last_lines(&tail, room);
        if !lines.is_empty() {
            text.push_str(heading);
            text.push_str(&lines);
        }
    }
    text
}

fn sentence(record: &Value) -> String {
    OneLine(&record["summary"].as_str().or(record["name"].as_str()).unwrap_or_default()).to_string()
}

/// Whether it was started, though there is an error: only waiting for it has failed.
fn has_run(record: &Value) -> bool {
    record["stage"] == "wait"
}

/// What is known of the run, each with its label.
fn facts(record: &Value) -> [(&'static str, Option<String>); 16] {
    let text = |key: &str| record[key].as_str().map(str::to_owned);
    let number = |key: &str| record[key].as_u64();
    let failed =
        || record["error"].is_string().then(|| if has_run(record) { "resources" } else { "start-failed" }.to_owned());
    let panicmon = &record["panicmon"];
    let usage = &record["usage"];
    let time = |key: &str| usage[key].as_u64().map(Duration::from_millis);
    let used = time("user_ms").zip(time("system_ms")).map(|(user, system)| {
        let most = Bytes(usage["max_rss_bytes"].as_u64().unwrap_or_default());
        format!("{} of processor time, {} of it in the kernel; {most} of memory", Short(user + system), Short(system))
    });
    let by = &record["requested_by"];
    let asked_by = by["signal"].as_str().map(|signal| match by["sender"]["pid"].as_u64() {
        Some(pid) => match by["sender"]["command"].as_str() {
            Some(command) => format!("{signal} from pid {pid} ({command})"),
            None => format!("{signal} from pid {pid}"),
        },
        None => signal.to_owned(),
    });
    let signal = text("signal").map(|signal| match record["core_dumped"].as_bool() {
        Some(true) => format!("{signal}, core dumped"),
        _ => signal,
    });
    [
        ("name", text("name")),
        ("command", text("executable")),
        ("pid", number("pid").map(|pid| pid.to_string())),
        ("run", number("run").filter(|run| *run > 0).map(|run| run.to_string())),
        ("time", text("time")),
        ("result", text("result").or_else(failed)),
        ("error", text("error").filter(|error| !sentence(record).ends_with(error.as_str()))),
        ("code", number("code").map(|code| code.to_string())),
        ("signal", signal),
        ("asked by", asked_by),
        ("ran", number("duration_ms").map(|ms| Short(Duration::from_millis(ms)).to_string())),
        ("used", used),
        ("memory", memory(&record["oom"])),
        ("core", core(&record["core"])),
        (
            "host",
            text("host").map(|host| text("container").map_or(host.clone(), |id| format!("{host}, container {id}"))),
        ),
        ("panicmon", panicmon["version"].as_str().map(|version| format!("{version}, pid {}", panicmon["pid"]))),
    ]
}

fn memory(oom: &Value) -> Option<String> {
    let verdict = match oom["verdict"].as_str()? {
        "certain" => "it was killed because memory ran out",
        "helper" => "others of its cgroup were killed because memory ran out",
        "no" => "it didn't run out",
        _ => "whether it ran out is unknown",
    };
    let mut text = verdict.to_owned();
    for (what, key) in [("limit", "limit_bytes"), ("peak", "peak_bytes")] {
        if let Some(bytes) = oom[key].as_u64() {
            let _ = write!(text, ", {what} {}", Bytes(bytes));
        }
    }
    if let Some(cgroup) = oom["cgroup"].as_str() {
        let _ = write!(text, ", {cgroup}");
    }
    Some(text)
}

fn core(core: &Value) -> Option<String> {
    let pattern = core["pattern"].as_str();
    let parts = [
        core["path"].as_str().map(str::to_owned),
        pattern.map(|pattern| format!("pattern {}", pattern.trim_end())),
        core["limit_bytes"].as_u64().map(|limit| format!("limit {}", Bytes(limit))),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The panic: its message, and a line for each frame.
fn panic(record: &Value) -> Option<String> {
    let panic = &record["panic"];
    let mut text = panic["language"].as_str()?.to_owned();
    let or_empty = |key: &str| panic[key].as_str().unwrap_or_default();
    if !or_empty("kind").is_empty() {
        let _ = write!(text, ": {}", OneLine(&or_empty("kind")));
    }
    if !or_empty("thread").is_empty() {
        let _ = write!(text, " (thread {})", OneLine(&or_empty("thread")));
    }
    text.push('\n');
    text.push_str(&lines(or_empty("message")));
    for frame in panic["frames"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(text, "    at {}", OneLine(&frame));
    }
    Some(text)
}

fn tail(record: &Value, stream: &str) -> Option<String> {
    let tail = record[format!("{stream}_tail")].as_str()?;
    (!tail.trim().is_empty()).then(|| lines(tail))
}

/// A text of a process by its lines, with nothing that a terminal would obey.
fn lines(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let mut bytes = Vec::new();
        escapes::strip(line.as_bytes(), &mut bytes);
        let line = String::from_utf8_lossy(&bytes).replace('\t', "    ");
        let _ = writeln!(plain, "{}", OneLine(&line));
    }
    plain
}

/// The beginning of a text, cut where there isn't room for all.
fn cut_end(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most.saturating_sub(CUT.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}{CUT}", &text[..end])
}

/// As many lines as there is room for; of the first that is too long, its beginning.
fn whole_lines(text: &str, most: usize) -> String {
    let mut taken = String::new();
    for line in text.split_inclusive('\n') {
        let room = most - taken.len();
        if line.len() > room {
            if room > CUT.len() + 1 {
                taken.push_str(&cut_end(line.trim_end(), room - 1));
                taken.push('\n');
            }
            break;
        }
        taken.push_str(line);
    }
    taken
}

/// The last lines that there is room for; if not even the last one is that short, its end.
fn last_lines(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let from = text.len() - most;
    // A line that begins exactly there is whole.
    let whole = text[..].match_indices('\n').map(|(at, _)| at + 1).find(|at| *at >= from).unwrap_or(text.len());
    if whole < text.len() {
        return text[whole..].to_owned();
    }
    match (from + CUT.len()..text.len()).find(|at| text.is_char_boundary(*at)) {
        Some(at) if most > CUT.len() => format!("{CUT}{}", &text[at..]),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(message: &str, frames: usize, tail: &str) -> Value {
        let frames: Vec<_> = (0..frames).map(|number| format!("frame {number}")).collect();
        json!({
            "name": "web", "summary": "web (pid 7) ended with exit code 2 after 45s", "code": 2, "result": "exit-code",
            "panic": {"language": "go", "kind": "panic", "message": message, "thread": "main", "frames": frames},
            "stderr_tail": tail,
        })
    }

    #[test]
    fn the_cause_comes_first_and_the_last_lines_are_what_is_cut() {
        let tail: String = (0..1000).map(|number| format!("line {number}\n")).collect();
        let text = brief(&record("no such host", 2, &tail), 4096);
        let start = "web (pid 7) ended with exit code 2 after 45s\n\ngo: panic (thread main)\nno such host\n    at frame 0\n    at frame 1\n\nthe last lines of stderr:\nline ";
        assert!(text.starts_with(start), "{text}");
        assert!(text.ends_with("\nline 998\nline 999\n"), "{text}");
        assert!(text.len() <= 4096 && text.len() > 4080, "{}", text.len());
    }

    #[test]
    fn it_is_never_longer_whatever_the_record_holds() {
        for long in ["x", "ä", "a\n", "\u{1b}", "🦀 "] {
            let long = long.repeat(5000);
            for (message, frames, tail) in
                [(long.as_str(), 10, "t\n"), ("m", 2000, "t\n"), ("m", 1, long.as_str()), (&long, 2000, &long)]
            {
                for most in (100..300).step_by(13).chain([4096]) {
                    let text = brief(&record(message, frames, tail), most);
                    assert!(text.len() <= most, "{} of {most}", text.len());
                    assert!(text.starts_with("web (pid 7) ended with exit code 2 after 45s\n"), "{text}");
                }
            }
        }
        let sentence = json!({ "summary": "ä".repeat(5000) });
        assert!(brief(&sentence, 4096).len() <= 4096);
    }

    #[test]
    fn the_end_of_a_long_last_line_is_kept() {
        let text = brief(&record("m", 0, &format!("{}END", "x".repeat(9000))), 4096);
        assert!(text.contains("stderr:\n…xxx") && text.ends_with("xEND\n"), "{text}");
    }

    #[test]
    fn people_read_all_that_is_known() {
        let mut record = record("index out of range", 1, "\u{1b}[31mred\u{1b}[0m\u{7}\n");
        record["oom"] = json!({"verdict": "no", "limit_bytes": 1 << 29, "peak_bytes": null, "cgroup": "/a"});
        record["requested_by"] = json!({"signal": "TERM", "sender": {"pid": 5, "uid": 0, "command": "sh"}});
        record["duration_ms"] = json!(45_000);
        record["usage"] = json!({"user_ms": 1500, "system_ms": 1500, "max_rss_bytes": 1 << 20});
        let text = certificate(&record);
        for line in [
            "code        2",
            "asked by    TERM from pid 5 (sh)",
            "ran         45s",
            "used        3s of processor time, 1s of it in the kernel; 1 MiB of memory",
            "memory      it didn't run out, limit 512 MiB, /a",
            "index out of range",
            "    at frame 0",
            "the last lines of stderr:",
            "red\\u{7}",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}: {text}");
        }
    }

    #[test]
    fn a_start_that_failed_has_its_error() {
        let summary = "web couldn't be started: no such program";
        let record = json!({"name": "web", "stage": "resolve", "error": "no such program", "summary": summary});
        let text = certificate(&record);
        assert!(text.starts_with("web couldn't be started: no such program\n"), "{text}");
        assert!(text.contains("result      start-failed"), "{text}");
        assert!(!text.contains("\nerror "), "it is said already: {text}");
        let (error, summary) = ("x: command not found in PATH=/a", "x: command not found in PATH");
        let text = certificate(&json!({"name": "web", "error": error, "summary": summary}));
        assert!(text.contains("\nerror       x: command not found in PATH=/a\n"), "{text}");
    }

    #[test]
    fn a_status_that_is_lost_is_no_failed_start() {
        let error = "the command ended, but its exit status is lost";
        let record = json!({"name": "web", "stage": "wait", "error": error, "summary": format!("web: {error}")});
        let text = certificate(&record);
        assert!(text.starts_with("web: the command ended, but its exit status is lost\n"), "{text}");
        assert!(text.contains("\nresult      resources\n"), "{text}");
    }
}
