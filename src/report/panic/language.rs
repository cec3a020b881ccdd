//! What the tables say of a language.

use super::text::Lines;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;

/// A language, or a runtime that has words of its own.
#[derive(Debug)]
pub(super) struct Language {
    pub(super) name: &'static str,
    pub(super) ends: Ends,
    pub(super) reader: Reader,
    pub(super) frames: Frames,
}

/// How its text is read.
#[derive(Debug)]
pub(super) enum Reader {
    /// By marks, of which each has its place in the order: the first that is found counts, among those that are as sure.
    Marks(&'static [Mark]),
    /// By a function, where the text has a structure that a line doesn't show.
    Own(fn(&Lines<'_>, ExitStatus) -> Option<Found>),
}

/// The ends that its deaths have. A shell between may turn a signal N into the code 128+N.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) codes: &'static [u8],
    pub(super) signals: &'static [Signal],
}

impl Ends {
    pub(super) fn has(self, status: ExitStatus) -> bool {
        match status {
            ExitStatus::Exited(0) => false,
            ExitStatus::Exited(code) => {
                self.codes.contains(&code) || self.signals.iter().any(|signal| i32::from(code) == 128 + signal.number())
            }
            ExitStatus::Signaled { signal, .. } => self.signals.contains(&signal),
        }
    }
}

/// The line that names the cause.
#[derive(Debug)]
pub(super) struct Mark {
    /// What the line starts with. It is looked up, so that the pattern is tried on few lines.
    pub(super) start: &'static str,
    /// What it holds.
    pub(super) has: &'static str,
    /// Groups: `kind`, `message`, `thread`, and `p` and `n`, the place in the source.
    pub(super) pattern: &'static str,
    pub(super) which: Which,
    /// The kind, where the pattern doesn't find it.
    pub(super) kind: &'static str,
    pub(super) message: Message,
    /// A pattern for what the message ends with but isn't part of it. Groups: `kind`, `p` and `n`.
    pub(super) cut: &'static str,
    /// A pattern for the whole message, where it holds the kind. Groups: `kind`, `message`, `p` and `n`.
    pub(super) inner: &'static str,
    /// One of the next lines starts with one of these. Otherwise it is a false friend.
    pub(super) below: &'static [&'static str],
    /// The line right before starts so.
    pub(super) after: &'static str,
    /// False friends have a line right before that holds one of these.
    pub(super) not_after: &'static [&'static str],
    /// False friends have one of these near below.
    pub(super) not_below: &'static [&'static str],
    /// It only counts among the last lines: programs print such lines and go on.
    pub(super) at_end: bool,
    pub(super) sure: Sure,
    /// The ends for this mark, if others than the language's.
    pub(super) ends: Option<Ends>,
}

/// What most marks have.
pub(super) const MARK: Mark = Mark {
    start: "",
    has: "",
    pattern: "",
    which: Which::First,
    kind: "",
    message: Message::Line,
    cut: "",
    inner: "",
    below: &[],
    after: "",
    not_after: &[],
    not_below: &[],
    at_end: false,
    sure: Sure::Certain,
    ends: None,
};

/// Which of several marks counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    First,
    Last,
}

/// Where the message is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Message {
    /// In the line itself.
    Line,
    /// It goes on up to a line that starts with one of these; `""` stands for an empty line.
    Until(&'static [&'static str]),
    /// It goes on up to an empty line, or to the end.
    ToEnd,
    /// It is below, up to such a line.
    Below(&'static [&'static str]),
    /// It is the nearest line above that isn't indented.
    Above,
    /// It begins in the nearest line above that this pattern finds. Groups as those of the mark.
    From(&'static str),
}

/// How much a mark proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// Other programs say such things, too.
    Guess,
    Certain,
}

/// What frames look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frames {
    /// Groups: `f`, the function; `p`, the file; `n`, the line.
    pub(super) pattern: &'static str,
    /// The file and the line, if they are in a line of their own below the function.
    pub(super) place: &'static str,
    pub(super) order: Order,
    /// Functions of the runtime itself start so. They say nothing of the fault.
    pub(super) skipped: &'static [&'static str],
    /// Frames of another thread or of another exception follow such a line.
    pub(super) stop: &'static [&'static str],
    /// So does what belongs to another death, and it may come before the first frame.
    pub(super) bounds: &'static [&'static str],
}

/// No frames.
pub(super) const NO_FRAMES: Frames =
    Frames { pattern: "", place: "", order: Order::Below, skipped: &[], stop: &[], bounds: &[] };

/// Where the frames are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Below the mark, the innermost first.
    Below,
    /// Below the mark, the innermost last.
    BelowOutermostFirst,
    /// Above the mark, the innermost last.
    Above,
    /// Several in the line of the mark, or below it in a line.
    InLine,
}

/// What is found of a death.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) thread: Option<String>,
    /// The place in the source, where the mark names it.
    pub(super) place: Option<String>,
    /// The line of the mark.
    pub(super) at: usize,
    pub(super) sure: Sure,
    /// The frames, if the reader has read them.
    pub(super) frames: Vec<String>,
}
