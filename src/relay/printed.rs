//! Lines with a label each, as pmux prints them: `[TIMESTAMP SEP ]NAME<padding> SEP line`.
//!
//! SEP is `›` for a line of stdout, `»` of stderr, `~` for a remark. Lines of stdout go to stdout, all others to stderr.

use super::outbox::{ENOUGH, Outbox};
use super::stream::{Gone, Stream};
use crate::sys::output::Output;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Writes the time as it is now.
pub(crate) type Stamp = Box<dyn Fn(&mut Vec<u8>) + Send>;

/// The name under which panicmon itself makes remarks.
const OWN_NAME: &str = "pmux";

/// The colours of labels, one process after the other (ECMA-48, SGR).
const COLOURS: [&str; 6] = ["36", "33", "32", "35", "34", "31"];

/// The streams, in the order of their outboxes.
const STREAMS: [&str; 2] = ["stdout", "stderr"];

/// How long a priority is for the journal: sd-daemon(3).
const PRIORITY: usize = 3;

const PRIORITY_OF_WARNINGS: &[u8; PRIORITY] = b"<4>";
const PRIORITY_OF_REMARKS: &[u8; PRIORITY] = b"<6>";

/// How long nothing is said of lost lines after something was.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// Labelled lines on their way to stdout and stderr.
pub(crate) struct Printed {
    /// One, if stdout and stderr are the same: then what comes first is written first, and none tears the other.
    outboxes: Vec<Outbox>,
    /// For each process, and the last for panicmon itself, what goes in front of a line of each stream.
    labels: Vec<[Vec<u8>; 3]>,
    stamp: Option<Stamp>,
    /// Gives what else is to be written to stderr, in whole lines.
    beside: fn() -> Vec<u8>,
    /// Those that go to the journal of systemd, by their outboxes.
    in_journal: Vec<bool>,
    /// A program in front of one other says nothing of itself.
    remarks: bool,
    /// That nobody reads a stream any more is as any other failure to write to it.
    outlives_readers: bool,
    /// When it was last said that lines are lost.
    told: Option<Instant>,
    /// Room for a priority, and the time stamp and the label of the line that is being written.
    front: Vec<u8>,
}

/// Whether anything was written, and anything said meanwhile.
struct Written {
    any: bool,
    told: bool,
}

/// Which names are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// None.
    No,
    /// The one process's.
    One,
    /// All, aligned, panicmon's own among them.
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
            told: None,
            front: Vec::new(),
        };
        for (number, name) in all.iter().enumerate() {
            let label = |stream: Stream| {
                let coloured = colours && printed.outboxes[printed.number(stream)].output().is_terminal();
                let colour = coloured.then_some(COLOURS[number % COLOURS.len()]);
                match which {
                    // The separator stands behind the time.
                    Names::No => Vec::new(),
                    Names::One | Names::Several => label(name, width, colour, stream),
                }
            };
            let labels = [Stream::Stdout, Stream::Stderr, Stream::Remark].map(label);
            printed.labels.push(labels);
        }
        printed
    }

    /// Takes this, too, whenever it writes.
    pub(crate) fn beside(self, beside: fn() -> Vec<u8>) -> Printed {
        Printed { beside, ..self }
    }

    /// The stream of this device and inode goes to the journal: what a line says of its priority there (`<3>`) comes first.
    pub(crate) fn journal(self, stream: Option<(u64, u64)>) -> Printed {
        let in_journal = self.outboxes.iter().map(|outbox| outbox.output().is(stream)).collect();
        Printed { in_journal, ..self }
    }

    /// That nobody reads a stream any more is no reason to stop, as it is none for a program that ignores SIGPIPE.
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
        self.outboxes[self.number(stream)].has_room(enough)
    }

    /// Takes the lines of one stream of a process, which have come at the same time.
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
        let Written { any, told } = self.write(false)?;
        // What is said of it is for one of them, too, which may be the one that works.
        if self.say_lost(false) || told { Ok(self.write(false)?.any || any) } else { Ok(any) }
    }

    /// All is over: whether there was anything to be said of lines that are lost.
    pub(crate) fn finish(&mut self) -> bool {
        let _ = self.write(true);
        self.outboxes.iter_mut().for_each(Outbox::count_rest);
        let said = self.say_lost(true);
        let _ = self.write(true);
        said
    }

    /// Writes what is taken; at the end also to those that failed with nothing new for them.
    fn write(&mut self, at_end: bool) -> Result<Written, Gone> {
        let stderr = self.number(Stream::Stderr);
        // Where it would be lost, it waits.
        if self.outboxes[stderr].has_room(ENOUGH)
            && (at_end || !self.outboxes[stderr].fails())
            && let Some(lines) = (self.beside)().strip_suffix(b"\n")
        {
            self.outboxes[stderr].add(b"", lines);
        }
        let mut written = Written { any: false, told: false };
        for (outbox, stream) in self.outboxes.iter_mut().zip(STREAMS) {
            match if at_end { outbox.try_to_write() } else { outbox.flush() } {
                Ok(any) => written.any |= any,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !self.outlives_readers => {
                    outbox.give_up();
                    return Err(Gone { stream });
                }
                Err(error) => {
                    if may_tell(self.told) {
                        tell_failure(stream, &error);
                        written.told = true;
                    }
                }
            }
        }
        Ok(written)
    }

    /// Says how many lines were lost, of the streams that work again; at the end of all.
    fn say_lost(&mut self, at_end: bool) -> bool {
        let mut said = false;
        for (outbox, stream) in self.outboxes.iter_mut().zip(STREAMS) {
            if outbox.lost() > 0 && (at_end || !outbox.fails() && may_tell(self.told)) {
                match outbox.lost() {
                    1 => log::warn!("one line couldn't be written to {stream}: it is lost"),
                    lines => log::warn!("{lines} lines couldn't be written to {stream}: they are lost"),
                }
                outbox.lost_is_told();
                said = true;
            }
        }
        if said {
            self.told = Some(Instant::now());
        }
        said
    }

    /// The outbox for a stream.
    pub(crate) fn number(&self, stream: Stream) -> usize {
        usize::from(stream != Stream::Stdout).min(self.outboxes.len() - 1)
    }
}

fn tell_failure(stream: &str, error: &io::Error) {
    if error.kind() == io::ErrorKind::BrokenPipe {
        log::warn!("nobody reads {stream} any more: its lines are lost until somebody does");
    } else {
        log::warn!("can't write to {stream}: {error}: its lines are lost until that works again");
    }
}

/// Where there is room for a few bytes now and then, each of them isn't an occasion to say how many lines found none.
fn may_tell(told: Option<Instant>) -> bool {
    told.is_none_or(|told| told.elapsed() >= TELL_AGAIN)
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
            [b'<', b'0'..=b'7', b'>', rest @ ..] if self.in_journal => self.with_priority(&line[..PRIORITY], rest),
            _ => self.outbox.add(&self.front[PRIORITY..], line),
        }
    }

    fn remark(&mut self, priority: &[u8; PRIORITY], text: &[u8]) {
        if self.in_journal {
            self.with_priority(priority, text);
        } else {
            self.outbox.add(&self.front[PRIORITY..], text);
        }
    }

    fn with_priority(&mut self, priority: &[u8], line: &[u8]) {
        self.front[..PRIORITY].copy_from_slice(priority);
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
    fn lost_lines_are_told_of_at_once_and_then_not_for_a_while() {
        let now = Instant::now();
        assert!(may_tell(None) && !may_tell(Some(now)));
        assert!(now.checked_sub(TELL_AGAIN).is_none_or(|before| may_tell(Some(before))));
    }

    #[test]
    fn labels_are_the_seeds() {
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
