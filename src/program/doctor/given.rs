//! What options and variables name: a file, a user, a directory. A run looks for them, and so does `--doctor`.

use super::finding::{Finding, Report, finding};
use crate::formats::accounts;
use crate::formats::pmux::Config;
use crate::program::options::settings::Settings;
use crate::program::{check, config_file, file_options};
use std::ffi::{CStr, OsStr};
use std::path::Path;

/// The file of `--config`.
pub(super) enum File {
    NotGiven,
    /// Stdin, which isn't read here.
    Stdin,
    Read(Box<Config>),
    /// Why a run refuses it.
    Refused(String),
}

/// Reads the file; what it says of reports is added to the settings, as in a run.
pub(super) fn read(settings: &mut Settings) -> File {
    let Some(path) = settings.config.clone() else { return File::NotGiven };
    if config_file::is_stdin(&path) {
        return File::Stdin;
    }
    match config_file::read(&path) {
        Ok(config) => match file_options::add(settings, &config, &config_file::name(&path)) {
            Ok(()) => File::Read(Box::new(config)),
            Err(why) => File::Refused(why),
        },
        Err(error) => File::Refused(error.to_string()),
    }
}

/// Whether all of it is there.
pub(super) fn all(env: &[&'static CStr], settings: &Settings, file: &File, report: &mut Report) {
    if let Some(path) = &settings.config {
        of_file(&settings.name_of("config"), path, file, env, report);
        return;
    }
    if let Some(user) = &settings.user
        && let Err(why) = accounts::find(&user.user, user.group.as_deref())
    {
        let found = not_started(format!("{}: {why}", settings.name_of("user")));
        report.add(found.do_this("name a user and a group of /etc/passwd and /etc/group, or two numbers: USER:GROUP"));
    }
    if let Some(dir) = &settings.dir
        && let Some(why) = check::no_dir(Path::new(dir))
    {
        report.add(
            not_started(format!("{}: {why}", settings.name_of("dir")))
                .do_this("make the directory, or name another one"),
        );
    }
}

fn not_started(seen: String) -> Finding {
    finding(Some(false), seen, "panicmon exits with 125, and the command isn't started")
}

fn of_file(option: &str, path: &OsStr, file: &File, env: &[&'static CStr], report: &mut Report) {
    let name = config_file::name(path);
    match file {
        File::NotGiven => {}
        File::Stdin => report.add(finding(
            None,
            format!("{option}: the file is stdin"),
            "it isn't read here; panicmon --check --config - reads it",
        )),
        File::Refused(why) => {
            let found =
                finding(Some(false), format!("{option}: {why}"), "panicmon exits with 125, and no process is started");
            report.add(found.do_this(format!(
                "mend {name}, or name another file: panicmon --check --config FILE says whether it is good"
            )));
        }
        File::Read(config) => {
            for warning in check::warnings(config, env) {
                let found = finding(Some(false), format!("{name}:{warning}"), "this process can't be started here");
                report.add(found.do_this(format!("have on this machine what {name} names, or mend the file")));
            }
        }
    }
}
