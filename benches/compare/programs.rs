//! The programs that are measured: where they are, their environment, and whether they succeeded.

use crate::Result;
use crate::sys::Ended;
use crate::workshop::project;
use std::env;
use std::ffi::CString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The panicmon to measure.
pub fn panicmon() -> Result<PathBuf> {
    if let Some(program) = env::var_os("PANICMON_BENCH_BINARY") {
        return Ok(program.into());
    }
    let script = project().join("packaging/build-static");
    let output = Command::new(&script)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("can't run {}: {error}", script.display()))?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", script.display(), output.status).into());
    }
    let told = String::from_utf8(output.stdout)?;
    Ok(told.lines().last().ok_or("packaging/build-static named no program")?.into())
}

/// A program on PATH.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// The same small environment for all. With the variables of cargo and of this program's user, the dynamic linker would
/// search elsewhere, and panicmon would read options.
pub fn environment() -> [CString; 1] {
    [c"PATH=/usr/local/bin:/usr/bin:/bin".into()]
}

/// What a program used, if it ended well.
pub fn succeeded(name: &str, ended: Ended) -> Result<Ended> {
    match ended.code {
        Some(0) => Ok(ended),
        Some(code) => Err(format!("{name} exited with {code}").into()),
        None => Err(format!("{name} was killed").into()),
    }
}
