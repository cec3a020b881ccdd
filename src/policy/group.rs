//! Which process group the child is in, and what follows from that for the terminal's signals.

use super::action::{Actions, To};
use super::job_control::JobControl;
use crate::model::child_group::ChildGroup;
use crate::model::origin::Received;
use crate::model::signal::Signal;
use crate::model::standing::Foreground;

/// Which process group the child is in. One of its own goes with job control, if there is a terminal that both can use. To a
/// session of its own, this process's terminal sends nothing.
pub(crate) type Group = ChildGroup<Option<JobControl>, ()>;

impl Group {
    /// Job control, if the child takes part in it.
    pub(crate) fn job(&mut self) -> Option<&mut JobControl> {
        match self {
            Group::Own(job) => job.as_mut(),
            Group::Shared | Group::Session(()) => None,
        }
    }

    /// To whom this signal is passed on, which is sent for one that came. `None`: to nobody.
    pub(crate) fn to(
        &mut self,
        received: Received,
        sent: Received,
        from_terminal: bool,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) -> Option<To> {
        match self {
            Group::Shared => Some(To::Child),
            Group::Own(Some(job)) if sent == received => job.signal(received, foreground, actions),
            // The terminal would have sent it to a whole group.
            Group::Own(Some(_)) | Group::Session(()) if from_terminal => Some(To::Group),
            // All that ^Z has stopped goes on.
            Group::Session(()) if received.signal == Signal::CONT => Some(To::Group),
            Group::Own(_) | Group::Session(()) => Some(To::Child),
        }
    }

    /// Whether the terminal's ^Z, which stops the others of this process's group, stops this process, too, though it may
    /// not see the child stop: the child had it together with this process; or it is in a session in which the kernel
    /// doesn't let a terminal stop it; or it was sent something else.
    /// `sent`: what the child is sent; `None`: nothing, but the terminal has stopped a child of this group all the same.
    pub(crate) fn stops_with_child(&self, received: Received, sent: Option<Received>) -> bool {
        let Some(sent) = sent else { return received.signal == Signal::TSTP && !self.is_own() };
        match self {
            Group::Shared => received.signal == Signal::TSTP,
            Group::Own(Some(_)) => received.signal == Signal::TSTP && !sent.signal.stops_by_default(),
            Group::Session(()) => received.signal == Signal::TSTP || sent.signal == Signal::TSTP,
            Group::Own(None) => false,
        }
    }

    /// This process was continued, and the child is to go on with it. Whether it must be continued: in this process's group
    /// it already was.
    pub(crate) fn continued(&mut self, foreground: impl FnOnce() -> Foreground, actions: &mut Actions) -> bool {
        match self {
            Group::Shared | Group::Own(None) => false,
            Group::Own(Some(job)) => {
                job.continued(foreground(), actions);
                true
            }
            Group::Session(()) => true,
        }
    }
}
