//! Orders from other threads to the one that is in the loop: a pipe, so that it can be polled.

use super::pipe;
use super::raw::syscall;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

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
pub(crate) struct Orders(Arc<Post>);

/// The other end, for any thread.
#[derive(Clone, Debug)]
pub(crate) struct Sender(Arc<Post>);

#[derive(Debug)]
struct Post {
    /// The strongest that was given and not taken; 0: there is none.
    order: AtomicU8,
    /// Never closed before the writer: a write to a pipe without a reader would be a SIGPIPE.
    reader: OwnedFd,
    writer: OwnedFd,
}

/// A post for orders.
pub(crate) fn orders() -> io::Result<(Orders, Sender)> {
    let (reader, writer) = pipe::to_be_polled()?;
    pipe::set_nonblocking(writer.as_fd())?;
    let post = Arc::new(Post { order: AtomicU8::new(0), reader, writer });
    Ok((Orders(Arc::clone(&post)), Sender(post)))
}

impl Orders {
    /// Readable when there is one.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.reader.as_fd()
    }

    /// The strongest of those that came.
    pub(crate) fn take(&self) -> Option<Order> {
        while matches!(pipe::read(self.0.reader.as_fd(), &mut [0; 64]), Some(1..)) {}
        match self.0.order.swap(0, Ordering::SeqCst) {
            0 => None,
            1 => Some(Order::Stop),
            _ => Some(Order::Kill),
        }
    }
}

impl Sender {
    /// Gives an order; it isn't waited for.
    pub(crate) fn give(&self, order: Order) {
        let strength = match order {
            Order::Stop => 1,
            Order::Kill => 2,
        };
        self.0.order.fetch_max(strength, Ordering::SeqCst);
        let mark = [0u8];
        let arguments = [self.0.writer.as_raw_fd() as usize, mark.as_ptr() as usize, mark.len()];
        // It fails if the pipe is full, which is readable already.
        // SAFETY: the kernel reads `mark`, of the length that is told.
        let _ = unsafe { syscall(libc::SYS_write, arguments) };
    }
}
