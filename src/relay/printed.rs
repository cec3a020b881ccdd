//! Lines with a label each, as pmux prints them: `[TIMESTAMP SEP ]NAME<padding> SEP line`.
//!
//! SEP is `›` for a line of stdout, `»` of stderr, `~` for a remark. Lines of stdout go to stdout, all others to stderr.

use super::stream::{Gone, Stream};
use crate::sys::outbox::Outbox;
use crate::sys::output::Output;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Writes the time as it is now.
pub(crate) type Stamp = Box<dyn Fn(&mut Vec<u8>) + Send>;

/// From how many waiting bytes on nothing more is read for a stream: full pipes then slow its writers down.
pub(super) const FULL_BYTES: usize = 64 * 1024;

/// The same for the last lines of an ended process: they are read without delay, so that remarks come after them.
pub(super) const FULL_AT_END_BYTES: usize = 1024 * 1024;

/// The name under which panicmon itself makes remarks.
const OWN_NAME: &str = "pmux";

/// The colours of labels, one process after the other (ECMA-48, SGR).
const COLOURS: [&str; 6] = ["36", "33", "32", "35", "34", "31"];

/// The streams, in the order of their outboxes.
const STREAMS: [&str; 2] = ["stdout", "stderr"];

/// How many bytes a priority for the journal has: sd-daemon(3).
const PRIORITY_BYTES: usize = 3;

const PRIORITY_OF_WARNINGS: &[u8; PRIORITY_BYTES] = b"<4>";
const PRIORITY_OF_REMARKS: &[u8; PRIORITY_BYTES] = b"<6>";

/// The least time between two reports of lost lines.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Labelled lines on their way to stdout and stderr.
pub(crate) struct Printed {
    /// One if stdout and stderr are the same: then lines stay in order, and none breaks another.
    outboxes: Vec<Outbox>,
    /// What goes in front of a line of each stream: for each process, and last for panicmon itself.
    labels: Vec<[Vec<u8>; 3]>,
    stamp: Option<Stamp>,
    /// Returns further whole lines for stderr.
    beside: fn() -> Vec<u8>,
    /// For each outbox, whether it goes to systemd's journal.
    in_journal: Vec<bool>,
    /// Whether remarks are printed: not in front of a single command.
    remarks: bool,
    /// A reader that has gone is like any other failure to write.
    outlives_readers: bool,
    /// When lost lines were last reported.
    reported: Option<Instant>,
    /// Room for a priority, and the timestamp and label of the line that is being added.
    front: Vec<u8>,
}

/// Whether anything was written, and whether a failure was logged meanwhile.
struct Written {
    any: bool,
    logged: bool,
}

/// Which names are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// No names.
    No,
    /// The name of the one process.
    One,
    /// The names of all processes and of panicmon itself, aligned.
    Several,
}

impl Printed {
    pub(crate) fn new(
        stdout: Output,
        stderr: Output,
        names: &[String],
        which: Names,
        stamp: Option<Stamp>,
        colours: bool,
    ) -> Printed {
        let mut outboxes = vec![Outbox::new(stdout)];
        if !outboxes[0].output().is_same(&stderr) {
            outboxes.push(Outbox::new(stderr));
        }
        let own = OWN_NAME.to_owned();
        let all: Vec<&String> = names.iter().chain([&own]).collect();
        let width = match which {
            Names::Several => all.iter().map(|name| name.chars().count()).max().unwrap_or(0),
            Names::No | Names::One => 0,
        };
        let mut printed = Printed {
            outboxes,
            labels: Vec::new(),
            stamp,
            beside: Vec::new,
            in_journal: Vec::new(),
            remarks: which == Names::Several,
            outlives_readers: false,
            reported: None,
            front: Vec::new(),
        };
        for (number, name) in all.iter().enumerate() {
            let label = |stream: Stream| {
                let coloured = colours && printed.outboxes[printed.number(stream)].output().is_terminal();
                let colour = coloured.then_some(COLOURS[number % COLOURS.len()]);
                match which {
                    // The time has a separator of its own.
                    Names::No => Vec::new(),
                    Names::One | Names::Several => label(name, width, colour, stream),
                }
            };
            let labels = [Stream::Stdout, Stream::Stderr, Stream::Remark].map(label);
            printed.labels.push(labels);
        }
        printed
    }

    /// Also writes the lines that this function returns.
    pub(crate) fn beside(self, beside: fn() -> Vec<u8>) -> Printed {
        Printed { beside, ..self }
    }

    /// The stream of this device and inode goes to the journal: there a line's priority (`<3>`) must come before its label.
    pub(crate) fn journal(self, stream: Option<(u64, u64)>) -> Printed {
        let in_journal = self.outboxes.iter().map(|outbox| outbox.output().is(stream)).collect();
        Printed { in_journal, ..self }
    }

    /// A reader that has gone is no error, as for a program that ignores SIGPIPE.
    pub(crate) fn outlives_readers(self, outlives_readers: bool) -> Printed {
        Printed { outlives_readers, ..self }
    }

    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.outboxes.iter().map(|outbox| outbox.output().as_fd())
    }

    pub(crate) fn to_write(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.outboxes.iter().filter_map(Outbox::to_write)
    }

    pub(crate) fn has_room(&self, stream: Stream, enough: usize) -> bool {
        self.outbox_has_room(self.number(stream), enough)
    }

    /// The same of the outbox with this number; there may be one for both streams.
    pub(super) fn outbox_has_room(&self, number: usize, enough: usize) -> bool {
        self.outboxes.get(number).is_some_and(|outbox| outbox.has_room(enough))
    }

    /// Where the lines of one stream of a process go that were read at the same time.
    pub(crate) fn lines_of(&mut self, process: usize, stream: Stream) -> Labelled<'_> {
        self.front.clear();
        self.front.extend_from_slice(PRIORITY_OF_REMARKS);
        if let Some(stamp) = &self.stamp {
            stamp(&mut self.front);
            self.front.push(b' ');
            self.front.extend_from_slice(separator(stream).as_bytes());
            self.front.push(b' ');
        }
        self.front.extend_from_slice(&self.labels[process][stream as usize]);
        let outbox = self.number(stream);
        let in_journal = self.in_journal.get(outbox).copied().unwrap_or(false);
        Labelled { front: &mut self.front, outbox: &mut self.outboxes[outbox], in_journal }
    }

    pub(crate) fn remark(&mut self, process: Option<usize>, text: &str, is_warning: bool) {
        if !self.remarks {
            return;
        }
        let own = self.labels.len() - 1;
        let priority = if is_warning { PRIORITY_OF_WARNINGS } else { PRIORITY_OF_REMARKS };
        self.lines_of(process.unwrap_or(own), Stream::Remark).remark(priority, text.as_bytes());
    }

    pub(crate) fn flush(&mut self) -> Result<bool, Gone> {
        let Written { any, logged } = self.write(false)?;
        // What was logged is written, too, if stderr is the stream that works.
        if self.report_lost(false) || logged { Ok(self.write(false)?.any || any) } else { Ok(any) }
    }

    /// The last call: writes the rest, and returns whether lines were lost.
    pub(crate) fn finish(&mut self) -> bool {
        let _ = self.write(true);
        self.outboxes.iter_mut().for_each(Outbox::count_rest);
        let said = self.report_lost(true);
        let _ = self.write(true);
        said
    }

    /// Writes what is taken; at the end also to streams that failed and have no new line.
    fn write(&mut self, at_end: bool) -> Result<Written, Gone> {
        let stderr = self.number(Stream::Stderr);
        // Further lines wait where they would be lost.
        if self.outboxes[stderr].has_room(FULL_BYTES)
            && (at_end || !self.outboxes[stderr].fails())
            && let Some(lines) = (self.beside)().strip_suffix(b"\n")
        {
            self.outboxes[stderr].add(b"", lines);
        }
        let mut written = Written { any: false, logged: false };
        for (outbox, stream) in self.outboxes.iter_mut().zip(STREAMS) {
            match if at_end { outbox.try_to_write() } else { outbox.flush() } {
                Ok(any) => written.any |= any,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !self.outlives_readers => {
                    outbox.give_up();
                    return Err(Gone { stream });
                }
                Err(error) => {
                    if may_report(self.reported) {
                        log_failure(stream, &error);
                        written.logged = true;
                    }
                }
            }
        }
        Ok(written)
    }

    /// Logs how many lines were lost, for streams that work again; at the end for all.
    fn report_lost(&mut self, at_end: bool) -> bool {
        let mut said = false;
        for (outbox, stream) in self.outboxes.iter_mut().zip(STREAMS) {
            if outbox.lost() > 0 && (at_end || !outbox.fails() && may_report(self.reported)) {
                match outbox.lost() {
                    1 => log::warn!("one line couldn't be written to {stream}: it is lost"),
                    lines => log::warn!("{lines} lines couldn't be written to {stream}: they are lost"),
                }
                outbox.lost_is_reported();
                said = true;
            }
        }
        if said {
            self.reported = Some(Instant::now());
        }
        said
    }

    /// The outbox for a stream.
    pub(crate) fn number(&self, stream: Stream) -> usize {
        usize::from(stream != Stream::Stdout).min(self.outboxes.len() - 1)
    }
}

fn log_failure(stream: &str, error: &io::Error) {
    if error.kind() == io::ErrorKind::BrokenPipe {
        log::warn!("nobody reads {stream} any more: its lines are lost until somebody does");
    } else {
        log::warn!("can't write to {stream}: {error}: its lines are lost until that works again");
    }
}

/// A disk that is full may take a few bytes now and then: not each time is reported.
fn may_report(reported: Option<Instant>) -> bool {
    reported.is_none_or(|reported| reported.elapsed() >= REPORT_INTERVAL)
}

impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printed").field("outboxes", &self.outboxes).finish_non_exhaustive()
    }
}

/// Where the lines of one stream go.
pub(crate) struct Labelled<'p> {
    front: &'p mut [u8],
    outbox: &'p mut Outbox,
    in_journal: bool,
}

impl Labelled<'_> {
    pub(crate) fn line(&mut self, line: &[u8]) {
        match line {
            [b'<', b'0'..=b'7', b'>', rest @ ..] if self.in_journal => {
                self.with_priority(&line[..PRIORITY_BYTES], rest);
            }
            _ => self.outbox.add(&self.front[PRIORITY_BYTES..], line),
        }
    }

    fn remark(&mut self, priority: &[u8; PRIORITY_BYTES], text: &[u8]) {
        if self.in_journal {
            self.with_priority(priority, text);
        } else {
            self.outbox.add(&self.front[PRIORITY_BYTES..], text);
        }
    }

    fn with_priority(&mut self, priority: &[u8], line: &[u8]) {
        self.front[..PRIORITY_BYTES].copy_from_slice(priority);
        self.outbox.add(self.front, line);
    }
}

fn separator(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "›",
        Stream::Stderr => "»",
        Stream::Remark => "~",
    }
}

fn label(name: &str, width: usize, colour: Option<&str>, stream: Stream) -> Vec<u8> {
    let separator = separator(stream);
    let padding = " ".repeat(width.saturating_sub(name.chars().count()));
    match colour {
        Some(colour) => format!("\x1b[{colour}m{name}\x1b[0m{padding} {separator} "),
        None => format!("{name}{padding} {separator} "),
    }
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_lines_are_reported_at_once_and_then_not_for_a_while() {
        let now = Instant::now();
        assert!(may_report(None) && !may_report(Some(now)));
        assert!(now.checked_sub(REPORT_INTERVAL).is_none_or(|before| may_report(Some(before))));
    }

    #[test]
    fn labels_are_those_of_pmux() {
        for (name, width, colour, stream, expected) in [
            ("web", 3, None, Stream::Stdout, "web › "),
            ("web", 8, None, Stream::Stderr, "web      » "),
            ("wëb", 4, None, Stream::Remark, "wëb  ~ "),
            ("", 4, None, Stream::Stdout, "     › "),
            ("web", 4, Some("36"), Stream::Stdout, "\x1b[36mweb\x1b[0m  › "),
        ] {
            assert_eq!(String::from_utf8(label(name, width, colour, stream)).unwrap(), expected);
        }
    }
}
