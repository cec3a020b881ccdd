//! Passing on what the command says to its socket, to the manager's.

use super::courier;
use super::courier::{Courier, Errand, Keeper, Lost, MOST_SENDS, Outcome};
use super::message;
use super::message::LONGEST_MESSAGE_BYTES;
use super::place::{Directories, Place};
use super::receive;
use super::receive::Seen;
use super::socket::{bind_abstract, connected, listening_socket};
use super::trust;
use super::trust::Verdict;
use crate::model::identity::Identity;
use crate::sys::bell::Bell;
use crate::sys::poll::Awaited;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, Shutdown, UnixAddr, send, shutdown};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// The number of messages passed on before the loop looks at what else has come.
const MESSAGES_A_TURN: usize = 64;

/// More messages than the kernel keeps for a socket, unless net.unix.max_dgram_qlen is set to more than systemd does (512).
const MESSAGES_IN_THE_LAST_TURN: usize = 1024;

/// The most lost messages that are counted.
const MOST_LOST_COUNTED: usize = 10_000;

/// The most keepers that may still be ending when another is started.
const MOST_KEEPERS: usize = 64;

/// The time after which a message that couldn't be taken, or couldn't be passed on for want of memory, is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// A socket for the command, and the manager's.
#[derive(Debug)]
pub(crate) struct Notify {
    /// The command's: one, or that with an abstract name and one with the same name padded.
    sockets: Vec<OwnedFd>,
    /// Where the first is; `None`: it has an abstract name.
    place: Option<Place>,
    /// As NOTIFY_SOCKET has it.
    name: OsString,
    manager: OwnedFd,
    address: UnixAddr,
    /// The command's.
    user: u32,
    /// What the manager has no room for yet.
    waiting: Option<Vec<u8>>,
    /// How often the kernel has had no memory for that.
    sends: u32,
    /// On its way with a message that brings descriptors; the socket it has taken it from, by its place among those.
    courier: Option<(Courier, usize)>,
    /// Which couriers ring when they are done.
    done: Option<Bell>,
    /// Those that haven't ended yet.
    keepers: Vec<Keeper>,
    /// When one that couldn't be taken is tried again.
    retry_at: Option<Instant>,
    /// It takes nothing that is sent from now on.
    is_closed: bool,
    /// There may be more to be passed on at once.
    has_more: bool,
    has_warned: Warned,
    /// What the command has said of itself since this was last asked: READY=1 once, and of many STATUS= some are left out.
    said: Vec<Said>,
}

/// What was told of once.
#[derive(Debug, Default)]
struct Warned {
    stranger: bool,
    not_taken: bool,
    no_table: bool,
}

/// What a command says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// READY=1.
    Ready,
    /// STATUS=
    Status(String),
}

impl Notify {
    /// A socket for a command of this user, or of this process's own, whose messages go to the one that NOTIFY_SOCKET
    /// names; `None`: that is of a kind that can't be passed on (a virtual machine's).
    pub(crate) fn relay(
        manager: &OsStr,
        user: Option<&Identity>,
        directories: Directories<'_>,
    ) -> io::Result<Option<Notify>> {
        let address = match manager.as_bytes() {
            [b'@', name @ ..] => UnixAddr::new_abstract(name)?,
            path @ [b'/', ..] => UnixAddr::new(path)?,
            _ => return Ok(None),
        };
        let manager = connected(&address)?;
        let own = listening_socket()?;
        let mut sockets = Vec::new();
        let (place, name) = match Place::bind(own.as_fd(), directories, user) {
            Ok(place) => {
                let name = place.socket().into_os_string();
                (Some(place), name)
            }
            Err(_) => {
                let own = listening_socket()?;
                let (name, padded) = bind_abstract(&own)?;
                sockets.extend([own].into_iter().chain(padded));
                (None, name)
            }
        };
        if place.is_some() {
            sockets.push(own);
        }
        Ok(Some(Notify {
            sockets,
            place,
            name,
            manager,
            address,
            user: user.map_or_else(|| nix::unistd::geteuid().as_raw(), |user| user.uid),
            waiting: None,
            sends: 0,
            courier: None,
            done: None,
            keepers: Vec::new(),
            retry_at: None,
            is_closed: false,
            has_more: false,
            has_warned: Warned::default(),
            said: Vec::new(),
        }))
    }

    /// The command's NOTIFY_SOCKET.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    /// All descriptors it needs from the start.
    pub(crate) fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let sockets = self.sockets.iter().chain([&self.manager]).map(AsFd::as_fd);
        sockets.chain(self.place.as_ref().map(Place::fd)).collect()
    }

    /// What to wait for: the next message; while one is on its way, that it has arrived; and the ends of keepers.
    pub(crate) fn waits_for(&self) -> impl Iterator<Item = Awaited<'_>> {
        let is_out = self.courier.is_some();
        let courier = self.done.as_ref().filter(|_| is_out).map(|done| Awaited::Read(done.as_fd()));
        let waiting = self.waiting.as_ref().filter(|_| self.retry_at.is_none());
        let manager = waiting.map(|_| Awaited::Write(self.manager.as_fd()));
        // poll(2) says of one that is closed that it can be read.
        let reads = !self.is_closed && !is_out && self.waiting.is_none() && self.retry_at.is_none();
        let sockets = self.sockets.iter().filter(move |_| reads).map(|socket| Awaited::Read(socket.as_fd()));
        let keepers = self.keepers.iter().filter_map(Keeper::pidfd).map(Awaited::Read);
        courier.into_iter().chain(manager).chain(sockets).chain(keepers)
    }

    /// When it has something to do though nothing has come.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.has_more { Some(Instant::now()) } else { self.retry_at }
    }

    /// Takes nothing more: what has come can still be passed on.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        for socket in &self.sockets {
            // It fails for one that is closed.
            let _ = shutdown(socket.as_raw_fd(), Shutdown::Read);
        }
    }

    /// Passes on some of what has come, as far as the manager takes it. Whether that was all.
    pub(crate) fn pass(&mut self) -> bool {
        self.pass_at_most(MESSAGES_A_TURN)
    }

    /// The same of what a process that has ended may have sent: more than the kernel keeps.
    pub(crate) fn pass_last(&mut self) -> bool {
        self.pass_at_most(MESSAGES_IN_THE_LAST_TURN)
    }

    /// What the command has said of itself since this was last asked.
    pub(crate) fn take_said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    fn pass_at_most(&mut self, most: usize) -> bool {
        self.keepers.retain(|keeper| !keeper.has_ended());
        self.has_more = false;
        if self.retry_at.is_some_and(|at| at > Instant::now()) {
            return false;
        }
        self.retry_at = None;
        for _ in 0..most {
            if !self.sees_courier() || !self.sends_waiting() {
                return false;
            }
            let (at, seen) = match self.look() {
                Ok(Some(next)) => next,
                Ok(None) => return true,
                Err(errno) => {
                    self.is_tried_again(&errno.into());
                    return false;
                }
            };
            let verdict = seen.sender.map(|sender| trust::judge(sender, self.user));
            let taken = match verdict {
                _ if seen.has_descriptors => self.send_courier(at, &seen, verdict),
                _ => self.take(at, &seen, verdict),
            };
            if let Err(error) = taken {
                self.is_tried_again(&error);
                return false;
            }
        }
        self.has_more = true;
        false
    }

    /// The next message, and which socket it is in.
    fn look(&self) -> Result<Option<(usize, Seen)>, Errno> {
        for (at, socket) in self.sockets.iter().enumerate() {
            match receive::look(socket.as_fd()) {
                Ok(seen) => return Ok(Some((at, seen))),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(None)
    }

    /// Takes a message without descriptors, and passes it on.
    fn take(&mut self, at: usize, seen: &Seen, verdict: Option<Verdict>) -> io::Result<()> {
        let socket = self.sockets[at].as_fd();
        let asks = verdict.is_some_and(Verdict::depends_on_its_end);
        if asks {
            receive::pass_pidfds(socket, true);
        }
        let ended = receive::take(socket);
        if asks {
            receive::pass_pidfds(socket, false);
        }
        let ended = match ended {
            Ok(ended) => ended,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        if verdict.is_some_and(|verdict| verdict.is_trusted(ended)) {
            self.waiting = self.for_manager(seen);
        } else {
            self.refuse(seen.sender);
        }
        Ok(())
    }

    /// Sends a courier with a message that brings descriptors.
    fn send_courier(&mut self, at: usize, seen: &Seen, verdict: Option<Verdict>) -> io::Result<()> {
        if self.keepers.len() >= MOST_KEEPERS {
            return Err(io::Error::other("the descriptors of others before it are still being closed"));
        }
        let asks = verdict.is_some_and(Verdict::depends_on_its_end);
        let may_be_trusted = asks || verdict.is_some_and(|verdict| verdict.is_trusted(None));
        if !may_be_trusted {
            self.refuse(seen.sender);
        }
        let done = match self.done.take() {
            Some(done) => done,
            None => Bell::new()?,
        };
        let done = self.done.insert(done).as_fd().as_raw_fd();
        let bytes = if may_be_trusted { self.for_manager(seen) } else { None };
        let socket = self.sockets[at].as_fd();
        let errand = Errand {
            from: socket.as_raw_fd(),
            to: self.manager.as_raw_fd(),
            address: self.address,
            bytes,
            verdict: verdict.filter(|_| may_be_trusted),
            done,
        };
        receive::pass_pidfds(socket, asks);
        self.courier = Some((Courier::send(errand)?, at));
        Ok(())
    }

    /// Whether no courier is on its way any more; tells how it went with one that is back.
    fn sees_courier(&mut self) -> bool {
        let (Some((courier, at)), Some(done)) = (self.courier.take(), &self.done) else { return true };
        if !done.has_rung() {
            self.courier = Some((courier, at));
            return false;
        }
        let (outcome, keeper) = courier.returns();
        self.keepers.extend(keeper);
        receive::pass_pidfds(self.sockets[at].as_fd(), false);
        match outcome {
            Outcome::Done { lost: None } => {}
            Outcome::Done { lost: Some(Lost::NoRoom) } => {
                log::warn!("descriptors of a notification of the command are lost: too many are open");
            }
            Outcome::Done { lost: Some(Lost::NoTable(errno)) } => {
                if !std::mem::replace(&mut self.has_warned.no_table, true) {
                    log::warn!("descriptors of the command's notifications aren't passed on: unshare(2): {errno}");
                }
            }
            Outcome::NotTrusted => self.refuse(None),
            Outcome::Lost(errno) => lost(errno),
            Outcome::NotTaken(error) => {
                self.is_tried_again(&error);
                return false;
            }
        }
        true
    }

    /// Whether the manager has taken what waited.
    fn sends_waiting(&mut self) -> bool {
        let Some(bytes) = self.waiting.take() else { return true };
        match self.send(&bytes) {
            Ok(()) => {}
            Err(Errno::EAGAIN) => {
                self.waiting = Some(bytes);
                return false;
            }
            // The socket can be written all the same.
            Err(Errno::ENOBUFS | Errno::ENOMEM) if self.sends < MOST_SENDS => {
                self.sends += 1;
                self.waiting = Some(bytes);
                self.retry_at = Some(Instant::now() + RETRY_AFTER);
                return false;
            }
            Err(errno) => lost(errno),
        }
        self.sends = 0;
        true
    }

    /// What of a message of the command's is passed on.
    fn for_manager(&mut self, seen: &Seen) -> Option<Vec<u8>> {
        if seen.is_cut {
            log::warn!(
                "a notification of the command is longer than {LONGEST_MESSAGE_BYTES} bytes, it isn't passed on"
            );
            return None;
        }
        if message::says_ready(&seen.bytes) && !self.said.contains(&Said::Ready) {
            self.said.push(Said::Ready);
        }
        if self.said.len() < MESSAGES_A_TURN {
            self.said.extend(message::status(&seen.bytes).map(Said::Status));
        }
        message::passed_on(&seen.bytes)
    }

    /// A message can't be taken now: says so, once.
    fn is_tried_again(&mut self, error: &io::Error) {
        self.retry_at = Some(Instant::now() + RETRY_AFTER);
        if !std::mem::replace(&mut self.has_warned.not_taken, true) {
            log::warn!("a notification of the command can't be taken, it is tried again: {error}");
        }
    }

    /// Tells of a message that isn't the command's; once, as there may be many.
    fn refuse(&mut self, sender: Option<libc::ucred>) {
        if std::mem::replace(&mut self.has_warned.stranger, true) {
            return;
        }
        match sender {
            Some(who) => log::warn!(
                "pid {} of user {}, which isn't the command's, sends notifications: they aren't passed on",
                who.pid,
                who.uid
            ),
            None => log::warn!("a process that isn't the command's sends notifications: they aren't passed on"),
        }
    }

    /// Takes no more time over what the manager hasn't taken, and says what is lost.
    pub(crate) fn give_up(&mut self) {
        let is_untaken = self.retry_at.is_some() && self.waiting.is_none();
        let mut count = usize::from(self.waiting.take().is_some()) + usize::from(self.courier.is_some());
        let mut next = self.look();
        // One that brings descriptors is left where it is, and those behind it with it.
        while let Ok(Some((at, seen))) = &next
            && self.courier.is_none()
            && !seen.has_descriptors
            && count < MOST_LOST_COUNTED
        {
            let _ = receive::take(self.sockets[*at].as_fd());
            count += 1;
            next = self.look();
        }
        let why = if is_untaken { "they couldn't be taken" } else { "its manager doesn't take them" };
        match (count, next) {
            (0, Ok(None)) => {}
            (1, Ok(None)) => log::warn!("one notification of the command is lost: {why}"),
            (count, Ok(None)) => log::warn!("{count} notifications of the command are lost: {why}"),
            (0, Err(errno)) => log::warn!("notifications of the command may be lost: they couldn't be taken: {errno}"),
            (0, Ok(Some(_))) => log::warn!("at least one notification of the command is lost: {why}"),
            (count, Ok(Some(_)) | Err(_)) => {
                log::warn!("at least {} notifications of the command are lost: {why}", count + 1);
            }
        }
        match self.keepers.len() {
            0 => {}
            1 => log::warn!(
                "a process that closes descriptors of the command's notifications can't be killed: it is left"
            ),
            count => log::warn!(
                "{count} processes that close descriptors of the command's notifications can't be killed: they are left"
            ),
        }
    }

    /// Whether every keeper has ended.
    pub(crate) fn is_alone(&self) -> bool {
        self.keepers.is_empty()
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let to = |manager: &OwnedFd| send(manager.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL).map(drop);
        match to(&self.manager) {
            // Another socket may be in its place since.
            Err(Errno::ECONNREFUSED | Errno::ENOTCONN | Errno::EPIPE) => {
                self.manager =
                    connected(&self.address).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
                to(&self.manager)
            }
            sent => sent,
        }
    }
}

/// What is still in a socket may bring descriptors, and this process mustn't close them.
impl Drop for Notify {
    fn drop(&mut self) {
        for socket in &self.sockets {
            let is_empty = self.courier.is_none() && receive::look(socket.as_fd()).is_err();
            if !is_empty && courier::leave_to_keeper(socket.as_fd()).is_err() {
                // It is closed when the process ends, which waits for less than close(2) does.
                let _ = socket.try_clone().map(IntoRawFd::into_raw_fd);
            }
        }
    }
}

fn lost(errno: Errno) {
    log::warn!("a notification of the command couldn't be passed on, it is lost: {errno}");
}
