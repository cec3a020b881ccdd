//! Events with nothing borrowed.

/// Gives each event a `to_owned`: of the borrowed fields it makes copies, the others it copies anyway.
macro_rules! keep {
    ($($Event:ident { $($borrowed:ident),* ; $($copied:ident),* })*) => {$(
        impl $Event<'_> {
            /// The same event with nothing borrowed, to be kept or sent to another thread.
            #[must_use]
            pub fn to_owned(&self) -> $Event<'static> {
                $Event {
                    $($borrowed: Cow::Owned(self.$borrowed.clone().into_owned()),)*
                    $($copied: self.$copied,)*
                }
            }
        }
    )*};
}

pub(crate) use keep;
