//! The terminal that a text is shown on.

use super::raw::syscall;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, AsRawFd};

/// Whether stdout is a terminal.
pub(crate) fn is_there() -> bool {
    io::stdout().is_terminal()
}

/// How many columns the terminal behind stdout has, or, where a pager reads stdout, the one behind stderr: TIOCGWINSZ. `None`:
/// neither is a terminal that knows.
pub(crate) fn columns() -> Option<usize> {
    columns_of(&io::stdout()).or_else(|| columns_of(&io::stderr()))
}

fn columns_of(stream: &impl AsFd) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    let fd = stream.as_fd().as_raw_fd();
    // SAFETY: the kernel writes a winsize.
    unsafe { syscall(libc::SYS_ioctl, [fd as usize, libc::TIOCGWINSZ as usize, (&raw mut size) as usize]) }.ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}
