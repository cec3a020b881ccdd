//! The process group of a child.

/// The process group of a child, and what goes with one of its own and with a session of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChildGroup<Own, Session = Own> {
    /// That of its parent.
    Shared,
    /// One of its own.
    Own(Own),
    /// The first of a session of its own.
    Session(Session),
}

impl<Own, Session> ChildGroup<Own, Session> {
    /// Whether the child is in another process group than its parent.
    pub(crate) fn is_own(&self) -> bool {
        !matches!(self, ChildGroup::Shared)
    }

    pub(crate) fn as_ref(&self) -> ChildGroup<&Own, &Session> {
        match self {
            ChildGroup::Shared => ChildGroup::Shared,
            ChildGroup::Own(own) => ChildGroup::Own(own),
            ChildGroup::Session(session) => ChildGroup::Session(session),
        }
    }

    /// The same group, with other things that go with it.
    pub(crate) fn map<O, S>(self, own: impl FnOnce(Own) -> O, session: impl FnOnce(Session) -> S) -> ChildGroup<O, S> {
        match self {
            ChildGroup::Shared => ChildGroup::Shared,
            ChildGroup::Own(with) => ChildGroup::Own(own(with)),
            ChildGroup::Session(with) => ChildGroup::Session(session(with)),
        }
    }
}
