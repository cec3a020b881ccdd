//! The command line's options: flags as data, their words to settings.

pub(crate) mod flags;
pub(crate) mod parse;
pub(crate) mod settings;
pub(crate) mod values;
pub(crate) mod variables;
