//! The pipes of all children. With many of them, the kernel keeps track of which are ready.

use super::lines::Lines;
use super::stream::Stream;
use crate::sys::ready::Readable;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Up to this many pipes are waited for one by one: that takes no more system calls than what they write.
const FEW: usize = 32;

/// How many streams of ours lines can go to.
const OUTBOXES: usize = 2;

/// One stream of one child.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) process: usize,
    pub(super) stream: Stream,
    /// The number of our stream that its lines go to.
    pub(super) outbox: usize,
    pub(super) fd: OwnedFd,
    pub(super) lines: Lines,
    /// How many bytes of an ended child are still to be read; `None`: the child lives.
    pub(super) left: Option<usize>,
}

/// A descriptor to wait for: a pipe, by its number, or one that stands for many.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ToRead {
    Pipe(usize),
    Group(Group),
}

/// Pipes that are waited for under the same conditions: which of our streams has room, and whether their children have
/// ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    outbox: usize,
    has_ended: bool,
}

#[derive(Debug, Default)]
pub(super) struct PipeSet {
    /// By their numbers, which stay as they are.
    pipes: Vec<Option<Pipe>>,
    /// Numbers that are no pipe's.
    free: Vec<usize>,
    /// Of each process, in the order in which they were opened.
    of_process: Vec<Vec<usize>>,
    /// How many are of children that have ended.
    ended: usize,
    tracking: Tracking,
}

/// Who keeps track of which pipes are ready.
#[derive(Debug, Default)]
enum Tracking {
    /// Nobody: there are few.
    #[default]
    NotNeeded,
    /// The kernel, by outbox, and by whether their children have ended.
    Groups([[Tracked; 2]; OUTBOXES]),
    /// Nobody: the kernel refuses.
    Refused,
}

/// The pipes of a group.
#[derive(Debug)]
struct Tracked {
    readable: Readable,
    /// Those that were ready and haven't been read since, the next one at the end. Each has its turn before the kernel is asked
    /// again: where there is room for a few only, all that are ready aren't gone through each time. One that has been closed
    /// meanwhile, or moved to another group, does no harm: nobody waits to read.
    unread: Vec<usize>,
}

impl Group {
    /// In the order in which they are read: what ended children wrote has an end.
    const ALL: [Group; 2 * OUTBOXES] = {
        const fn group(outbox: usize, has_ended: bool) -> Group {
            Group { outbox, has_ended }
        }
        [group(0, true), group(0, false), group(1, true), group(1, false)]
    };

    fn of(pipe: &Pipe) -> Group {
        Group { outbox: pipe.outbox, has_ended: pipe.left.is_some() }
    }

    fn in_groups(self, groups: &[[Tracked; 2]; OUTBOXES]) -> &Readable {
        &groups[self.outbox][usize::from(self.has_ended)].readable
    }

    /// The number of our stream that their lines go to.
    pub(super) fn outbox(self) -> usize {
        self.outbox
    }
}

impl PipeSet {
    pub(super) fn add(&mut self, pipe: Pipe) {
        let number = self.free.pop().unwrap_or_else(|| {
            self.pipes.push(None);
            self.pipes.len() - 1
        });
        if self.of_process.len() <= pipe.process {
            self.of_process.resize_with(pipe.process + 1, Vec::new);
        }
        self.of_process[pipe.process].push(number);
        self.pipes[number] = Some(pipe);
        if matches!(self.tracking, Tracking::NotNeeded) && self.pipes.len() - self.free.len() > FEW {
            self.track_all();
        } else {
            self.track(number);
        }
    }

    pub(super) fn remove(&mut self, number: usize) -> Option<Pipe> {
        self.untrack(number);
        let pipe = self.pipes.get_mut(number)?.take()?;
        self.free.push(number);
        self.of_process[pipe.process].retain(|other| *other != number);
        self.ended -= usize::from(pipe.left.is_some());
        Some(pipe)
    }

    /// The numbers of those whose lines go to this stream of ours.
    pub(super) fn of_outbox(&self, outbox: usize) -> Vec<usize> {
        let is_its = |number: &usize| self.get(*number).is_some_and(|pipe| pipe.outbox == outbox);
        (0..self.pipes.len()).filter(is_its).collect()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.pipes.len() - self.free.len()
    }

    pub(super) fn get(&self, number: usize) -> Option<&Pipe> {
        self.pipes.get(number)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Pipe> {
        self.pipes.get_mut(number)?.as_mut()
    }

    /// The numbers of a process's pipes.
    pub(super) fn of(&self, process: usize) -> &[usize] {
        self.of_process.get(process).map_or(&[], Vec::as_slice)
    }

    /// The child of this pipe has ended: that many bytes of it are still to be read.
    pub(super) fn set_ended(&mut self, number: usize, left: usize) {
        self.untrack(number);
        if let Some(pipe) = self.get_mut(number)
            && pipe.left.replace(left).is_none()
        {
            self.ended += 1;
        }
        self.track(number);
    }

    /// Whether a child has ended of which something is still to be read.
    pub(super) fn has_ended(&self) -> bool {
        self.ended > 0
    }

    /// What is to be waited for: all, or what is of ended children only. `has_room`: of these outboxes.
    pub(super) fn to_read(&self, ended_only: bool, has_room: [bool; OUTBOXES]) -> Vec<(ToRead, BorrowedFd<'_>)> {
        let is_read = |group: Group| has_room[group.outbox] && (group.has_ended || !ended_only);
        if let Tracking::Groups(groups) = &self.tracking {
            // As a rule no child has ended of which something is to be read: an empty group costs the kernel as much.
            return Group::ALL
                .into_iter()
                .filter(|group| is_read(*group) && (self.ended > 0 || !group.has_ended))
                .map(|group| (ToRead::Group(group), group.in_groups(groups).as_fd()))
                .collect();
        }
        let pipes = self.pipes.iter().enumerate().filter_map(|(number, pipe)| Some((number, pipe.as_ref()?)));
        let read = pipes.filter(|(_, pipe)| is_read(Group::of(pipe)));
        read.map(|(number, pipe)| (ToRead::Pipe(number), pipe.fd.as_fd())).collect()
    }

    /// This group is ready: finds out which of its pipes are, if all that were found before have been read.
    pub(super) fn look_into(&mut self, group: Group) {
        let Tracking::Groups(groups) = &mut self.tracking else { return };
        let Tracked { readable, unread } = &mut groups[group.outbox][usize::from(group.has_ended)];
        if !unread.is_empty() {
            return;
        }
        if readable.ready(unread).is_err() {
            // It would stay ready, and nobody would know why.
            self.tracking = Tracking::Refused;
            return;
        }
        unread.sort_unstable_by(|one, other| other.cmp(one));
    }

    /// The next pipe of this group that has been found ready.
    pub(super) fn next_of(&mut self, group: Group) -> Option<usize> {
        let Tracking::Groups(groups) = &mut self.tracking else { return None };
        groups[group.outbox][usize::from(group.has_ended)].unread.pop()
    }

    /// All descriptors.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let groups = match &self.tracking {
            Tracking::Groups(groups) => Some(groups.as_flattened()),
            Tracking::NotNeeded | Tracking::Refused => None,
        };
        let groups = groups.into_iter().flatten().map(|group| group.readable.as_fd());
        self.pipes.iter().flatten().map(|pipe| pipe.fd.as_fd()).chain(groups)
    }

    /// Has the kernel keep track of all from now on.
    #[cold]
    fn track_all(&mut self) {
        let tracked = || Ok::<_, std::io::Error>(Tracked { readable: Readable::new()?, unread: Vec::new() });
        let group = || Ok::<_, std::io::Error>([tracked()?, tracked()?]);
        let groups = group().and_then(|first| Ok([first, group()?]));
        self.tracking = groups.map_or(Tracking::Refused, Tracking::Groups);
        (0..self.pipes.len()).for_each(|number| self.track(number));
    }

    fn track(&mut self, number: usize) {
        if let Tracking::Groups(groups) = &self.tracking
            && let Some(pipe) = self.get(number)
            && Group::of(pipe).in_groups(groups).add(pipe.fd.as_fd(), number).is_err()
        {
            // All are waited for one by one again.
            self.tracking = Tracking::Refused;
        }
    }

    fn untrack(&self, number: usize) {
        if let Tracking::Groups(groups) = &self.tracking
            && let Some(pipe) = self.get(number)
        {
            Group::of(pipe).in_groups(groups).remove(pipe.fd.as_fd());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::poll::{Awaited, is_ready};
    use std::io::{PipeReader, PipeWriter, Write, pipe};

    const MANY: usize = FEW + 8;

    /// Pipes of as many processes; a copy of each reading end, as a child has it that hasn't executed yet; their writing ends.
    fn many() -> (PipeSet, Vec<PipeReader>, Vec<PipeWriter>) {
        let mut pipes = PipeSet::default();
        let (mut copies, mut writers) = (Vec::new(), Vec::new());
        for process in 0..MANY {
            let (reader, writer) = pipe().unwrap();
            copies.push(reader.try_clone().unwrap());
            writers.push(writer);
            let (stream, lines) = (Stream::Stdout, Lines::default());
            pipes.add(Pipe { process, stream, outbox: 0, fd: reader.into(), lines, left: None });
        }
        assert!(matches!(pipes.tracking, Tracking::Groups(_)));
        (pipes, copies, writers)
    }

    /// What is waited for, and whether it is ready.
    fn awaited(pipes: &PipeSet, ended_only: bool, has_room: [bool; OUTBOXES]) -> Vec<(usize, bool, bool)> {
        let to_read = pipes.to_read(ended_only, has_room).into_iter();
        let group = |(to_read, fd)| match to_read {
            ToRead::Group(Group { outbox, has_ended }) => (outbox, has_ended, is_ready(Awaited::Read(fd)).unwrap()),
            ToRead::Pipe(number) => panic!("pipe {number} is waited for by itself"),
        };
        to_read.map(group).collect()
    }

    #[test]
    fn a_pipe_that_was_removed_wakes_nobody_though_a_child_still_has_it() {
        let (mut pipes, _copies, mut writers) = many();
        writers[3].write_all(b"x").unwrap();
        writers[4].write_all(b"x").unwrap();
        pipes.set_ended(4, 1);
        assert_eq!(awaited(&pipes, false, [true; 2])[..2], [(0, true, true), (0, false, true)]);
        assert!(pipes.remove(3).is_some() && pipes.remove(4).is_some());
        assert_eq!(awaited(&pipes, false, [true; 2]), [(0, false, false), (1, false, false)]);
    }

    #[test]
    fn only_those_are_awaited_whose_lines_find_room_and_that_are_asked_for() {
        let (mut pipes, _copies, _writers) = many();
        assert_eq!(awaited(&pipes, true, [true; 2]), []);
        assert_eq!(awaited(&pipes, false, [false, true]), [(1, false, false)]);
        pipes.set_ended(0, 1);
        let groups = |ended_only| awaited(&pipes, ended_only, [true, false]);
        assert_eq!((groups(true), groups(false)), (vec![(0, true, false)], vec![(0, true, false), (0, false, false)]));
    }

    #[test]
    fn each_that_is_ready_has_its_turn_in_order_before_the_kernel_is_asked_again() {
        let (mut pipes, _copies, mut writers) = many();
        let group = Group { outbox: 0, has_ended: false };
        [9, 5, 7].into_iter().for_each(|number: usize| writers[number].write_all(b"x").unwrap());
        pipes.look_into(group);
        assert_eq!(pipes.next_of(group), Some(5));
        writers[6].write_all(b"x").unwrap();
        pipes.look_into(group);
        assert_eq!([pipes.next_of(group), pipes.next_of(group), pipes.next_of(group)], [Some(7), Some(9), None]);
        pipes.look_into(group);
        assert_eq!(pipes.next_of(group), Some(5), "nobody has read them");
    }

    #[test]
    fn an_ended_child_is_counted_until_its_pipe_is_removed() {
        let (mut pipes, _copies, _writers) = many();
        [1, 1, 2].into_iter().for_each(|number| pipes.set_ended(number, 5));
        assert!(pipes.has_ended());
        pipes.remove(1);
        assert!(pipes.has_ended());
        pipes.remove(2);
        assert!(!pipes.has_ended());
    }
}
