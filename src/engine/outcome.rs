//! How a run ended.

use crate::model::error::Error;
use crate::policy::action::End;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How the last run of each task ended, in the order of the tasks.
    pub(crate) results: Vec<Result<End, Error>>,
    /// The task that was the first not to end with a success.
    pub(crate) first_failure: Option<usize>,
    pub(crate) asked: Asked,
    /// All tasks were stopped because nobody reads one of our streams any more.
    pub(crate) reader_gone: bool,
}

/// What a run was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    #[default]
    Nothing,
    /// To stop.
    Stop,
    /// To stop, and then to kill.
    Kill,
}
