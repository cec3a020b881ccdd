//! The values of options, for the targets in fuzz/.

use super::options::values;

/// Reads the value of an option that is a list. The error says what is wrong with it.
pub fn list(option: &str, list: &str) -> Result<(), String> {
    match option {
        "signals" => values::signal_list(list).map(drop),
        "stop-signals" => values::stop_signals(list).map(drop),
        "no-restart-on" => values::no_restart_list(list).map(drop),
        "success" => values::successes(list).map(drop),
        "rewrite" => values::rewrites(list).map(drop),
        "delay" => values::delays(list).map(drop),
        "exit" => values::exit_rules(list).map(drop),
        "unset-env" => values::variable_names(list.as_ref()).map(drop),
        option => Err(format!("--{option} has no list")),
    }
}
