//! The folder that holds the measured programs, made for one run.

use crate::{Result, sys};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};

/// A temporary folder, removed when dropped.
pub struct Workshop {
    folder: PathBuf,
}

impl Workshop {
    pub fn new() -> Result<Workshop> {
        let folder = env::temp_dir().join(format!("panicmon-bench-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("can't make the folder {}: {error}", folder.display()))?;
        Ok(Workshop { folder })
    }

    /// The path of the file of this name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Copies a program here, so that all are read from the same disk, and none shares pages with another process that
    /// runs the original.
    pub fn copy(&self, program: &Path, name: &str) -> Result<CString> {
        let copy = self.path(name);
        fs::copy(program, &copy).map_err(|error| format!("can't copy {}: {error}", program.display()))?;
        c_string(&copy)
    }

    /// Compiles one of the programs without C library that lie in the folder above this one.
    pub fn compile(&self, name: &str) -> Result<CString> {
        let source = project().join("benches").join(name).with_extension("rs");
        let program = self.path(name);
        let options = ["opt-level=3", "panic=abort", "strip=symbols", "relocation-model=static"];
        let linking =
            ["target-feature=+crt-static", "link-arg=-nostartfiles", "link-arg=-nostdlib", "link-arg=-static"];
        let status = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()))
            .args(["--edition", "2024"])
            .args(options.iter().chain(&linking).flat_map(|option| ["-C", option]))
            .arg("-o")
            .args([&program, &source])
            .status()
            .map_err(|error| format!("can't run rustc: {error}"))?;
        if !status.success() {
            return Err(format!("can't compile {}: {status}", source.display()).into());
        }
        c_string(&program)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays: {error}", self.folder.display());
        }
    }
}

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The machine that it stands on.
pub fn machine() -> String {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    format!("Linux {}, {processors} processors", sys::kernel_release())
}

pub fn c_string(path: &Path) -> Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}
