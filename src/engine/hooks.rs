//! Hooks among what else the loop does.

use super::run::Run;
use crate::model::pid::Pid;
use crate::report::hook_event::HookEvent;
use crate::report::hooks::Starter;
use crate::sys::wait::Ended;

impl Run<'_, '_> {
    /// What was recorded for hooks waits for its turn.
    #[cold]
    pub(super) fn keep_for_hooks(&mut self) {
        if let (Some(hooks), Some(records)) = (&mut self.hooks, &self.records) {
            hooks.add(records.take_for_hooks());
        }
    }

    /// Starts the hooks whose turn it is, each in the place of the command whose event it is, and kills those whose time is up.
    /// Whether all are over by that: those that can't be started wake nobody by their end.
    #[cold]
    pub(super) fn run_hooks(&mut self) -> bool {
        let Run { hooks: Some(hooks), tasks, own, limits, source, .. } = self else { return false };
        let is_waited_for = hooks.patience().is_some();
        let has_own_place = hooks.has_own_place();
        let place = |event: &HookEvent| {
            let its = tasks.iter().find(|task| event.is_of_process && task.spec.event_name() == event.name);
            // With one command, all that happens is of that.
            let only = || tasks.iter().next().filter(|_| tasks.len() == 1 || !has_own_place);
            its.or_else(only).map(|task| &*task.spec.command)
        };
        hooks.go_on(place, &Starter { own: *own, limits: *limits, source: Some(source) });
        is_waited_for && hooks.patience().is_none()
    }

    /// A child of no task has ended, and isn't reaped yet. Whether it has to do with a hook.
    #[cold]
    pub(super) fn is_of_hook(&self, ended: Pid) -> bool {
        self.hooks.as_ref().is_some_and(|hooks| hooks.has_ended(ended))
    }

    /// That child was reaped.
    #[cold]
    pub(super) fn hook_was_reaped(&mut self, ended: Ended) {
        if let Some(hooks) = &mut self.hooks {
            hooks.was_reaped(ended.pid, ended.status);
        }
    }

    /// Those that run are killed, and no other one is started. `is_late`: they have had their time.
    #[cold]
    pub(super) fn give_up_hooks(&mut self, is_late: bool) {
        if let Some(hooks) = &mut self.hooks {
            hooks.give_up(is_late);
        }
    }
}
