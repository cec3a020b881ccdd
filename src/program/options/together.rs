//! Whether the options go together, by what was given on the command line.
//!
//! A variable that has no effect in this run, as one of an image may, isn't an error.

use super::flag::{Flag, Scope};
use super::flags::FLAGS;
use super::settings::Settings;
use crate::model::duration::Exact;
use crate::model::process_config::Restart;
use crate::model::signal::{Signal, SignalSet};
use crate::policy::stop::Stops;

/// Why an option of one command isn't for `--config`, and what to write in the file instead.
pub(super) fn for_one_command(flag: &Flag) -> String {
    format!("it is for one COMMAND, not for the processes of a file ({})", flag.in_file)
}

impl Settings {
    /// Refuses options that contradict each other, or that have no effect with the others.
    pub(super) fn check_together(&mut self, has_command: bool, given: &dyn Fn(&str) -> bool) -> Result<(), String> {
        if self.doctor {
            // Nothing is run.
            return Ok(());
        }
        self.check_what_to_run(has_command, given)?;
        if let Some(listened) = self.signals {
            self.check_listened(listened, given)?;
        }
        let is_dropped = |(signal, _): &&(Signal, _)| self.rewrites.contains(&(*signal, None));
        if let Some((signal, _)) = self.delays.iter().find(is_dropped).filter(|_| given("delay")) {
            return Err(format!("--delay: {signal} isn't forwarded at all: {} drops it", self.name_of("rewrite")));
        }
        if self.restart() == Restart::Never
            && let Some(flag) = FLAGS.iter().find(|flag| flag.scope == Scope::Restarts && given(flag.long))
        {
            return Err(format!("--{}: it has no effect without --restart on-failure or --restart always", flag.long));
        }
        // A file may have the other one.
        if self.config.is_none()
            && let Some((long, needed)) = self.without_effect(given)
        {
            return Err(format!("--{long}: it has no effect without {needed}"));
        }
        self.check_waits(given)
    }

    /// An option of reports that has no effect, and the one that isn't there.
    pub(crate) fn without_effect(&self, given: impl Fn(&str) -> bool) -> Option<(&'static str, &'static str)> {
        let of_hooks = ["hook-on", "hook-timeout"].into_iter().find(|long| self.hooks.is_empty() && given(long));
        let of_reports = (self.report.is_none() && given("report-keep")).then_some("report-keep");
        let is_told = !(self.events.is_empty() && self.hooks.is_empty())
            || self.report.is_some()
            || self.termination_log.is_some();
        let of_records = (!is_told && given("report-args")).then_some("report-args");
        // What panicmon says on stderr may have last words in it.
        let has_words = is_told || self.stderr_tail.is_some() || self.stdout_tail.is_some();
        let of_words = (!has_words && given("redact")).then_some("redact");
        of_hooks
            .zip(Some("--hook COMMAND"))
            .or(of_reports.zip(Some("--report DIR")))
            .or(of_records.or(of_words).zip(Some("--events, --hook, --report or --termination-log")))
    }

    /// Either a command or a file, and no option of the other.
    fn check_what_to_run(&mut self, has_command: bool, given: impl Fn(&str) -> bool) -> Result<(), String> {
        if has_command && given("config") {
            return Err("--config: a COMMAND is given as well: it is one or the other".to_owned());
        }
        if has_command {
            self.config = None;
        }
        if self.config.is_some() {
            return match FLAGS.iter().find(|flag| flag.scope.is_one_command() && given(flag.long)) {
                Some(flag) => Err(format!("--{}: {}", flag.long, for_one_command(flag))),
                None => Ok(()),
            };
        }
        if given("check") {
            return Err("--check: it is for the file of a --config, and there is none".to_owned());
        }
        if !has_command {
            let message =
                "there is no COMMAND: panicmon [OPTIONS] [--] COMMAND [ARG]..., or --config FILE; --help tells more";
            return Err(message.to_owned());
        }
        Ok(())
    }

    /// Signals that other options name must be among those of `--signals`.
    fn check_listened(&self, listened: SignalSet, given: impl Fn(&str) -> bool) -> Result<(), String> {
        let not_listened = |option: &str, signal: Signal| {
            Err(format!("--{option}: {signal} isn't listened to: add it to {}", self.name_of("signals")))
        };
        if let Some((from, _)) = self.rewrites.iter().find(|(from, _)| !listened.contains(*from))
            && given("rewrite")
        {
            return not_listened("rewrite", *from);
        }
        if let Some((signal, _)) = self.delays.iter().find(|(signal, _)| !listened.contains(*signal))
            && given("delay")
        {
            return not_listened("delay", *signal);
        }
        // The stop signals of a file are listened to in any case.
        let unheard = self.stop_signals.and_then(|stop| stop.difference(listened).iter().next());
        if let Some(signal) = unheard.filter(|_| self.config.is_none() && given("stop-signals")) {
            return not_listened("stop-signals", signal);
        }
        // With HUP, which is a stop if it comes of a hang-up.
        let stops = self.stop_signals.unwrap_or(Stops::DEFAULT).with(Signal::HUP);
        if stops.difference(listened) == stops && given("kill-after") {
            return Err(format!(
                "--kill-after: no stop signal is listened to: add TERM to {}, or give --stop-signals",
                self.name_of("signals")
            ));
        }
        Ok(())
    }

    /// The least wait must not be above the most; if one of them is a variable, the other wins.
    fn check_waits(&mut self, given: impl Fn(&str) -> bool) -> Result<(), String> {
        let (Some(least), Some(most)) = (self.min_wait, self.max_wait) else { return Ok(()) };
        if most >= least || self.config.is_some() || self.restart() == Restart::Never {
            return Ok(());
        }
        match (given("min-wait"), given("max-wait")) {
            (true, true) => {
                return Err(format!("--max-wait: {} is less than --min-wait, {}", Exact(most), Exact(least)));
            }
            (false, false) => {
                let (most, least) = (Exact(most), Exact(least));
                return Err(format!("PANICMON_MAX_WAIT: {most} is less than PANICMON_MIN_WAIT, {least}"));
            }
            (true, false) => self.max_wait = Some(least),
            (false, true) => self.min_wait = Some(most),
        }
        Ok(())
    }
}
