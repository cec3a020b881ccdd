//! The options that a file gives for its processes: those of reports.

use super::options::flag::Given;
use super::options::flags::FLAGS;
use super::options::settings::Settings;
use crate::formats::pmux::Config;
use crate::model::printable::OneLine;

/// Adds to the settings what this file says. The command line wins, and so do the variables. The error is a message.
pub(crate) fn add(settings: &mut Settings, config: &Config, file: &str) -> Result<(), String> {
    for option in config.reports.iter().filter(|option| !option.values.is_empty()) {
        let Some(flag) = FLAGS.iter().find(|flag| key_of(flag.long) == option.key) else { continue };
        if settings.words.contains(&flag.long) || settings.variables.contains(&flag.variable) {
            continue;
        }
        for (value, place) in option.values.iter().zip(&option.places) {
            let given = if flag.value.is_some() { Given::Value(value.as_ref()) } else { Given::Switch(1) };
            let fault = |why| format!("{file}:{place}: '{}': {}", option.key, OneLine(&why));
            (flag.apply)(settings, &given).map_err(fault)?;
        }
        settings.keys.push((flag.long, format!("{file}: '{}'", option.key)));
    }
    let is_given = |long: &str| settings.words.contains(&long) || settings.keys.iter().any(|(key, _)| *key == long);
    match settings.without_effect(is_given) {
        Some((long, needed)) => Err(format!("{}: it has no effect without {needed}", settings.name_of(long))),
        None => Ok(()),
    }
}

/// The key of an option: `hookOn` of `hook-on`.
fn key_of(long: &str) -> String {
    let mut key = String::new();
    for (at, word) in long.split('-').enumerate() {
        let (first, rest) = word.split_at(word.len().min(1));
        key += &if at == 0 { first.to_owned() } else { first.to_ascii_uppercase() };
        key += rest;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::pmux::parse;

    #[test]
    fn each_option_of_reports_has_a_key_and_each_key_an_option() {
        let flags = FLAGS.iter().filter(|flag| flag.heading == "Reports" && flag.long != "name");
        let keys: Vec<_> = flags.map(|flag| key_of(flag.long)).collect();
        assert_eq!(keys.len(), 12);
        for key in keys {
            let file = format!("{key}:\nprocesses: [{{cmd: a}}]\n");
            assert_eq!(parse(file.as_bytes()).unwrap().reports[0].key, key);
        }
    }
}
