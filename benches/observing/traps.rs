//! The places that sinks write to: some work, some never take anything, some are planted.

use crate::Result;
use crate::sys;
use crate::workshop::Workshop;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

/// With this variable, this process has mounts of its own.
pub const MOUNTED: &str = "PANICMON_BENCH_MOUNTED";

/// What must never be written to.
const VICTIM: &str = "the victim's own\n";

pub struct Traps {
    folder: PathBuf,
    /// Both are full, and stay so as long as nobody reads.
    _fifo: [File; 2],
    _socket: [UnixDatagram; 2],
    is_mounted: bool,
}

/// Runs this program again with mounts of its own, if that is allowed.
pub fn in_own_mounts() -> Option<Result<()>> {
    let unshare = |program: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]).arg(program);
        command
    };
    if !unshare(Path::new("true")).stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success()) {
        return None;
    }
    let again = || -> Result<()> {
        let status = unshare(&env::current_exe()?).args(env::args().skip(1)).env(MOUNTED, "yes").status()?;
        if status.success() { Ok(()) } else { Err(format!("in its own mounts: {status}").into()) }
    };
    Some(again())
}

impl Traps {
    pub fn new(workshop: &Workshop, mounts: bool) -> Result<Traps> {
        let folder = workshop.path("traps");
        for name in ["files", "links", "full"] {
            fs::create_dir_all(folder.join(name))?;
        }
        fs::write(folder.join("victim"), VICTIM)?;
        for name in ["events", "app.running", "app.prom", "why"] {
            symlink(folder.join("victim"), folder.join("links").join(name))?;
        }
        let fifo = full_fifo(&folder.join("fifo"))?;
        let socket = full_socket(&folder.join("socket"))?;
        let is_mounted = mounts && mount_full_disk(&folder.join("full"))?;
        Ok(Traps { folder, _fifo: fifo, _socket: socket, is_mounted })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn has_full_disk(&self) -> bool {
        self.is_mounted
    }

    /// Before a start.
    pub fn set(&self) -> Result<()> {
        Ok(fs::create_dir_all(self.path("vanishing"))?)
    }

    /// After it.
    pub fn spring(&self) -> Result<()> {
        loop {
            match fs::remove_dir_all(self.path("vanishing")) {
                // A file was made meanwhile.
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
                result => return Ok(result?),
            }
        }
    }

    /// After the end: nobody has fallen into one.
    pub fn check(&self) -> Result<()> {
        if fs::read_to_string(self.path("victim"))? != VICTIM {
            return Err("a planted link was followed".into());
        }
        Ok(())
    }
}

fn full_fifo(path: &Path) -> Result<[File; 2]> {
    sys::make_fifo(path)?;
    let open = |options: &mut OpenOptions| options.custom_flags(libc::O_NONBLOCK).open(path);
    let reader = open(OpenOptions::new().read(true))?;
    let mut writer = open(OpenOptions::new().write(true))?;
    while writer.write(&[0; 4096]).is_ok() {}
    Ok([reader, writer])
}

fn full_socket(path: &Path) -> Result<[UnixDatagram; 2]> {
    let (receiver, sender) = (UnixDatagram::bind(path)?, UnixDatagram::unbound()?);
    sender.set_nonblocking(true)?;
    while sender.send_to(b"full", path).is_ok() {}
    Ok([receiver, sender])
}

impl Drop for Traps {
    fn drop(&mut self) {
        if self.is_mounted
            && !Command::new("umount").arg(self.path("full")).status().is_ok_and(|status| status.success())
        {
            eprintln!("{} stays mounted", self.path("full").display());
        }
    }
}

fn mount_full_disk(path: &Path) -> Result<bool> {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=64k", "panicmon-bench"]).arg(path);
    if !mount.status().is_ok_and(|status| status.success()) {
        return Ok(false);
    }
    let mut file = File::create(path.join("filler"))?;
    while file.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
    Ok(true)
}
