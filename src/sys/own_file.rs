//! Files of ours in places where others may write: a log, a report. Somebody may have put something else there.
//!
//! Each is opened below the descriptor of its directory, and nothing is followed, waited for, or taken as a terminal.

use super::fd::{FIRST_AFTER_STDIO, above_stdio};
use nix::fcntl::{AtFlags, FcntlArg, FdFlag, OFlag, fcntl, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

/// What no opening of a file of ours does: follow a link, wait for a reader, take a terminal, hand it down.
const CAREFUL: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// A new file is for its owner and its group.
const NEW_FILE: Mode = Mode::from_bits_truncate(0o640);

/// The directory of a file, and the file's name in it.
struct Place<'p> {
    dir: OwnedFd,
    name: &'p OsStr,
}

impl<'p> Place<'p> {
    fn of(path: &'p Path) -> io::Result<Place<'p>> {
        let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let dir = above_stdio(nix::fcntl::open(parent, flags, Mode::empty())?)?;
        Ok(Place { dir, name })
    }

    fn open(&self, flags: OFlag) -> nix::Result<OwnedFd> {
        openat(&self.dir, self.name, flags | CAREFUL, NEW_FILE)
    }
}

/// A copy of a descriptor that this process was started with. The child doesn't get it, unless it is one of the standard
/// streams.
pub(crate) fn take(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: it is borrowed for this function only, in which nothing closes it; where it isn't open, fcntl(2) says so.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    let not_open =
        |errno: nix::Error| if errno == nix::Error::EBADF { io::Error::other("it isn't open") } else { errno.into() };
    let flags = OFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFL).map_err(not_open)?);
    if flags & OFlag::O_ACCMODE == OFlag::O_RDONLY {
        return Err(io::Error::other("it is open for reading only"));
    }
    let copy = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(FIRST_AFTER_STDIO))?;
    if number >= FIRST_AFTER_STDIO {
        fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    // SAFETY: fcntl has returned a new descriptor, which nobody owns yet.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Opens a file to append to; it is made if it isn't there. It may be a FIFO, which need not have a reader yet, or a
/// character device. Anything else is refused.
pub(crate) fn append(path: &Path) -> io::Result<OwnedFd> {
    let place = Place::of(path)?;
    let append = OFlag::O_WRONLY | OFlag::O_APPEND;
    let opened = match place.open(append) {
        // It isn't there; if it is by now, somebody else has made it.
        Err(nix::Error::ENOENT) => place.open(append | OFlag::O_CREAT | OFlag::O_EXCL),
        // A FIFO without a reader: fifo(7). Held open for reading as well, it keeps what is written for a later one.
        Err(nix::Error::ENXIO) if is_fifo(&place) => place.open(OFlag::O_RDWR),
        opened => opened,
    };
    let fd = above_stdio(opened.map_err(|errno| match errno {
        nix::Error::ELOOP => io::Error::other("it is a symbolic link, which isn't followed: write the file itself"),
        errno => errno.into(),
    })?)?;
    match kind(&fstat(fd.as_fd())?) {
        SFlag::S_IFREG | SFlag::S_IFIFO | SFlag::S_IFCHR => Ok(fd),
        _ => Err(io::Error::other("it is neither a file, a FIFO nor a character device")),
    }
}

fn is_fifo(place: &Place<'_>) -> bool {
    fstatat(&place.dir, place.name, AtFlags::AT_SYMLINK_NOFOLLOW).is_ok_and(|stat| kind(&stat) == SFlag::S_IFIFO)
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    /// A directory that is gone at the end.
    struct Temp(PathBuf);

    impl Temp {
        fn new(name: &str) -> Temp {
            let dir = std::env::temp_dir().join(format!("panicmon-own-file-{name}-{}", std::process::id()));
            fs::create_dir(&dir).unwrap();
            Temp(dir)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Temp {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn write(fd: &OwnedFd, text: &str) {
        assert_eq!(nix::unistd::write(fd, text.as_bytes()), Ok(text.len()));
    }

    #[test]
    fn a_file_is_made_for_its_owner_and_appended_to() {
        let temp = Temp::new("append");
        let path = temp.path("events");
        write(&append(&path).unwrap(), "a");
        write(&append(&path).unwrap(), "b");
        assert_eq!(fs::read_to_string(&path).unwrap(), "ab");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
    }

    #[test]
    fn a_fifo_keeps_for_a_later_reader_what_is_written() {
        let temp = Temp::new("fifo");
        let path = temp.path("fifo");
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        let fd = append(&path).unwrap();
        write(&fd, "kept");
        let reader = nix::fcntl::open(&path, OFlag::O_RDONLY | OFlag::O_NONBLOCK, Mode::empty()).unwrap();
        let mut read = [0; 8];
        assert_eq!(nix::unistd::read(&reader, &mut read), Ok(4));
    }

    #[test]
    fn what_is_no_place_for_text_is_refused() {
        let temp = Temp::new("refused");
        let planted = temp.path("planted");
        symlink(temp.path("elsewhere"), &planted).unwrap();
        assert!(append(&planted).unwrap_err().to_string().contains("symbolic link"));
        assert!(!temp.path("elsewhere").exists());
        assert!(append(&temp.0).is_err(), "a directory");
        let socket = temp.path("socket");
        let _listener = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
        assert!(append(&socket).is_err(), "a socket");
        assert!(append(&temp.path("missing/events")).is_err());
    }
}
