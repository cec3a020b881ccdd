//! What a command tells its service manager is passed on.

use super::run::{Run, Wakeup};
use super::task::Task;
use crate::model::signal::Signal;
use crate::policy::reload::Reload;
use crate::sys::default_action;

impl Run<'_, '_> {
    pub(super) fn pass_notifications(&mut self, wakeup: &Wakeup) {
        if self.notify.is_some() {
            self.pass_notifications_on(wakeup);
        }
    }

    #[cold]
    fn pass_notifications_on(&mut self, wakeup: &Wakeup) {
        let Some(notify) = &mut self.notify else { return };
        // A sender that has ended is known as a descendant until it is waited for.
        if wakeup.children {
            notify.pass_last();
        } else if wakeup.notified || notify.deadline().is_some() {
            notify.pass();
        }
        if notify.takes_ready() {
            self.look_for_handler();
        }
    }

    /// The command is ready. If a reload by the service manager would end it, says so, once.
    #[cold]
    fn look_for_handler(&mut self) {
        let signal = match self.reload {
            Reload::Harmless => return,
            Reload::Sends(signal) => signal,
            Reload::Unknown => Signal::HUP,
        };
        let child = self.tasks.iter().find_map(Task::pid);
        if !child.is_some_and(|child| default_action::applies_to(child, signal)) {
            return;
        }
        if self.reload == Reload::Unknown {
            log::info!(
                "the command says READY=1 and has no handler for {signal}: in a service of Type=notify-reload, a reload \
                 would end it"
            );
        } else {
            log::warn!(
                "the command says READY=1 and has no handler for {signal}: a reload of this service \
                 (Type=notify-reload) will end it"
            );
        }
        self.reload = Reload::Harmless;
    }
}
