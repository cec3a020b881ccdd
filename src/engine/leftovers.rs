//! What ended runs have left behind is told.

use super::cleanup::EndedRun;
use super::outcome::Asked;
use super::processes::Processes;
use super::run::{Run, Signals};
use super::task::Task;
use crate::model::pid::Pid;
use crate::policy::drain::Leftovers;
use crate::policy::leftovers::Told;
use crate::report::hooks::Hooks;
use crate::sys::descendants;
use crate::sys::proc_fs;

impl Run<'_, '_> {
    /// Tells what the runs have left behind that have just ended, where somebody may be surprised.
    pub(super) fn tell_leftovers(&mut self) {
        for number in self.tasks.just_ended() {
            if let Some(ended) = self.tasks[number].cleanup.ended.take() {
                self.tell_leftovers_of(number, ended);
            }
        }
    }

    fn tell_leftovers_of(&mut self, number: usize, ended: EndedRun) {
        let end = ended.end;
        let cleanup = &self.tasks[number].cleanup;
        let (leftovers, is_cleaned) = (cleanup.drain.leftovers(), cleanup.drain.is_on());
        let may_be_any = match self.signals {
            Signals::Forwarded => self.progress.has_child,
            Signals::Shared => is_cleaned || end.looks_like_a_daemon() && self.has_orphans(),
        };
        let is_logged = || leftovers != Leftovers::Told && log::log_enabled!(log::Level::Info);
        let is_told = is_cleaned || end.looks_like_a_daemon() || is_logged();
        if may_be_any && is_told && !leftovers.is_all() {
            self.look_for_leftovers_of(number, ended, is_cleaned);
        }
    }

    #[cold]
    fn look_for_leftovers_of(&mut self, number: usize, ended: EndedRun, is_cleaned: bool) {
        let EndedRun { leader, started, end } = ended;
        let Ok(found) = descendants::find(self.own, Hooks::groups(&self.hooks)) else { return };
        self.tasks[number].cleanup.since = proc_fs::ticks_at_start(started.elapsed());
        let (in_group, others): (Vec<_>, Vec<_>) = found
            .descendants
            .iter()
            .filter(|one| found.is_in_group_of(leader, one) || self.is_of_run(number, leader, one, &found))
            .partition(|one| found.is_in_group_of(leader, one));
        let task = &mut self.tasks[number];
        let name = task.spec.name();
        match end.tells(is_cleaned, in_group.len(), others.len()) {
            Told::Nothing => {}
            Told::Daemon => {
                task.cleanup.is_told = true;
                let all = [in_group, others].concat();
                log::warn!(
                    "{name} left {}: it has put itself into the background; start it in the foreground",
                    Processes(&all)
                );
            }
            Told::Ending => {
                let next = if task.supervision.is_over() { "" } else { " before it starts again" };
                log::warn!("{name} left {}: ending them{next}", Processes(&in_group));
            }
            Told::Others => {
                log::info!("{name} may have left {}, not of its process group: left alone", Processes(&others));
            }
        }
    }

    /// All is over. With the first process of a PID namespace all others end: tells which.
    pub(super) fn tell_last(&self) {
        let is_asked_for = self.progress.first_failure.is_some() || self.progress.asked != Asked::Nothing;
        if self.progress.has_child && self.own.as_raw() == 1 && is_asked_for {
            self.tell_last_of_namespace();
        }
    }

    #[cold]
    fn tell_last_of_namespace(&self) {
        let is_known = |task: &Task<'_>| {
            let leftovers = task.cleanup.drain.leftovers();
            matches!(leftovers, Leftovers::Ignored | Leftovers::Signalled(_))
                || leftovers.is_all()
                || task.cleanup.is_told
        };
        if self.tasks.iter().any(is_known) {
            return;
        }
        let Ok(found) = descendants::find(self.own, Hooks::groups(&self.hooks)) else { return };
        let all: Vec<_> = found.descendants.iter().collect();
        if !all.is_empty() {
            let name = if self.tasks.len() == 1 { self.tasks[0].spec.name() } else { "the commands".to_owned() };
            log::warn!(
                "{name} left {}, killed with panicmon, which is PID 1: --drain ends them in order",
                Processes(&all)
            );
        }
    }

    /// Whether this process has a child that leads no run.
    #[cold]
    fn has_orphans(&self) -> bool {
        let leads = |pid: &Pid| self.tasks.iter().any(|task| task.pid() == Some(*pid));
        // If the kernel doesn't list children, they are looked for.
        descendants::children(Hooks::groups(&self.hooks)).is_none_or(|children| !children.iter().all(leads))
    }
}
