//! Orders from other threads to the one that is in the loop: a pipe, so that it can be polled.

use crate::model::signal::Signal;
use crate::sys::pipe;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An order for all processes of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// To stop them; the second one kills them.
    Stop,
    /// To kill them.
    Kill,
}

/// An order for one process of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OneOrder {
    /// To stop it, and not to start it again; the second one kills it.
    Stop,
    /// To start it, if it doesn't run.
    Start,
    /// To send it this signal, if it runs.
    Signal(Signal),
}

/// Why an order for one process was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No loop runs.
    NothingRuns,
    /// There is no process of that name, but of these.
    UnknownName(Vec<String>),
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
    single: Mutex<Single>,
    /// Never closed before the writer: a write to a pipe without a reader would be a SIGPIPE.
    reader: OwnedFd,
    writer: OwnedFd,
}

/// Orders for one process, each.
#[derive(Debug, Default)]
struct Single {
    /// What the processes of the loop are called, in their order. `None`: no loop runs.
    names: Option<Vec<String>>,
    /// The number of the process, and the order.
    orders: Vec<(usize, OneOrder)>,
}

impl Post {
    fn single(&self) -> MutexGuard<'_, Single> {
        // Nothing that is done under the lock leaves a half-done state.
        self.single.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the reader ready. A pipe that is full is ready already.
    fn mark(&self) {
        let mark = [0u8];
        // SAFETY: the kernel reads one byte.
        let _ = unsafe {
            crate::sys::raw::syscall(libc::SYS_write, [self.writer.as_raw_fd() as usize, mark.as_ptr() as usize, 1])
        };
    }
}

/// A post for orders.
pub(crate) fn orders() -> io::Result<(Orders, Sender)> {
    let (reader, writer) = pipe::to_be_polled(None)?;
    pipe::set_nonblocking(writer.as_fd())?;
    let post = Arc::new(Post { order: AtomicU8::new(0), single: Mutex::default(), reader, writer });
    Ok((Orders(Arc::clone(&post)), Sender(post)))
}

impl Orders {
    /// Readable when there is one.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.reader.as_fd()
    }

    /// The strongest of those for all that came since the last call.
    pub(crate) fn take(&self) -> Option<Order> {
        while matches!(pipe::read(self.0.reader.as_fd(), &mut [0; 64]), Some(1..)) {}
        match self.0.order.swap(0, Ordering::SeqCst) {
            0 => None,
            1 => Some(Order::Stop),
            _ => Some(Order::Kill),
        }
    }

    /// Those for one process that came since the last call, in their order.
    pub(crate) fn take_single(&self) -> Vec<(usize, OneOrder)> {
        std::mem::take(&mut self.0.single().orders)
    }

    /// A loop begins, with processes of these names; until the value is dropped.
    pub(crate) fn begin(&self, names: Vec<String>) -> Running<'_> {
        *self.0.single() = Single { names: Some(names), orders: Vec::new() };
        Running(self)
    }
}

/// A loop that takes orders for one process.
#[derive(Debug)]
pub(crate) struct Running<'o>(&'o Orders);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.0.single() = Single::default();
    }
}

impl Sender {
    /// Gives an order for all; it isn't waited for.
    pub(crate) fn give(&self, order: Order) {
        // Two stops that the loop sees at once are a stop and the one that kills.
        let stronger = |given: u8| match order {
            Order::Stop => Some((given + 1).min(2)),
            Order::Kill => Some(2),
        };
        let _ = self.0.order.fetch_update(Ordering::SeqCst, Ordering::SeqCst, stronger);
        self.0.mark();
    }

    /// Gives an order for the processes of this name; it isn't waited for.
    pub(crate) fn give_single(&self, name: &str, order: OneOrder) -> Result<(), Refusal> {
        let mut single = self.0.single();
        let Some(names) = &single.names else { return Err(Refusal::NothingRuns) };
        let numbers: Vec<usize> = (0..names.len()).filter(|number| names[*number] == name).collect();
        if numbers.is_empty() {
            return Err(Refusal::UnknownName(names.clone()));
        }
        single.orders.extend(numbers.into_iter().map(|number| (number, order)));
        drop(single);
        self.0.mark();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_stop_is_a_kill_whether_or_not_the_first_was_taken() {
        let (orders, sender) = orders().unwrap();
        assert_eq!(orders.take(), None);
        sender.give(Order::Stop);
        assert_eq!(orders.take(), Some(Order::Stop));
        sender.give(Order::Stop);
        sender.give(Order::Stop);
        sender.give(Order::Stop);
        assert_eq!((orders.take(), orders.take()), (Some(Order::Kill), None));
    }

    #[test]
    fn an_order_for_one_is_for_a_name_of_the_loop_that_runs() {
        let (orders, sender) = orders().unwrap();
        assert_eq!(sender.give_single("a", OneOrder::Stop), Err(Refusal::NothingRuns));
        let names = vec!["a".to_owned(), "b".to_owned(), "a".to_owned()];
        let running = orders.begin(names.clone());
        assert_eq!(sender.give_single("c", OneOrder::Stop), Err(Refusal::UnknownName(names)));
        assert_eq!(sender.give_single("a", OneOrder::Stop), Ok(()));
        assert_eq!(sender.give_single("b", OneOrder::Signal(Signal::HUP)), Ok(()));
        let expected = [(0, OneOrder::Stop), (2, OneOrder::Stop), (1, OneOrder::Signal(Signal::HUP))];
        assert_eq!(orders.take_single(), expected);
        assert_eq!(sender.give_single("a", OneOrder::Start), Ok(()));
        drop(running);
        assert_eq!(orders.take_single(), [], "they were for the loop that has ended");
        assert_eq!(sender.give_single("a", OneOrder::Stop), Err(Refusal::NothingRuns));
    }
}
