//! The program whose lines are relayed: this one, executed again.

use crate::Result;
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write, copy, sink, stdin, stdout};
use std::os::fd::AsFd;

/// With this argument, this program is the producer.
pub const PRODUCE: &str = "produce";

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
        let number = |number: usize| CString::new(number.to_string()).unwrap_or_default();
        [CString::new(PRODUCE).unwrap_or_default(), number(self.length), number(self.count)]
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

/// Says that it is ready, and given a byte writes the lines. Ends when stdin is closed.
pub fn produce(lines: Lines) -> Result<()> {
    // The standard library's stdout would flush each line.
    let mut stdout = File::from(stdout().as_fd().try_clone_to_owned()?);
    stdout.write_all(END)?;
    stdin().read_exact(&mut [0])?;
    lines.write(&mut stdout)?;
    stdout.write_all(END)?;
    copy(&mut stdin(), &mut sink())?;
    Ok(())
}
