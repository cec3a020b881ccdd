//! What a reload by the service manager means for the command.

use super::forwarding::Forwarding;
use crate::model::signal::Signal;

/// What a reload by the service manager sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    /// HUP, if the unit's type is `notify-reload`; whether it is isn't known.
    Unknown,
    /// Nothing that would end the command.
    Harmless,
    /// This signal.
    Sends(Signal),
}

impl Reload {
    /// What the command is sent in the end.
    pub(crate) fn forwarded(self, forwarding: &Forwarding) -> Reload {
        let Reload::Sends(signal) = self else { return self };
        let sent = forwarding.becomes(signal);
        let can_end = |sent: &Signal| sent.ends_by_default() && !forwarding.drop_uncaught.contains(*sent);
        sent.filter(can_end).map_or(Reload::Harmless, Reload::Sends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::SignalSet;

    #[test]
    fn what_can_end_the_command_is_what_is_sent_to_it() {
        let forwarding = Forwarding {
            rewrites: vec![(Signal::USR1, Some(Signal::HUP)), (Signal::ALRM, None)],
            drop_uncaught: SignalSet::EMPTY.with(Signal::USR2),
            ..Forwarding::default()
        };
        let forwarded = |signal| Reload::Sends(signal).forwarded(&forwarding);
        assert_eq!(forwarded(Signal::HUP), Reload::Sends(Signal::HUP));
        assert_eq!(forwarded(Signal::USR1), Reload::Sends(Signal::HUP), "rewritten");
        assert_eq!(forwarded(Signal::ALRM), Reload::Harmless, "dropped");
        assert_eq!(forwarded(Signal::USR2), Reload::Harmless, "dropped, if it isn't caught");
        assert_eq!(forwarded(Signal::WINCH), Reload::Harmless, "ends nobody");
        assert_eq!(Reload::Unknown.forwarded(&forwarding), Reload::Unknown);
    }
}
