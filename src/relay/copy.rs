//! The child's output to a writer of a library's user.

use crate::sys::poll::Awaited;
use crate::sys::{pipe, poll};
use std::io::{ErrorKind, PipeReader, Read, Write};
use std::os::fd::AsFd;

/// The most bytes that are read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Copies everything from the pipe until it is closed, or until `child_ended` is closed: then what the pipe holds by then, and
/// no more, since a grandchild may keep it open, and write to it, for as long as it lives.
///
/// If the writer fails, the pipe is closed: to the child its reader has gone.
pub(crate) fn copy(mut pipe: PipeReader, child_ended: &PipeReader, writer: &mut dyn Write) {
    let mut buffer = vec![0; CHUNK_BYTES];
    // How much may still be read once the child has ended.
    let mut left = None;
    while left != Some(0) {
        // What the child wrote before its end is in the pipe when its end is seen; not the other way round.
        if left.is_none() && is_ready_now(child_ended) {
            left = Some(pipe::bytes_in(pipe.as_fd()));
        }
        let ready = match left {
            Some(_) => Ok(is_ready_now(&pipe)),
            None => {
                let either = [Awaited::Read(pipe.as_fd()), Awaited::Read(child_ended.as_fd())];
                poll::is_any_ready(either, None).map(|_| is_ready_now(&pipe))
            }
        };
        match ready {
            Ok(true) => {}
            Ok(false) if left.is_none() => continue,
            Ok(false) | Err(_) => return,
        }
        let most = left.unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let read = match pipe.read(&mut buffer[..most]) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        if let Err(error) = writer.write_all(&buffer[..read]).and_then(|()| writer.flush()) {
            log::warn!("the command's output is lost from here on: its writer failed: {error}");
            return;
        }
        left = left.map(|left| left - read);
    }
}

fn is_ready_now(pipe: &PipeReader) -> bool {
    poll::is_ready(Awaited::Read(pipe.as_fd())).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::pipe;

    #[test]
    fn what_was_written_before_the_end_arrives_though_the_pipe_stays_open() {
        let ((reader, mut writer), (ended, child)) = (pipe().unwrap(), pipe().unwrap());
        writer.write_all(b"last words").unwrap();
        drop(child);
        let mut out = Vec::new();
        copy(reader, &ended, &mut out);
        assert_eq!(out, b"last words");
    }

    #[test]
    fn a_failing_writer_closes_the_pipe() {
        let ((reader, mut writer), (ended, _child)) = (pipe().unwrap(), pipe().unwrap());
        writer.write_all(b"x").unwrap();
        copy(reader, &ended, &mut &mut [0u8; 0][..]);
        assert_eq!(writer.write_all(b"y").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_closed_pipe_ends_it_while_the_child_lives() {
        let ((reader, mut writer), (ended, _child)) = (pipe().unwrap(), pipe().unwrap());
        let mut out = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| copy(reader, &ended, &mut out));
            for _ in 0..100 {
                writer.write_all(&[b'x'; 10_000]).unwrap();
            }
            drop(writer);
        });
        assert_eq!(out.len(), 1_000_000);
    }
}
