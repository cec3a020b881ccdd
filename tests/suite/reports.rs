//! What is left of a run for those who come later.

use crate::events::Events;
use crate::support::{output, with_options};
use serde_json::{Value, json};

#[test]
fn restarts_that_a_limit_has_ended_are_told_with_the_limit() {
    let quick = ["--min-wait=1ms", "--max-wait=1ms"];
    for (options, code, reason) in [
        (&["--restart=on-failure", "--max-restarts=1"][..], "3", Some("max-restarts")),
        (&["--restart=always", "--no-restart-on=3"], "3", Some("no-restart-on")),
        (&["--restart=on-failure"], "0", None),
        (&[], "3", None),
    ] {
        let events = Events::new();
        let options = if options.is_empty() { Vec::new() } else { [options, &quick].concat() };
        assert_eq!(output(&mut with_options(&events.options(&options), &["exit", code])).0, code.parse().ok());
        let told: Vec<Value> = events.of("restart.given_up").iter().map(|event| event["reason"].clone()).collect();
        assert_eq!(told, reason.map(|reason| json!(reason)).into_iter().collect::<Vec<_>>(), "{options:?}");
    }
}
