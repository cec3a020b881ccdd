//! Orders from other threads to the one that is in the loop: a pipe, so that it can be polled.

use super::pipe;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// What a loop can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// To stop its children.
    Stop,
    /// To kill them.
    Kill,
}

/// The loop's end.
#[derive(Debug)]
pub(crate) struct Orders(OwnedFd);

/// The other end, for any thread.
#[derive(Clone, Debug)]
pub(crate) struct Sender(Arc<OwnedFd>);

/// A pipe for orders.
pub(crate) fn orders() -> io::Result<(Orders, Sender)> {
    let (reader, writer) = pipe::to_be_polled()?;
    pipe::set_nonblocking(writer.as_fd())?;
    Ok((Orders(reader), Sender(Arc::new(writer))))
}

impl Orders {
    /// Readable when there is one.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Those that came, in their order.
    pub(crate) fn take(&self) -> Vec<Order> {
        let mut words = [0; 64];
        let read = pipe::read(self.0.as_fd(), &mut words).unwrap_or(0);
        words[..read].iter().map(|word| if *word == 0 { Order::Stop } else { Order::Kill }).collect()
    }
}

impl Sender {
    /// Gives an order; it isn't waited for. With a full pipe there are thousands of them, all unread: one more says no more.
    pub(crate) fn give(&self, order: Order) {
        let word = [u8::from(order == Order::Kill)];
        // SAFETY: the kernel reads one byte.
        let _ = unsafe {
            super::raw::syscall(libc::SYS_write, [self.0.as_raw_fd() as usize, word.as_ptr() as usize, word.len()])
        };
    }
}
