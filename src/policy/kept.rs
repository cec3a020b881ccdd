//! Signals that came while there was no child: they are kept for the next one.

use super::action::{Actions, LoopAction};
use super::forwarding::Forwarding;
use super::stop::Asks;
use crate::model::origin::Received;
use crate::model::signal::Signal;
use std::collections::VecDeque;
use std::time::Duration;

/// When this many signals are kept, further ones are lost.
const MOST_KEPT: usize = 65_536;

#[derive(Debug, Default)]
pub(crate) struct Kept(VecDeque<Received>);

impl Kept {
    /// A signal came. A stop that would be passed on isn't kept: it ends it all.
    #[cold]
    pub(crate) fn keep(
        &mut self,
        received: Received,
        forwarding: &Forwarding,
        asks: Asks,
        from_terminal: bool,
        actions: &mut Actions,
    ) {
        if asks != Asks::Nothing
            && let Some(sent) = forwarding.becomes(received.signal)
        {
            let unless_ignored = (sent == received.signal).then_some(sent);
            actions.push(LoopAction::StopAsked { asks, unless_ignored, after: Duration::ZERO });
        } else if from_terminal {
            // The terminal's signals are about this moment, and nothing to the next child; but ^Z is for this process, too.
            if received.signal == Signal::TSTP {
                actions.push(LoopAction::StopWithChild(received.signal));
            }
        } else if received.signal != Signal::CONT && self.0.len() < MOST_KEPT {
            self.0.push_back(received);
        }
    }

    /// These came for a child that has ended since, and are for the next one.
    pub(crate) fn extend(&mut self, received: impl Iterator<Item = Received>) {
        self.0.extend(received);
    }

    /// There is a child: what was kept for it.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Received> + use<> {
        std::mem::take(&mut self.0).into_iter()
    }
}
