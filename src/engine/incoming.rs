//! A signal came, or an order from another thread.

use super::outcome::Asked;
use super::run::{Run, Signals, Wakeup, remark, try_to};
use super::task::{Membership, foreground};
use crate::model::death::KilledBy;
use crate::model::origin::{Origin, Received};
use crate::model::signal::{Signal, SignalSet};
use crate::model::standing::Foreground;
use crate::policy::stop::Asks;
use crate::report::remarks::Remark;
use crate::sys::orders::{OneOrder, Order, Orders};
use crate::sys::signals;
use crate::sys::signals::own;
use crate::sys::terminal;
use crate::sys::terminal::ChildGroup;
use std::time::Instant;

impl Run<'_, '_> {
    /// Until a child has left this process's group, signals to that group reach both. The child says what it has received
    /// so; those signals are among the first that are read after its start.
    pub(super) fn note_already_received(&mut self, wakeup: &Wakeup) {
        if wakeup.signals.is_empty() {
            return;
        }
        for number in self.tasks.may_have_received() {
            let task = &mut self.tasks[number];
            let mut already_received = SignalSet::EMPTY;
            if let Some(started) = &mut task.started {
                started.membership = match started.membership {
                    Membership::Maybe => {
                        // This process itself has put it into a group of its own. Only the child can make a session.
                        let has_left = matches!(task.spec.group, ChildGroup::Own(_)) || started.child.has_left();
                        if task.spec.group.is_own() {
                            already_received = started.child.already_received();
                        }
                        if has_left { Membership::Left } else { Membership::Maybe }
                    }
                    Membership::Left | Membership::Past => Membership::Past,
                };
            }
            task.tell_of_refused_terminal();
            // The next signals are sent to this process alone.
            task.lifecycle.already_received(already_received);
        }
    }

    /// Continues a child that was stopped with this process, if the SIGCONT that has continued this process is lost.
    pub(super) fn continue_stopped(&mut self, wakeup: &Wakeup) {
        // Several children are continued where they are stopped.
        if self.signals == Signals::Shared {
            return;
        }
        let with_cont = wakeup.signals.iter().any(|received| received.signal == Signal::CONT);
        for number in self.tasks.numbers() {
            let task = &mut self.tasks[number];
            let (group, pid) = (task.spec.group, task.pid());
            task.lifecycle.signals_come(with_cont, || foreground(group, pid), &mut task.actions);
            self.act(number);
        }
    }

    /// A signal came.
    pub(super) fn signal(&mut self, received: Received) {
        let mut stops = self.stops;
        let asks = stops.judge(received, || self.has_hung_up(), Instant::now);
        self.stops = stops;
        self.progress.stops = self.progress.stops.saturating_add(u32::from(asks == Asks::Stop));
        if self.signals == Signals::Shared && self.is_for_all(received, asks) {
            return;
        }
        for number in self.tasks.numbers() {
            let task = &mut self.tasks[number];
            let (group, pid) = (task.spec.group, task.pid());
            task.lifecycle.signal(received, asks, || foreground(group, pid), &mut task.actions);
            self.act(number);
        }
    }

    /// Stops, kills or suspends all children, if the signal is for that. Whether it is.
    #[cold]
    fn is_for_all(&mut self, received: Received, asks: Asks) -> bool {
        if asks == Asks::Nothing {
            let suspends = received.signal == Signal::TSTP && received.origin == Origin::Kernel;
            if suspends {
                self.suspend();
            }
            return suspends;
        }
        match self.progress.asked {
            Asked::Nothing => self.stop_all(Remark::Stopping(received.signal), Some(received)),
            Asked::Stop if asks == Asks::Stop => self.kill_all(Remark::Killing(received.signal)),
            Asked::Stop | Asked::Kill => {}
        }
        true
    }

    /// Whether the controlling terminal is gone that this process was started with.
    fn has_hung_up(&self) -> bool {
        match self.tasks.iter().next().and_then(|task| task.spec.group.terminal()) {
            Some(terminal) => terminal.foreground(None) == Foreground::HungUp,
            None => self.had_terminal && terminal::is_gone(),
        }
    }

    /// All children are to stop.
    #[cold]
    fn stop_all(&mut self, why: Remark<'_>, received: Option<Received>) {
        self.progress.asked = Asked::Stop;
        remark(&mut self.relay, None, why);
        for number in self.tasks.numbers() {
            let task = &mut self.tasks[number];
            task.lifecycle.stop_requested(task.spec.stop_signal, received);
        }
        self.stop_tasks();
    }

    /// Stops all children, and starts none again.
    #[cold]
    pub(super) fn stop_tasks(&mut self) {
        let now = Instant::now();
        for number in self.tasks.numbers() {
            self.stop_task(number, now);
        }
    }

    /// Stops one child, and doesn't start it again.
    #[cold]
    fn stop_task(&mut self, number: usize, now: Instant) {
        let task = &mut self.tasks[number];
        task.lifecycle.stop(task.spec.stop_signal, now, &mut task.actions);
        task.cleanup.asked_at.get_or_insert(now);
        task.cleanup.drain.stopped();
        if task.supervision.stop() {
            self.tell_if_over(number);
        }
        self.act(number);
    }

    /// All children are to be killed.
    #[cold]
    fn kill_all(&mut self, why: Remark<'_>) {
        self.progress.asked = Asked::Kill;
        remark(&mut self.relay, None, why);
        let now = Instant::now();
        for number in self.tasks.numbers() {
            self.kill_task(number, now);
        }
    }

    /// Kills one child, and what its last run has left behind.
    #[cold]
    fn kill_task(&mut self, number: usize, now: Instant) {
        let task = &mut self.tasks[number];
        task.lifecycle.kill(KilledBy::Stop, &mut task.actions);
        task.cleanup.drain.stopped();
        task.cleanup.drain.hurry(now);
        self.act(number);
    }

    /// ^Z: the terminal has sent TSTP to this process's group, and the children are in other groups. When this process is
    /// continued, it continues all of them.
    #[cold]
    fn suspend(&mut self) {
        let send_to_all = |signal| {
            for started in self.tasks.iter().filter_map(|task| task.started.as_ref()) {
                try_to("signal a process", signals::send_to_group(started.child.target(), signal));
            }
        };
        send_to_all(Signal::TSTP);
        let _ = own::stop(Signal::TSTP, false);
        send_to_all(Signal::CONT);
    }

    /// Does what other threads have ordered.
    pub(super) fn take_orders(&mut self, wakeup: &mut Wakeup) {
        let Some(orders) = self.orders else { return };
        let order = Orders::take(orders);
        for (number, order) in orders.take_single() {
            self.obey_single(number, order);
            wakeup.children_of.push(number);
        }
        if let Some(order) = order {
            self.obey(order);
            wakeup.children = true;
        }
    }

    #[cold]
    fn obey(&mut self, order: Order) {
        let again = std::mem::replace(&mut self.progress.is_cancelled, true);
        // A stop signal that came to this process may have been rewritten, or be delayed: the order is one of its own.
        let is_first = self.progress.asked == Asked::Nothing || self.signals == Signals::Forwarded;
        if is_first && !again {
            match order {
                Order::Stop => self.stop_all(Remark::Cancelled, None),
                // Without the stop signal, of which the child could die first.
                Order::Kill => self.start_no_more(),
            }
        }
        if (again || order == Order::Kill) && self.progress.asked == Asked::Stop {
            self.kill_all(Remark::CancelledAgain);
        }
    }

    /// No child is started again.
    #[cold]
    fn start_no_more(&mut self) {
        self.progress.asked = Asked::Stop;
        let now = Instant::now();
        for number in self.tasks.numbers() {
            let task = &mut self.tasks[number];
            task.cleanup.asked_at.get_or_insert(now);
            if task.supervision.stop() {
                self.tell_if_over(number);
            }
        }
    }

    #[cold]
    fn obey_single(&mut self, number: usize, order: OneOrder) {
        let Some(task) = self.tasks.get_mut(number) else { return };
        match order {
            OneOrder::Stop if std::mem::replace(&mut task.is_cancelled, true) => {
                if task.supervision.stop() {
                    self.tell_if_over(number);
                }
                self.kill_task(number, Instant::now());
            }
            OneOrder::Stop => {
                task.lifecycle.stop_requested(task.spec.stop_signal, None);
                self.stop_task(number, Instant::now());
            }
            // All are to stop: nothing is started any more.
            OneOrder::Start if self.progress.asked != Asked::Nothing => {}
            OneOrder::Start => {
                if task.is_over() {
                    remark(&mut self.relay, Some(number), Remark::Starting);
                }
                task.supervision.start_now();
                self.progress.asked_before_hooks = None;
            }
            OneOrder::Signal(signal) => {
                if let Some(started) = &task.started {
                    try_to("signal a process", signals::send(started.child.target(), signal));
                }
            }
        }
    }
}
