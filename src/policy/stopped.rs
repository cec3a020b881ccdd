//! Who is stopped, as by ^Z: the child, and this process with it.

use super::action::{Actions, LoopAction};
use crate::model::signal::Signal;

#[derive(Debug, Default)]
pub(crate) struct Stopped {
    /// The child is.
    pub(crate) child: bool,
    /// This process is to stop when the child does.
    waits: bool,
    /// This process was, and has been continued.
    pub(crate) resumed: bool,
}

impl Stopped {
    /// ^Z has come for both. This process stops now; or, if it waits for the child, when that does: an editor puts the
    /// terminal in order first, and what continued the group before that wouldn't continue the editor.
    #[cold]
    pub(crate) fn with_child(&mut self, waits: bool, actions: &mut Actions) {
        self.waits = waits && !self.child;
        if !self.waits {
            actions.push(LoopAction::StopWithChild(Signal::TSTP));
        }
    }

    /// A signal has come by kill(2) that may stop the child; `is_wanted`: this process is to stop, too. Unlike TSTP, STOP works in a process
    /// group that no shell controls.
    pub(crate) fn by_kill(&self, is_wanted: bool, actions: &mut Actions) {
        if is_wanted {
            actions.push(LoopAction::StopWithChild(Signal::STOP));
        }
    }

    /// The child has stopped.
    pub(crate) fn child_stopped(&mut self, actions: &mut Actions) {
        self.child = true;
        if std::mem::take(&mut self.waits) {
            actions.push(LoopAction::StopWithChild(Signal::TSTP));
        }
    }
}
