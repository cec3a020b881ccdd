//! What a command tells its service manager is passed on.

use super::run::{Run, Wakeup, tell};
use super::task::Task;
use crate::model::event::{Event, ProcessReady, ProcessStatus};
use crate::model::signal::Signal;
use crate::policy::reload::Reload;
use crate::sys::default_action;
use crate::sys::notify::Said;
use crate::sys::proc_fs::Ours;

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
        let said = notify.take_said();
        let is_ready = said.contains(&Said::Ready);
        for said in said {
            self.tell_said(said);
        }
        if is_ready {
            self.look_for_handler();
        }
    }

    fn tell_said(&mut self, said: Said) {
        let Some(task) = self.tasks.iter().find(|task| task.pid().is_some()) else { return };
        let (name, Some(pid)) = (task.spec.event_name(), task.pid()) else { return };
        match said {
            Said::Ready => tell(self.handlers, &Event::Ready(ProcessReady::new(name, pid))),
            Said::Status(status) => tell(self.handlers, &Event::Status(ProcessStatus::new(name, pid, status))),
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
        if !child.is_some_and(|child| default_action::applies_to(child, signal, &mut Ours::default())) {
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
