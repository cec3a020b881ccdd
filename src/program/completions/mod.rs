//! The completions of shells: what is the same for all options is in a template for each shell, and the rest is made from
//! the table of the options.

use super::options::completes::{Completes, Words};
use super::options::text_flags::{Shell, all_flags};
use std::fmt::Write;

#[cold]
pub(crate) fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        Shell::Zsh => zsh(),
        Shell::Fish => fish(),
    }
}

/// Those that take a value: the long names, and the letters.
fn taking_values(separator: &str) -> (String, String) {
    let (mut long, mut short) = (String::new(), String::new());
    for flag in all_flags().filter(|flag| flag.value.is_some()) {
        let between = if long.is_empty() { "" } else { separator };
        let _ = write!(long, "{between}--{}", flag.long);
        short.extend(flag.short);
    }
    (long, short)
}

/// In single quotes.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\\''")
}

fn bash() -> String {
    let mut options = String::new();
    for flag in all_flags() {
        if let Some(short) = flag.short {
            let _ = write!(options, "-{short} ");
        }
        let _ = write!(options, "--{} ", flag.long);
    }
    let (long, short) = taking_values(" | ");
    let words = |words: Words| format!("\"{}\"", words.all());
    let mut values = String::new();
    for flag in all_flags() {
        let act = match flag.completes {
            Completes::Nothing => continue,
            Completes::File => "_panicmon_files".to_owned(),
            Completes::Directory => "_panicmon_files -d".to_owned(),
            Completes::Command => "COMPREPLY=($(compgen -c -- \"$value\"))".to_owned(),
            Completes::User => "_panicmon_users".to_owned(),
            Completes::Sink => "_panicmon_sinks".to_owned(),
            Completes::Assignment => "_panicmon_assignment".to_owned(),
            Completes::Variables => "_panicmon_list \"$(compgen -e)\"".to_owned(),
            Completes::One(one) => format!("_panicmon_one {}", words(one)),
            Completes::List(list) => format!("_panicmon_list {}", words(list)),
            Completes::Pairs(from, to) => format!("_panicmon_pairs {} {}", words(from), words(to)),
        };
        let short = flag.short.map(|short| format!("-{short} | ")).unwrap_or_default();
        let _ = writeln!(values, "        {short}--{}) {act} ;;", flag.long);
    }
    include_str!("bash.template")
        .replace("@OPTIONS@", options.trim_end())
        .replace("@LONG@", &long)
        .replace("@SHORT@", &short)
        .replace("@VALUES@\n", &values)
}

fn zsh() -> String {
    let mut options = String::new();
    for flag in all_flags() {
        let words = Words::all;
        let act = match flag.completes {
            Completes::Nothing => String::new(),
            Completes::File => "_files".to_owned(),
            Completes::Directory => "_files -/".to_owned(),
            Completes::Command => "_cmdstring".to_owned(),
            Completes::User => "_panicmon_users".to_owned(),
            Completes::Sink => "_panicmon_sinks".to_owned(),
            Completes::Assignment => "_panicmon_assignment".to_owned(),
            Completes::Variables => "_panicmon_variables".to_owned(),
            Completes::One(one) => format!("{{_panicmon_one {}}}", words(one)),
            Completes::List(list) => format!("{{_panicmon_list {}}}", words(list)),
            Completes::Pairs(from, to) => format!("{{_panicmon_pairs {} = {}}}", words(from), words(to)),
        };
        // In a specification, a colon ends the message.
        let plain = |text: &str| text.replace(':', "\\:");
        let value = flag.value.map(|name| format!(":{}:{act}", plain(name))).unwrap_or_default();
        let (short_end, long_end) = if flag.value.is_some() { ("+", "=") } else { ("", "") };
        let what = plain(flag.shortly()).replace('[', "\\[").replace(']', "\\]");
        let rest = quoted(&format!("[{what}]{value}"));
        let repeated = if flag.is_repeated() { "*" } else { "" };
        let long = flag.long;
        let _ = match flag.short {
            Some(short) if flag.is_repeated() => {
                writeln!(options, "        '*'{{-{short}{short_end},--{long}{long_end}}}'{rest}' \\")
            }
            Some(short) => {
                writeln!(options, "        '(-{short} --{long})'{{-{short}{short_end},--{long}{long_end}}}'{rest}' \\")
            }
            None => writeln!(options, "        '{repeated}--{long}{long_end}{rest}' \\"),
        };
    }
    include_str!("zsh.template").replace("@OPTIONS@\n", &options)
}

fn fish() -> String {
    let (long, short) = taking_values(" ");
    let mut options = String::new();
    for flag in all_flags() {
        let words = Words::all;
        let act = match flag.completes {
            Completes::Nothing if flag.value.is_none() => String::new(),
            Completes::Nothing => " -x".to_owned(),
            Completes::File => " -r -F".to_owned(),
            Completes::Directory => " -x -a '(__fish_complete_directories (__panicmon_value))'".to_owned(),
            Completes::Command => " -x -a '(__fish_complete_command)'".to_owned(),
            Completes::User => " -x -a '(__panicmon_users)'".to_owned(),
            Completes::Sink => " -r -F -a 'stderr fd: unix:'".to_owned(),
            Completes::Assignment => " -x -a '(set -xn)='".to_owned(),
            Completes::Variables => " -x -a '(__panicmon_variables)'".to_owned(),
            Completes::One(one) => format!(" -x -a '(__panicmon_one {})'", words(one)),
            Completes::List(list) => format!(" -x -a '(__panicmon_list {})'", words(list)),
            Completes::Pairs(from, to) => format!(" -x -a '(__panicmon_pairs {} = {})'", words(from), words(to)),
        };
        let short = flag.short.map(|short| format!(" -s {short}")).unwrap_or_default();
        let what = flag.shortly().replace('\'', "\\'");
        let _ =
            writeln!(options, "complete -c panicmon -n __panicmon_in_options{short} -l {}{act} -d '{what}'", flag.long);
    }
    include_str!("fish.template").replace("@LONG@", &long).replace("@SHORT@", &short).replace("@OPTIONS@\n", &options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_has_each_option_and_nothing_is_left_to_fill_in() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell);
            for flag in all_flags() {
                let long = if shell == Shell::Fish { format!("-l {} ", flag.long) } else { format!("--{}", flag.long) };
                assert!(script.contains(&long), "{shell:?}: {long}");
            }
            assert!(!["OPTIONS", "LONG", "SHORT", "VALUES"].iter().any(|name| script.contains(&format!("@{name}@"))));
        }
    }

    /// A value that can be chosen is completed.
    #[test]
    fn a_value_without_completions_is_a_number_a_duration_or_a_name() {
        let without =
            all_flags().filter(|flag| matches!(flag.completes, Completes::Nothing)).filter_map(|flag| flag.value);
        let free = ["DURATION", "N", "NAME", "SIZE", "PATTERN"];
        assert_eq!(without.filter(|value| !free.contains(value)).collect::<Vec<_>>(), [""; 0]);
    }
}
