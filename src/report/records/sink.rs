//! Where records go: each sink has a queue of its own, and never waits for its reader.

use crate::sys::fd::above_stdio;
use crate::sys::outbox::Outbox;
use crate::sys::output::Output;
use crate::sys::own_file;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// How many bytes wait for a reader; what comes beyond is dropped, and counted. A record that is longer waits alone: the end of a
/// run has its last words in it.
pub(super) const QUEUE_BYTES: usize = 256 * 1024;

/// What a sink is called on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SinkName {
    Stderr,
    /// A file, a FIFO or a character device.
    File(PathBuf),
    /// A descriptor that this process was started with, which is a sink from then on, and none of the child's.
    Fd(i32),
    /// A datagram socket.
    Unix(PathBuf),
}

impl fmt::Display for SinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SinkName::Stderr => f.write_str("stderr"),
            SinkName::File(path) => write!(f, "{}", path.display()),
            SinkName::Fd(number) => write!(f, "fd:{number}"),
            SinkName::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A sink that is open, and what waits for it.
#[derive(Debug)]
pub(crate) struct Sink {
    way: Way,
    /// Records that were dropped since the last `sink.dropped`.
    dropped: u64,
    /// Why the last one was.
    why: String,
}

#[derive(Debug)]
enum Way {
    Stream(Outbox),
    Datagrams(Datagrams),
    /// By this function, which says whether it has taken the line.
    Given(fn(&[u8]) -> bool),
}

/// Records on their way to a socket: one each.
#[derive(Debug)]
struct Datagrams {
    socket: UnixDatagram,
    path: PathBuf,
    queue: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Sink {
    fn new(way: Way) -> Sink {
        Sink { way, dropped: 0, why: String::new() }
    }

    pub(crate) fn stderr() -> Sink {
        Sink::new(Way::Stream(Outbox::new(Output::stderr())))
    }

    pub(crate) fn given(take: fn(&[u8]) -> bool) -> Sink {
        Sink::new(Way::Given(take))
    }

    pub(crate) fn fd(fd: OwnedFd) -> Sink {
        Sink::new(Way::Stream(Outbox::new(Output::of(fd))))
    }

    pub(crate) fn file(path: &Path) -> io::Result<Sink> {
        own_file::append(path).map(Sink::fd)
    }

    pub(crate) fn unix(path: &Path) -> io::Result<Sink> {
        let socket = UnixDatagram::from(above_stdio(UnixDatagram::unbound()?.into())?);
        socket.set_nonblocking(true)?;
        socket.connect(path)?;
        let path = path.to_owned();
        Ok(Sink::new(Way::Datagrams(Datagrams { socket, path, queue: VecDeque::new(), bytes: 0 })))
    }

    /// Takes a record, a line without its newline; one for which there is no room is dropped.
    pub(super) fn add(&mut self, record: &[u8]) {
        if !self.has_room(record.len()) {
            self.flush();
        }
        let has_room = self.has_room(record.len());
        let taken = match &mut self.way {
            Way::Given(take) => take(record),
            _ if !has_room => false,
            Way::Stream(outbox) => {
                outbox.add(b"", record);
                true
            }
            Way::Datagrams(datagrams) => {
                datagrams.bytes += record.len();
                datagrams.queue.push_back(record.to_owned());
                true
            }
        };
        if !taken {
            self.dropped += 1;
            self.why = format!("its reader is {} KiB behind", QUEUE_BYTES / 1024);
        }
    }

    fn has_room(&self, length: usize) -> bool {
        match &self.way {
            Way::Stream(outbox) => outbox.has_room((QUEUE_BYTES + 1).saturating_sub(length).max(1)),
            Way::Datagrams(datagrams) => datagrams.bytes == 0 || datagrams.bytes + length <= QUEUE_BYTES,
            Way::Given(_) => true,
        }
    }

    /// How many records were dropped, and why, if that can be told now.
    pub(super) fn take_dropped(&mut self) -> Option<(u64, String)> {
        if let Way::Stream(outbox) = &mut self.way {
            self.dropped += outbox.lost();
            outbox.lost_is_reported();
        }
        let works = match &self.way {
            Way::Stream(outbox) => !outbox.fails() && outbox.has_room(QUEUE_BYTES / 2),
            Way::Datagrams(datagrams) => datagrams.bytes < QUEUE_BYTES / 2,
            Way::Given(_) => true,
        };
        if self.dropped == 0 || !works {
            return None;
        }
        Some((std::mem::take(&mut self.dropped), std::mem::take(&mut self.why)))
    }

    /// Writes what is taken without waiting.
    pub(super) fn flush(&mut self) {
        match &mut self.way {
            Way::Stream(outbox) => {
                if let Err(error) = outbox.flush() {
                    self.why = error.to_string();
                }
            }
            Way::Datagrams(datagrams) => {
                while let Some(error) = datagrams.send() {
                    self.dropped += 1;
                    self.why = error.to_string();
                }
            }
            Way::Given(_) => {}
        }
    }

    /// Its descriptor, if something waits for room in it.
    pub(super) fn to_write(&self) -> Option<BorrowedFd<'_>> {
        match &self.way {
            Way::Stream(outbox) => outbox.to_write(),
            Way::Datagrams(datagrams) => (!datagrams.queue.is_empty()).then(|| datagrams.socket.as_fd()),
            Way::Given(_) => None,
        }
    }

    pub(super) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.way {
            Way::Stream(outbox) => Some(outbox.output().as_fd()),
            Way::Datagrams(datagrams) => Some(datagrams.socket.as_fd()),
            Way::Given(_) => None,
        }
    }
}

impl Datagrams {
    /// Sends until there is no room. `Some`: the first one can't be sent, and is dropped for that.
    fn send(&mut self) -> Option<io::Error> {
        while let Some(record) = self.queue.pop_front() {
            let sent = match self.socket.send(&record) {
                // Its receiver has gone; there may be another one.
                Err(error) if matches!(error.raw_os_error(), Some(libc::ECONNREFUSED | libc::ENOTCONN)) => {
                    self.socket.connect(&self.path).and_then(|()| self.socket.send(&record))
                }
                sent => sent,
            };
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.queue.push_front(record);
                    return None;
                }
                Err(error) => {
                    self.bytes -= record.len();
                    // A datagram is sent as a whole, and is no longer than the socket's buffer.
                    if error.raw_os_error() == Some(libc::EMSGSIZE)
                        && let Some(shorter) = with_shorter_tails(&record)
                    {
                        self.bytes += shorter.len();
                        self.queue.push_front(shorter);
                        continue;
                    }
                    return Some(error);
                }
                Ok(_) => self.bytes -= record.len(),
            }
        }
        None
    }
}

/// The record with the second half of its last words. `None`: it has none.
#[cold]
fn with_shorter_tails(record: &[u8]) -> Option<Vec<u8>> {
    let mut record: Map<String, Value> = serde_json::from_slice(record).ok()?;
    let mut has_any = false;
    for tail in ["stdout_tail", "stderr_tail"] {
        let Some(Value::String(tail)) = record.get_mut(tail) else { continue };
        let middle = (tail.len().div_ceil(2)..).find(|at| tail.is_char_boundary(*at));
        has_any |= !tail.is_empty();
        tail.drain(..middle.unwrap_or_default());
    }
    record.insert("tail_truncated".to_owned(), true.into());
    serde_json::to_vec(&record).ok().filter(|_| has_any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_last_words_is_kept() {
        let record = br#"{"event":"process.exited","stderr_tail":"aaaabb\u00e4b","tail_truncated":false}"#;
        let shorter = with_shorter_tails(record).unwrap();
        let told: Value = serde_json::from_slice(&shorter).unwrap();
        assert_eq!((&told["event"], &told["tail_truncated"]), (&"process.exited".into(), &true.into()));
        assert_eq!(told["stderr_tail"], "bäb");
        let mut record = shorter;
        for _ in 0..2 {
            record = with_shorter_tails(&record).unwrap();
        }
        assert_eq!(with_shorter_tails(&record), None, "{}", String::from_utf8_lossy(&record));
        assert_eq!(with_shorter_tails(br#"{"event":"process.started"}"#), None);
    }
}
