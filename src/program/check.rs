//! `--check`: reports that a file is good, and warns of directories and commands that don't exist on this machine: the file
//! may be for another one.

use super::config_file;
use super::stderr::say;
use super::stdout::print;
use crate::api::environment::{Environment, Environments};
use crate::api::supervisor;
use crate::formats::pmux::Config;
use crate::model::error::is_for_a_shell;
use crate::model::printable::printable;
use crate::model::process_config::ProcessConfig;
use crate::model::status::StatusCode;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat};
use std::ffi::{CStr, OsStr};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::slice;

/// Reports on a file that could be read.
pub(crate) fn report(path: &OsStr, config: &Config, env: &[&'static CStr]) -> StatusCode {
    let file = config_file::name(path);
    if log::log_enabled!(log::Level::Warn) {
        for warning in warnings(config, env) {
            say(&format_args!("warning: {file}:{warning}"));
        }
    }
    let processes = match config.processes.len() {
        1 => "1 process".to_owned(),
        count => format!("{count} processes"),
    };
    print(&format!("{file}: good: {processes}\n"))
}

/// Why processes can't be started on this machine, each with its place in the file.
pub(crate) fn warnings(config: &Config, env: &[&'static CStr]) -> Vec<String> {
    let environment = Environment::entries(env);
    let mut environments = Environments::of(&environment);
    let mut all = Vec::new();
    for (process, places) in config.processes.iter().zip(&config.places) {
        let dir = process.dir.as_deref().and_then(no_dir);
        let has_dir = dir.is_none();
        let found = [dir.zip(Some(places.dir)), no_command(process, has_dir, &mut environments).zip(Some(places.cmd))];
        all.extend(found.into_iter().flatten().map(|(why, place)| format!("{place}: {}: {why}", process.name)));
    }
    all
}

/// Why a process can't be started in this directory; `None`: it can.
pub(crate) fn no_dir(dir: &Path) -> Option<String> {
    let why = match fs::metadata(dir) {
        Ok(found) if !found.is_dir() => "is not a directory".to_owned(),
        Ok(_) if !may_execute(dir) => "may not be entered".to_owned(),
        Ok(_) => return None,
        Err(error) if error.kind() == ErrorKind::NotFound => format!("is not there{}", unexpanded(dir.as_os_str())),
        Err(error) => format!("can't be looked at: {error}"),
    };
    Some(format!("the directory '{}' {why}", printable(&dir.to_string_lossy())))
}

/// Why a process's program can't be executed; `None`: it can, as far as is known.
fn no_command(process: &ProcessConfig, has_dir: bool, environments: &mut Environments<'_>) -> Option<String> {
    let command = supervisor::command(process, slice::from_ref(&process.cmd), environments).ok()?;
    let base = process.dir.as_deref().unwrap_or(Path::new("."));
    let (mut is_there, mut may_be_there) = (false, false);
    for candidate in command.candidates() {
        let candidate = Path::new(OsStr::from_bytes(candidate.to_bytes()));
        if candidate.is_relative() && !has_dir {
            return None;
        }
        let file = base.join(candidate);
        match fs::metadata(&file) {
            Ok(found) if found.is_file() && may_execute(&file) => return None,
            Ok(_) => is_there = true,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => may_be_there = true,
            Err(_) => {}
        }
    }
    let cmd = printable(&process.cmd.to_string_lossy());
    let has_space = cmd.contains(' ');
    Some(if is_there || may_be_there && !has_space {
        format!("the command '{cmd}' can't be executed: it is no file with the x bit in a folder that may be searched")
    } else if has_space {
        format!("there is no command '{cmd}': if it has arguments in it, put them in args")
    } else if cmd.contains('/') {
        format!("the command '{cmd}' is not there{}", unexpanded(&process.cmd))
    } else {
        format!("the command '{cmd}' is in no folder of PATH{}", unexpanded(&process.cmd))
    })
}

/// By the effective ids, as execve(2) and chdir(2) do.
fn may_execute(path: &Path) -> bool {
    faccessat(AT_FDCWD, path, AccessFlags::X_OK, AtFlags::AT_EACCESS).is_ok()
}

/// A hint for a path that a shell would have expanded.
fn unexpanded(path: &OsStr) -> &'static str {
    if is_for_a_shell(path) { ", and '~' and '$' are not expanded: write the whole path" } else { "" }
}
