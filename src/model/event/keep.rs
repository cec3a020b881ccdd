//! Events with nothing borrowed.

/// Gives each event a `to_owned`: it makes copies of the borrowed fields; the others it copies anyway. Behind
/// these stand the borrowed ones that may be missing.
macro_rules! keep {
    ($($Event:ident { $($borrowed:ident),* ; $($copied:ident),* $(; $($optional:ident),*)? })*) => {$(
        impl $Event<'_> {
            /// The same event with nothing borrowed, to be kept or sent to another thread.
            #[must_use]
            pub fn to_owned(&self) -> $Event<'static> {
                $Event {
                    $($borrowed: Cow::Owned(self.$borrowed.clone().into_owned()),)*
                    $($copied: self.$copied,)*
                    $($($optional: self.$optional.clone().map(|value| Cow::Owned(value.into_owned())),)*)?
                }
            }
        }
    )*};
}

pub(crate) use keep;
