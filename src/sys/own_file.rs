//! Files of ours in places where others may write: a log, a report. Somebody may have put something else there.
//!
//! Each is opened below the descriptor of its directory, and nothing is followed, waited for, or taken as a terminal.

use super::fd::{FIRST_AFTER_STDIO, above_stdio};
use nix::dir::Dir;
use nix::fcntl::{AtFlags, FcntlArg, FdFlag, OFlag, fcntl, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process;

/// What no opening of a file of ours does: follow a link, wait for a reader, take a terminal, hand it down.
const CAREFUL: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// A new file is for its owner and its group.
const NEW_FILE: Mode = Mode::from_bits_truncate(0o640);

/// One that other users' programs fetch may be read by all.
const NEW_FILE_FOR_ALL: Mode = Mode::from_bits_truncate(0o644);

/// How many temporary names are tried: those of a process that was killed with the same pid are still there.
const TEMPORARY_NAMES: u32 = 16;

/// How much is read of a file that a former run has left, and that anybody may have changed.
const MOST_READ: u64 = 16 * 1024;

/// The directory of a file, and the file's name in it.
struct Place<'p> {
    dir: OwnedFd,
    name: &'p OsStr,
}

impl<'p> Place<'p> {
    fn of(path: &'p Path) -> io::Result<Place<'p>> {
        let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
        Ok(Place { dir: open_dir(parent(path))?, name })
    }

    fn open(&self, flags: OFlag) -> nix::Result<OwnedFd> {
        openat(&self.dir, self.name, flags | CAREFUL, NEW_FILE)
    }
}

/// The directory that a file is in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    above_stdio(nix::fcntl::open(path, flags, Mode::empty())?)
}

/// A directory for files of ours. It is held open: this process has another working directory later.
#[derive(Debug)]
pub(crate) struct Directory(OwnedFd);

/// Who may read a new file, but for what the umask takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    OwnerAndGroup,
    All,
}

impl Directory {
    pub(crate) fn open(path: &Path) -> io::Result<Directory> {
        open_dir(path).map(Directory)
    }

    /// The directory that this file is in, and the name of the file.
    pub(crate) fn of(path: &Path) -> io::Result<(Directory, OsString)> {
        let Place { dir, name } = Place::of(path)?;
        Ok((Directory(dir), name.to_owned()))
    }

    /// Puts a file there, in the place of one of its name: a reader sees the one or the other, each whole.
    pub(crate) fn replace(&self, name: &OsStr, readers: Readers, content: &[u8]) -> io::Result<()> {
        self.put(name, readers, content, |_| Ok(())).map(drop)
    }

    /// The same, and the file is locked (flock(2)) from its first moment on, until it is dropped.
    pub(crate) fn replace_locked(&self, name: &OsStr, content: &[u8]) -> io::Result<File> {
        self.put(name, Readers::OwnerAndGroup, content, |file| file.try_lock().map_err(io::Error::from))
    }

    fn put(
        &self,
        name: &OsStr,
        readers: Readers,
        content: &[u8],
        prepare: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<File> {
        match fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) if kind(&stat) != SFlag::S_IFREG => {
                return Err(io::Error::other("there is something else than a file"));
            }
            Ok(_) | Err(nix::Error::ENOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        let (mut file, temporary) = self.temporary(name, readers)?;
        let done = prepare(&file).and_then(|()| file.write_all(content)).and_then(|()| {
            renameat(&self.0, temporary.as_os_str(), &self.0, name)?;
            Ok(())
        });
        if done.is_err() {
            let _ = self.remove(&temporary);
        }
        done.map(|()| file)
    }

    fn temporary(&self, name: &OsStr, readers: Readers) -> io::Result<(File, OsString)> {
        let mode = if readers == Readers::All { NEW_FILE_FOR_ALL } else { NEW_FILE };
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | CAREFUL;
        let mut last = nix::Error::EEXIST;
        for number in 0..TEMPORARY_NAMES {
            let mut temporary = OsString::from(".");
            temporary.push(name);
            temporary.push(format!(".{}-{number}", process::id()));
            match openat(&self.0, temporary.as_os_str(), flags, mode) {
                Ok(fd) => return Ok((above_stdio(fd)?.into(), temporary)),
                Err(nix::Error::EEXIST) => {}
                Err(errno) => {
                    last = errno;
                    break;
                }
            }
        }
        Err(last.into())
    }

    /// Takes away a file that nobody has locked, and returns what it held. `None`: there is none.
    pub(crate) fn take_unlocked(&self, name: &OsStr) -> io::Result<Option<Vec<u8>>> {
        let file: File = match openat(&self.0, name, OFlag::O_RDONLY | CAREFUL, Mode::empty()) {
            Ok(fd) => above_stdio(fd)?.into(),
            Err(nix::Error::ENOENT) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        if kind(&fstat(&file)?) != SFlag::S_IFREG {
            return Err(io::Error::other("it is no file"));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another process has locked it")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut content = Vec::new();
        (&file).take(MOST_READ).read_to_end(&mut content)?;
        self.remove_this(name, &file)?;
        Ok(Some(content))
    }

    /// Takes away a file, if it is still this one that has the name.
    pub(crate) fn remove_this(&self, name: &OsStr, file: &File) -> io::Result<()> {
        let (named, this) = (fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW)?, fstat(file)?);
        if (named.st_dev, named.st_ino) == (this.st_dev, this.st_ino) { self.remove(name) } else { Ok(()) }
    }

    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// The names of what is in it.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut names = Vec::new();
        for entry in Dir::openat(&self.0, ".", flags, Mode::empty())?.iter() {
            names.push(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned());
        }
        Ok(names)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Opens a file to be written again and again from its beginning, and empties it; it is made if it isn't there. Anything but a
/// file is refused, and so is one with a second name: somebody may have given it to a file that isn't his.
pub(crate) fn overwrite(path: &Path) -> io::Result<File> {
    let place = Place::of(path)?;
    let opened = match place.open(OFlag::O_WRONLY) {
        // It isn't there; if it is by now, somebody else has made it.
        Err(nix::Error::ENOENT) => place.open(OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL),
        opened => opened,
    };
    let file = File::from(above_stdio(opened.map_err(not_followed)?)?);
    let stat = fstat(&file)?;
    if kind(&stat) != SFlag::S_IFREG {
        return Err(io::Error::other("it is no file"));
    }
    if stat.st_nlink > 1 {
        return Err(io::Error::other("it has another name beside this one (a hard link)"));
    }
    file.set_len(0)?;
    Ok(file)
}

fn not_followed(errno: nix::Error) -> io::Error {
    match errno {
        nix::Error::ELOOP => io::Error::other("it is a symbolic link, which isn't followed: write the file itself"),
        errno => errno.into(),
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
    let fd = above_stdio(opened.map_err(not_followed)?)?;
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
            let dir = std::env::temp_dir().join(format!("panicmon-own-file-{name}-{}", process::id()));
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
    fn a_file_is_replaced_whole_and_nothing_else_is() {
        let temp = Temp::new("replace");
        let dir = Directory::open(&temp.0).unwrap();
        // What a process with this pid that was killed has left.
        fs::write(temp.path(&format!(".a.{}-0", process::id())), "old").unwrap();
        for content in ["first", "second"] {
            dir.replace(OsStr::new("a"), Readers::All, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(temp.path("a")).unwrap(), content);
        }
        symlink(temp.path("elsewhere"), temp.path("planted")).unwrap();
        fs::create_dir(temp.path("dir")).unwrap();
        nix::unistd::mkfifo(&temp.path("fifo"), Mode::S_IRWXU).unwrap();
        for name in ["planted", "dir", "fifo"] {
            assert!(dir.replace(OsStr::new(name), Readers::All, b"x").is_err(), "{name}");
            assert!(overwrite(&temp.path(name)).is_err(), "{name}");
            assert!(dir.take_unlocked(OsStr::new(name)).is_err(), "{name}");
        }
        assert!(!temp.path("elsewhere").exists());
        let mut names: Vec<_> = dir.names().unwrap().into_iter().filter(|name| name != "." && name != "..").collect();
        names.sort();
        assert_eq!(names, [&format!(".a.{}-0", process::id()), "a", "dir", "fifo", "planted"].map(OsString::from));
    }

    #[test]
    fn a_file_with_a_second_name_is_not_overwritten() {
        let temp = Temp::new("overwrite");
        fs::write(temp.path("log"), "of the last time").unwrap();
        drop(overwrite(&temp.path("log")).unwrap());
        assert_eq!(fs::read(temp.path("log")).unwrap(), b"");
        fs::write(temp.path("precious"), "kept").unwrap();
        fs::hard_link(temp.path("precious"), temp.path("planted")).unwrap();
        assert!(overwrite(&temp.path("planted")).unwrap_err().to_string().contains("hard link"));
        assert_eq!(fs::read(temp.path("precious")).unwrap(), b"kept");
    }

    #[test]
    fn a_locked_file_is_taken_by_nobody_and_an_unlocked_one_once() {
        let temp = Temp::new("locked");
        let (dir, name) = Directory::of(&temp.path("a.running")).unwrap();
        assert_eq!(dir.take_unlocked(&name).unwrap(), None);
        let locked = dir.replace_locked(&name, b"state").unwrap();
        assert!(dir.take_unlocked(&name).unwrap_err().to_string().contains("locked"));
        drop(locked);
        assert_eq!(dir.take_unlocked(&name).unwrap().unwrap(), b"state");
        assert_eq!(dir.take_unlocked(&name).unwrap(), None);
        let (first, _second) = (dir.replace_locked(&name, b"1").unwrap(), dir.replace_locked(&name, b"2").unwrap());
        dir.remove_this(&name, &first).unwrap();
        assert_eq!(fs::read(temp.path("a.running")).unwrap(), b"2", "another one's");
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
