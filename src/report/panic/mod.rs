//! What a process has died of, by its last words.
//!
//! Runtimes say it each in their own way: `languages` is a table of these ways, `readers` are for texts whose structure a line
//! doesn't show. What a text says is only believed when the status agrees: a program that ends with 0 died of nothing, whatever
//! it has printed.
//!
//! The time is linear in the length of the texts: each mark of the table is looked up by what its line starts with, patterns
//! see the first 2 KiB of a line, and only as many lines around a mark as a constant says.
//!
//! | file | contents |
//! |---|---|
//! | `text` | a text by its lines |
//! | `pattern` | patterns of lines |
//! | `language` | what the tables say of a language |
//! | `languages` | the tables |
//! | `readers` | languages that need more than a table |
//! | `marks` | a death is found by the marks of a language |
//! | `frames` | the frames of a death |
//! | `fingerprint` | a number by which the same fault is known again |

pub(crate) mod fingerprint;
mod frames;
mod language;
mod languages;
mod marks;
mod pattern;
mod readers;
mod text;

#[cfg(test)]
mod tests;

use crate::model::death::{Panic, Source};
use crate::model::status::ExitStatus;
use language::{Found, Language, Reader, Sure};
use text::Lines;

/// The most bytes of a message, and of a kind, a thread's name or a frame.
const MOST_OF_MESSAGE: usize = 4096;
const MOST_OF_NAME: usize = 256;

/// What a process that ended so has died of, by what it has written: the [`panic`](crate::model::event::ProcessExited::panic) of its
/// end. `None`: it has ended with 0, or nothing in the texts is known.
///
/// The program fills that field for `--stderr-tail` and the like. In the library, where the host has the texts, the host asks.
/// Some fifty languages and runtimes are known. The end of a text counts more than its beginning: of more than 2 MiB the first
/// and the last MiB are looked at. The time is linear in their length, whatever was written. Colours are no hindrance.
///
/// ```
/// use panicmon::{Event, Executor, Handler, Options, Output, ProcessExited, recognise};
///
/// /// Keeps the end, as stderr may come later.
/// #[derive(Default)]
/// struct End(Option<ProcessExited<'static>>);
///
/// impl Handler for End {
///     fn event(&mut self, event: &Event<'_>) {
///         if let Event::Exited(exited) = event.to_owned() {
///             self.0 = Some(exited);
///         }
///     }
/// }
///
/// let (mut stderr, mut end) = (Vec::new(), End::default());
/// let options = Options::default().stderr(Output::Writer(Box::new(&mut stderr))).handler(&mut end);
/// Executor::new(options)?.run(["sh", "-c", "echo 'panic: out of paper' >&2; echo >&2; echo 'goroutine 1 [running]:' >&2; exit 2"])?;
///
/// let mut exited = end.0.expect("it was started");
/// exited.panic = recognise(&String::from_utf8_lossy(&stderr), "", exited.status);
/// assert!(exited.summary().ends_with("go panic: out of paper"));
/// # Ok::<(), panicmon::Error>(())
/// ```
pub fn recognise(stderr: &str, stdout: &str, status: ExitStatus) -> Option<Panic> {
    if status.is_success() {
        return None;
    }
    let mut best: Option<(Found, Panic)> = None;
    for (text, stream) in [(stderr, Source::Stderr), (stdout, Source::Stdout)] {
        if text.trim_start().is_empty() {
            continue;
        }
        let text = text::clean(text);
        let lines = Lines::new(&text);
        if let Some((found, language)) = surest(&lines, status)
            && best.as_ref().is_none_or(|(best, _)| found.sure > best.sure)
        {
            let panic = panic_of(&found, language, &lines, stream);
            best = Some((found, panic));
        }
    }
    best.map(|(_, panic)| panic)
}

/// The surest death that any language finds, and of several the last one: a program shows the death of another before its own.
fn surest(lines: &Lines<'_>, status: ExitStatus) -> Option<(Found, &'static Language)> {
    let mut best: Option<(Found, &Language)> = None;
    for language in languages::all().filter(|language| language.ends.has(status)) {
        let found = match language.reader {
            Reader::Marks(marks) => marks::find(marks, lines, status),
            Reader::Own(read) => read(lines, status),
        };
        let rank = |found: &Found| (found.sure, found.at);
        if let Some(found) = found
            && best.as_ref().is_none_or(|(best, _)| rank(&found) > rank(best))
        {
            best = Some((found, language));
        }
    }
    best.filter(|(found, _)| found.sure >= Sure::Guess)
}

fn panic_of(found: &Found, language: &Language, lines: &Lines<'_>, stream: Source) -> Panic {
    let mut frames = found.frames.clone();
    if frames.is_empty() {
        frames = frames::read(&language.frames, lines, found.at);
    }
    if frames.is_empty() {
        frames.extend(found.place.clone());
    }
    frames.truncate(frames::MOST);
    let brief = |text: &str| text::beginning(text, MOST_OF_NAME).to_owned();
    let kind = brief(&found.kind);
    Panic {
        language: language.name,
        message: text::beginning(&found.message, MOST_OF_MESSAGE).to_owned(),
        thread: found.thread.as_deref().map(brief),
        fingerprint: fingerprint::of(language.name, &kind, &found.message, &frames),
        frames: frames.iter().map(|frame| brief(frame)).collect(),
        kind,
        stream,
    }
}
