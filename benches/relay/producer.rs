//! The program whose lines are relayed: this one, executed again.

use crate::Result;
use crate::sys;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Write, copy, sink, stdin, stdout};
use std::os::fd::AsFd;

/// With this argument, this program is the producer.
pub const PRODUCE: &str = "produce";

/// The same, but each byte is written by itself.
pub const PRODUCE_BYTES: &str = "produce-bytes";

/// With this argument, it writes a line with the time for each byte that it is given.
pub const TELL_TIME: &str = "tell-time";

/// How long the line with the time is.
const TIMED_LENGTH: usize = 100;

/// The line it writes when it is ready and again when it has written everything.
pub const END: &[u8] = b"end\n";

/// The least number of bytes that are written at once.
const BLOCK: usize = 256 * 1024;

/// What a producer is to write.
#[derive(Clone, Copy)]
pub struct Lines {
    /// How long each of them is, newline included.
    pub length: usize,
    pub count: usize,
}

impl Lines {
    pub fn bytes(self) -> usize {
        self.length * self.count
    }

    /// A producer's arguments.
    pub fn words(self) -> [CString; 3] {
        self.words_of(PRODUCE)
    }

    pub fn words_byte_by_byte(self) -> [CString; 3] {
        self.words_of(PRODUCE_BYTES)
    }

    fn words_of(self, word: &str) -> [CString; 3] {
        let number = |number: usize| CString::new(number.to_string()).unwrap_or_default();
        [CString::new(word).unwrap_or_default(), number(self.length), number(self.count)]
    }

    pub fn parse(words: &[String]) -> Result<Lines> {
        let [length, count] = words else { return Err("a producer takes two numbers".into()) };
        Ok(Lines { length: length.parse()?, count: count.parse()? })
    }

    /// Whole lines, which are written again and again. Neighbouring lines differ, so that a lost line or a wrong order is
    /// noticed, and no line contains `end`.
    fn block(self) -> Vec<u8> {
        let letter = |line: usize, column: usize| match column + 1 {
            end if end == self.length => b'\n',
            _ => b'a' + ((line + column) % 26) as u8,
        };
        let lines = BLOCK.div_ceil(self.length).min(self.count);
        (0..lines).flat_map(|line| (0..self.length).map(move |column| letter(line, column))).collect()
    }

    pub fn write(self, mut to: impl Write) -> Result<()> {
        let block = self.block();
        let mut left = self.bytes();
        while left > 0 {
            let size = block.len().min(left);
            to.write_all(&block[..size])?;
            left -= size;
        }
        Ok(())
    }
}

/// What this program does with these words, if they make a producer of it.
pub fn role(words: &[String]) -> Option<Result<()>> {
    let (word, numbers) = words.split_first()?;
    match word.as_str() {
        PRODUCE => Some(Lines::parse(numbers).and_then(|lines| produce(|out| lines.write(out)))),
        PRODUCE_BYTES => Some(Lines::parse(numbers).and_then(|lines| produce(|out| lines.write(ByteByByte(out))))),
        TELL_TIME => Some(tell_time()),
        _ => None,
    }
}

/// Says that it is ready, and given a byte writes the lines. Ends when stdin is closed.
fn produce(write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let mut stdout = unbuffered()?;
    stdout.write_all(END)?;
    stdin().read_exact(&mut [0])?;
    write(&mut stdout)?;
    stdout.write_all(END)?;
    copy(&mut stdin(), &mut sink())?;
    Ok(())
}

/// Says that it is ready, and for each byte writes a line that begins with the time. Ends when stdin is closed.
fn tell_time() -> Result<()> {
    let mut stdout = unbuffered()?;
    stdout.write_all(END)?;
    while stdin().read(&mut [0])? > 0 {
        let line = format!("{:<1$}\n", sys::clock(), TIMED_LENGTH - 1);
        stdout.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// The time in such a line.
pub fn time(line: &[u8]) -> Result<u64> {
    Ok(str::from_utf8(line)?.trim_end().parse()?)
}

/// The standard library's stdout would flush each line.
fn unbuffered() -> Result<File> {
    Ok(File::from(stdout().as_fd().try_clone_to_owned()?))
}

struct ByteByByte<W>(W);

impl<W: Write> Write for ByteByByte<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
