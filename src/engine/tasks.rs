//! The tasks of a run. With many of them, an index says which there is something to do for: what is done at each wake-up
//! costs what has changed, not what there is.
//!
//! Whatever changes a task gets it by [`IndexMut`], which notes that; the index is brought up to date when it is next asked.
//! Its answers are candidates: who asks looks at each.

use super::ends::Ends;
use super::task::{Started, Task};
use crate::model::pid::Pid;
use crate::sys::poll::Awaited;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Index, IndexMut, Range};
use std::time::Instant;

/// Up to this many tasks are looked at one by one.
const FEW: usize = 16;

pub(crate) struct Tasks<'r> {
    all: Vec<Task<'r>>,
    /// `None`: there are few.
    known: Option<Box<Known>>,
    ends: Ends,
}

/// What is known of many tasks.
#[derive(Debug, Default)]
struct Known {
    /// Those that may have changed since. In `notes` each says so.
    touched: Vec<usize>,
    notes: Vec<Note>,
    pids: BTreeMap<Pid, usize>,
    /// When there is something to do for a task, but for a start.
    deadlines: BTreeSet<(Instant, usize)>,
    due_at_once: BTreeSet<usize>,
    due_later: BTreeSet<(Instant, usize)>,
    draining: BTreeSet<usize>,
    just_ended: BTreeSet<usize>,
    may_have_received: BTreeSet<usize>,
    over: usize,
}

/// What the index holds of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Note {
    is_touched: bool,
    pid: Option<Pid>,
    deadline: Option<Instant>,
    is_due_at_once: bool,
    due_later: Option<Instant>,
    is_draining: bool,
    has_just_ended: bool,
    may_have_received: bool,
    is_over: bool,
}

impl Note {
    fn of(task: &Task<'_>) -> Note {
        let starts = !task.cleanup.drain.is_on() && task.supervision.is_to_start();
        let at = task.supervision.deadline();
        Note {
            is_touched: false,
            pid: task.pid(),
            deadline: task.deadline(false),
            is_due_at_once: starts && at.is_none(),
            due_later: at.filter(|_| starts),
            is_draining: task.cleanup.drain.is_on(),
            has_just_ended: task.cleanup.ended.is_some(),
            may_have_received: task.may_have_received(),
            is_over: task.is_over(),
        }
    }
}

/// Numbers of tasks, rising.
pub(super) enum Numbers {
    All(Range<usize>),
    Some(std::vec::IntoIter<usize>),
}

impl Iterator for Numbers {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match self {
            Numbers::All(range) => range.next(),
            Numbers::Some(numbers) => numbers.next(),
        }
    }
}

impl<'r> Tasks<'r> {
    pub(crate) fn new(all: Vec<Task<'r>>) -> Tasks<'r> {
        let known = (all.len() > FEW).then(|| Box::new(Known::of(all.len())));
        Tasks { all, known, ends: Ends::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Task<'r>> {
        self.all.iter()
    }

    pub(super) fn into_all(self) -> Vec<Task<'r>> {
        self.all
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Task<'r>> {
        if number < self.all.len() { Some(&mut self[number]) } else { None }
    }

    /// The number of every task.
    pub(super) fn numbers(&self) -> Range<usize> {
        0..self.all.len()
    }

    /// Whether none is started any more, and all have ended with all that they have left.
    pub(super) fn are_over(&mut self) -> bool {
        match self.known() {
            Some(known) => known.over == known.notes.len(),
            None => self.all.iter().all(Task::is_over),
        }
    }

    /// The one with this child.
    pub(super) fn with_child(&mut self, pid: Pid) -> Option<usize> {
        match self.known() {
            Some(known) => known.pids.get(&pid).copied(),
            None => self.all.iter().position(|task| task.pid() == Some(pid)),
        }
    }

    /// Leaves the children of these tasks out of a list.
    #[cold]
    pub(super) fn leave_out_children(&mut self, pids: &mut Vec<Pid>) {
        match self.known() {
            Some(known) => pids.retain(|pid| !known.pids.contains_key(pid)),
            None => pids.retain(|pid| !self.all.iter().any(|task| task.pid() == Some(*pid))),
        }
    }

    /// When there is something to do for one. `may_start`: readers keep up.
    pub(super) fn deadline(&mut self, may_start: bool) -> Option<Instant> {
        match self.known() {
            Some(known) => {
                let first = |set: &BTreeSet<(Instant, usize)>| set.first().map(|(at, _)| *at);
                let start = first(&known.due_later).filter(|_| may_start);
                first(&known.deadlines).into_iter().chain(start).min()
            }
            None => self.all.iter().filter_map(|task| task.deadline(may_start)).min(),
        }
    }

    /// Those that may be due to be started.
    pub(super) fn due(&mut self) -> Numbers {
        self.candidates(|known| {
            let mut due: Vec<_> = known.due_at_once.iter().copied().collect();
            if !known.due_later.is_empty() {
                let end = (Instant::now(), usize::MAX);
                due.extend(known.due_later.range(..=end).map(|(_, number)| *number));
                due.sort_unstable();
            }
            due
        })
    }

    /// Those for which there may be something to do by now, but for a start.
    pub(super) fn timed(&mut self) -> Numbers {
        self.candidates(|known| {
            if known.deadlines.is_empty() {
                return Vec::new();
            }
            let end = (Instant::now(), usize::MAX);
            let mut timed: Vec<_> = known.deadlines.range(..=end).map(|(_, number)| *number).collect();
            timed.sort_unstable();
            timed
        })
    }

    /// Those that may have left something behind which is being ended.
    pub(super) fn draining(&mut self) -> Numbers {
        self.candidates(|known| known.draining.iter().copied().collect())
    }

    /// Those of which a run may have ended since this was last told.
    pub(super) fn just_ended(&mut self) -> Numbers {
        self.candidates(|known| known.just_ended.iter().copied().collect())
    }

    /// Those whose child may have received itself what came to this process's group.
    pub(super) fn may_have_received(&mut self) -> Numbers {
        self.candidates(|known| known.may_have_received.iter().copied().collect())
    }

    /// A child of this task was started.
    pub(super) fn child_started(&mut self, number: usize, started: Started) {
        let task = &mut self[number];
        task.started = Some(started);
        self.ends.child_started(number, &self.all[number], self.known.is_some());
    }

    /// The child of this task, which has ended, is the task's no more.
    pub(super) fn take_ended(&mut self, number: usize) -> Option<Started> {
        self.ends.child_ended(&self.all[number]);
        self[number].started.take()
    }

    /// Adds what says which children have ended.
    pub(super) fn wait_for_ends<'f>(&'f self, awaited: &mut Vec<Awaited<'f>>) {
        self.ends.wait_for(&self.all, awaited);
    }

    /// Some of that is ready: those whose children have ended. `None`: it may be any.
    pub(super) fn ended(&mut self) -> Option<Vec<usize>> {
        self.ends.ended()
    }

    fn candidates(&mut self, of: impl FnOnce(&Known) -> Vec<usize>) -> Numbers {
        match self.known() {
            Some(known) => Numbers::Some(of(known).into_iter()),
            None => Numbers::All(self.numbers()),
        }
    }

    /// The index, up to date.
    fn known(&mut self) -> Option<&Known> {
        let known = self.known.as_deref_mut()?;
        if !known.touched.is_empty() {
            known.update(&self.all);
        }
        // Nobody has changed a task behind its back.
        debug_assert!(known.notes.iter().zip(&self.all).all(|(note, task)| *note == Note::of(task)));
        Some(known)
    }
}

impl<'r> Index<usize> for Tasks<'r> {
    type Output = Task<'r>;

    fn index(&self, number: usize) -> &Task<'r> {
        &self.all[number]
    }
}

impl<'r> IndexMut<usize> for Tasks<'r> {
    fn index_mut(&mut self, number: usize) -> &mut Task<'r> {
        if let Some(known) = &mut self.known {
            known.touch(number);
        }
        &mut self.all[number]
    }
}

impl Known {
    #[cold]
    fn of(count: usize) -> Known {
        let mut known = Known { notes: vec![Note::default(); count], ..Known::default() };
        (0..count).for_each(|number| known.touch(number));
        known
    }

    fn touch(&mut self, number: usize) {
        let note = &mut self.notes[number];
        if !note.is_touched {
            note.is_touched = true;
            self.touched.push(number);
        }
    }

    #[cold]
    fn update(&mut self, all: &[Task<'_>]) {
        while let Some(number) = self.touched.pop() {
            self.set(number, Note::of(&all[number]));
        }
    }

    /// What is known of a task from now on.
    fn set(&mut self, number: usize, now: Note) {
        let before = std::mem::replace(&mut self.notes[number], now);
        if before.pid != now.pid {
            if let Some(pid) = before.pid.filter(|pid| self.pids.get(pid) == Some(&number)) {
                self.pids.remove(&pid);
            }
            self.pids.extend(now.pid.map(|pid| (pid, number)));
        }
        for (set, before, now) in [
            (&mut self.deadlines, before.deadline, now.deadline),
            (&mut self.due_later, before.due_later, now.due_later),
        ] {
            if before != now {
                before.map(|at| set.remove(&(at, number)));
                set.extend(now.map(|at| (at, number)));
            }
        }
        for (set, before, now) in [
            (&mut self.due_at_once, before.is_due_at_once, now.is_due_at_once),
            (&mut self.draining, before.is_draining, now.is_draining),
            (&mut self.just_ended, before.has_just_ended, now.has_just_ended),
            (&mut self.may_have_received, before.may_have_received, now.may_have_received),
        ] {
            match (before, now) {
                (false, true) => drop(set.insert(number)),
                (true, false) => drop(set.remove(&number)),
                _ => {}
            }
        }
        self.over = self.over + usize::from(now.is_over) - usize::from(before.is_over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_no_longer_so_is_forgotten() {
        let mut known = Known { notes: vec![Note::default(); 2], ..Known::default() };
        let at = Instant::now();
        let later = at + Duration::from_secs(1);
        let runs = Note { pid: Some(Pid::new(7)), deadline: Some(at), may_have_received: true, ..Note::default() };
        known.set(0, runs);
        known.set(1, Note { pid: Some(Pid::new(8)), deadline: Some(later), is_due_at_once: true, ..Note::default() });
        let deadlines = |known: &Known| known.deadlines.iter().copied().collect::<Vec<_>>();
        assert_eq!((deadlines(&known), known.pids.len()), (vec![(at, 0), (later, 1)], 2));

        // Its child has ended, and is started again later.
        known.set(0, Note { due_later: Some(later), has_just_ended: true, is_draining: true, ..Note::default() });
        assert_eq!((deadlines(&known), known.pids.get(&Pid::new(7))), (vec![(later, 1)], None));
        assert_eq!((known.due_later.len(), known.just_ended.len(), known.draining.len()), (1, 1, 1));
        assert_eq!((known.due_at_once.len(), known.may_have_received.len(), known.over), (1, 0, 0));

        for number in [0, 1] {
            known.set(number, Note { is_over: true, ..Note::default() });
        }
        assert_eq!(known.over, 2);
        known.set(1, Note::default());
        let times = known.deadlines.len() + known.due_later.len();
        let sets = [known.due_at_once, known.draining, known.just_ended, known.may_have_received];
        assert_eq!((times, known.pids.len(), sets.map(|set| set.len()), known.over), (0, 0, [0; 4], 1));
    }

    /// A pid is used again before all is known of the task that had it.
    #[test]
    fn a_pid_is_of_the_task_that_got_it_last() {
        let mut known = Known { notes: vec![Note::default(); 2], ..Known::default() };
        let note = |pid| Note { pid, ..Note::default() };
        let pid = Pid::new(7);
        known.set(0, note(Some(pid)));
        known.set(1, note(Some(pid)));
        known.set(0, note(None));
        assert_eq!(known.pids.get(&pid), Some(&1));
    }
}
