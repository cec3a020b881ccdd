//! Where the command's notification socket is: a path, in a directory of its own.
//!
//! Not every client knows abstract names, unix(7): some take NOTIFY_SOCKET for a path whatever it begins with. So the
//! socket is a path wherever a directory can be made for it.

use crate::model::identity::Identity;
use crate::sys::fd::above_stdio;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open};
use nix::sys::socket::{UnixAddr, bind};
use nix::sys::stat::{FchmodatFlags, Mode, fchmod, fchmodat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fchownat, mkdir, unlinkat};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The socket's name within its directory.
const SOCKET_NAME: &str = "notify";

/// The longest path of a socket: `sun_path` with the NUL that some clients need.
const LONGEST_PATH_BYTES: usize = 107;

/// How many names are tried for a new directory. The name need not be hard to guess: one that is there already isn't taken.
const MOST_NAMES: u32 = 100;

/// What the environment says of directories: RUNTIME_DIRECTORY (systemd.exec(5)), which may be a list, and TMPDIR.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Directories<'e> {
    pub(crate) runtime: Option<&'e OsStr>,
    pub(crate) temporary: Option<&'e OsStr>,
}

impl<'e> Directories<'e> {
    /// Where a directory is tried, in this order.
    fn bases(self) -> impl Iterator<Item = &'e Path> {
        let runtime = self.runtime.into_iter().flat_map(|list| list.as_bytes().split(|byte| *byte == b':'));
        let bases = runtime.map(OsStr::from_bytes).chain([OsStr::new("/run")]);
        let bases = bases.chain(self.temporary).chain([OsStr::new("/tmp")]).map(Path::new);
        bases.filter(|base| base.is_absolute())
    }
}

/// The directory with the socket, which are removed in the end.
#[derive(Debug)]
pub(super) struct Place {
    directory: OwnedFd,
    path: PathBuf,
}

impl Place {
    /// Binds this socket in a new directory of the command's user.
    pub(super) fn bind(
        socket: BorrowedFd<'_>,
        directories: Directories<'_>,
        user: Option<&Identity>,
    ) -> io::Result<Place> {
        let mut failure = io::Error::from_raw_os_error(libc::ENOENT);
        for base in directories.bases() {
            match Place::bind_below(base, socket, user) {
                Ok(place) => return Ok(place),
                Err(error) => {
                    log::debug!("no notification socket below {}: {error}", base.display());
                    failure = error;
                }
            }
        }
        Err(failure)
    }

    fn bind_below(base: &Path, socket: BorrowedFd<'_>, user: Option<&Identity>) -> io::Result<Place> {
        let own = nix::unistd::geteuid().as_raw();
        let other = user.filter(|user| user.uid != own);
        let reached_by = match (user.map_or(own, |user| user.uid), other) {
            // A command that is root may become any user before it says anything.
            (0, _) => Client::Any,
            (_, Some(user)) => Client::Other(user),
            (_, None) => Client::Own,
        };
        let base = fs::canonicalize(base)?;
        check(&base, own, reached_by)?;
        let path = make_directory(&base)?;
        let directory = open_directory(&path).inspect_err(|_| drop(fs::remove_dir(&path)))?;
        // From here on it is removed however this goes on.
        let place = Place { directory, path };
        bind(socket.as_raw_fd(), &UnixAddr::new(&place.socket())?)?;
        // Whatever the umask has left.
        place.set_modes(0o600, 0o700)?;
        let is_open = match reached_by {
            Client::Any => true,
            // Without the capability CHOWN everybody is let in: the sender of each message is checked anyway.
            Client::Other(user) => place.give(user).is_err(),
            Client::Own => false,
        };
        if is_open {
            place.set_modes(0o666, 0o711)?;
        }
        Ok(place)
    }

    fn set_modes(&self, socket: u32, directory: u32) -> io::Result<()> {
        fchmodat(&self.directory, SOCKET_NAME, Mode::from_bits_truncate(socket), FchmodatFlags::FollowSymlink)?;
        fchmod(&self.directory, Mode::from_bits_truncate(directory))?;
        Ok(())
    }

    /// Gives both to that user, the directory last: as long as it is ours, nobody else can put anything in the socket's
    /// place.
    fn give(&self, user: &Identity) -> nix::Result<()> {
        let (uid, gid) = (Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)));
        fchownat(&self.directory, SOCKET_NAME, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        fchown(&self.directory, uid, gid)
    }

    /// The socket's path.
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join(SOCKET_NAME)
    }

    /// What must stay open.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

/// Removes both. Neither step follows a symbolic link that somebody has put there: the directory is held open, and rmdir(2)
/// refuses a link.
impl Drop for Place {
    fn drop(&mut self) {
        let unlink = || unlinkat(&self.directory, SOCKET_NAME, UnlinkatFlags::NoRemoveDir);
        if unlink() == Err(Errno::EACCES) {
            // Another user's directory, and no capability to write there: it becomes ours again.
            let _ = fchown(&self.directory, Some(nix::unistd::geteuid()), None);
            let _ = unlink();
        }
        if let Err(error) = fs::remove_dir(&self.path).or_else(ignore_gone) {
            log::debug!("{} isn't removed: {error}", self.path.display());
        }
    }
}

/// Makes a directory with a new name.
///
/// mkdtemp(3) tries 200,000 names, which takes minutes where all of them are said to be there.
fn make_directory(base: &Path) -> io::Result<PathBuf> {
    let mut tries = 0;
    loop {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
        let number = time.wrapping_add(std::process::id().wrapping_mul(0x9e37_79b9)).wrapping_add(tries) & 0xff_ffff;
        let path = base.join(format!("panicmon-{number:06x}"));
        if path.as_os_str().len() + 1 + SOCKET_NAME.len() > LONGEST_PATH_BYTES {
            return Err(io::Error::other("the path would be too long"));
        }
        tries += 1;
        match mkdir(&path, Mode::S_IRWXU) {
            Ok(()) => return Ok(path),
            Err(Errno::EEXIST) if tries < MOST_NAMES => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn ignore_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    // With an umask that takes everything away it couldn't be opened.
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    above_stdio(open(path, flags, Mode::empty())?)
}

/// Which users connect to the socket.
#[derive(Clone, Copy)]
enum Client<'u> {
    /// This process's own user.
    Own,
    /// Another.
    Other(&'u Identity),
    /// Anybody.
    Any,
}

/// Whether a directory is one in which nobody but root and this user can put something else in our directory's place, and
/// which the client can reach. This process may be root where the command's user may write.
fn check(base: &Path, own: u32, client: Client<'_>) -> io::Result<()> {
    // In a user namespace that doesn't map root, it is another number.
    let root = fs::metadata("/")?.uid();
    for directory in base.ancestors() {
        let metadata = fs::metadata(directory)?;
        let (owner, mode) = (metadata.uid(), metadata.mode());
        let is_shared = mode & 0o022 != 0 && mode & libc::S_ISVTX == 0;
        if ![0, own, root].contains(&owner) || is_shared {
            return Err(io::Error::other(format!("others could change {}", directory.display())));
        }
        let may_search = match client {
            Client::Own => true,
            Client::Other(user) if user.uid == owner => mode & 0o100 != 0,
            Client::Other(user) if user.gid == metadata.gid() || user.groups.contains(&metadata.gid()) => {
                mode & 0o010 != 0
            }
            Client::Other(_) | Client::Any => mode & 0o001 != 0,
        };
        if !may_search {
            return Err(io::Error::other(format!("the command's user has no way through {}", directory.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::mkdtemp;

    #[test]
    fn directories_are_tried_in_order() {
        let bases = |runtime: Option<&str>, temporary: Option<&str>| {
            let directories = Directories { runtime: runtime.map(OsStr::new), temporary: temporary.map(OsStr::new) };
            directories.bases().map(|base| base.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(bases(None, None), "/run /tmp");
        assert_eq!(bases(Some("/run/a:/run/b"), Some("/var/tmp")), "/run/a /run/b /run /var/tmp /tmp");
        // What isn't absolute would be another directory for the command.
        assert_eq!(bases(Some("a::/run/b"), Some("")), "/run/b /run /tmp");
    }

    #[test]
    fn nothing_is_made_where_others_could_replace_it() {
        let own = nix::unistd::geteuid().as_raw();
        let base = fs::canonicalize(mkdtemp(&std::env::temp_dir().join("panicmon-test-XXXXXX")).unwrap()).unwrap();
        let user = |uid, gid, groups: &[u32]| Identity { uid, gid, groups: groups.to_vec() };
        let gid = fs::metadata(&base).unwrap().gid();
        let check = |mode, client: Client<'_>| {
            fs::set_permissions(&base, fs::Permissions::from_mode(mode)).unwrap();
            check(&base, own, client).is_ok()
        };
        let (member, alien) = (user(own + 1, gid + 1, &[gid]), user(own + 1, gid + 1, &[]));
        assert!(check(0o700, Client::Own));
        assert!(!check(0o770, Client::Own) && !check(0o702, Client::Own) && check(0o1777, Client::Own));
        assert!(!check(0o700, Client::Any) && check(0o701, Client::Any));
        assert!(check(0o710, Client::Other(&member)) && !check(0o701, Client::Other(&member)));
        assert!(check(0o701, Client::Other(&alien)) && !check(0o710, Client::Other(&alien)));
        fs::remove_dir(&base).unwrap();
    }

    #[test]
    fn what_was_planted_in_its_place_stays() {
        let base = fs::canonicalize(mkdtemp(&std::env::temp_dir().join("panicmon-test-XXXXXX")).unwrap()).unwrap();
        fs::set_permissions(&base, fs::Permissions::from_mode(0o711)).unwrap();
        let (victim, away) = (base.join("victim"), base.join("away"));
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join(SOCKET_NAME), "kept").unwrap();
        let directories = Directories { runtime: Some(base.as_os_str()), temporary: None };
        let socket = super::super::socket::datagram_socket().unwrap();
        let place = Place::bind(socket.as_fd(), directories, None).unwrap();
        let path = place.path.clone();
        assert_eq!(path.parent(), Some(&*base));
        fs::rename(&path, &away).unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        drop(place);
        assert_eq!(fs::read_to_string(victim.join(SOCKET_NAME)).unwrap(), "kept");
        // Its own socket is found wherever it is.
        assert_eq!(fs::read_dir(&away).unwrap().count(), 0);
        fs::remove_dir_all(&base).unwrap();
    }
}
