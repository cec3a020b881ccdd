//! What `--hook` asks for.

use super::logger::FILTER;
use super::options::flags::FLAGS;
use super::options::settings::Settings;
use crate::report::hooks::{HOOK_TIME, HOOKS_ON, Hooks, Wanted};
use crate::sys::spawn::command::Command;
use crate::sys::spawn::envp::Envp;
use std::borrow::Cow;
use std::ffi::CStr;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

/// The kinds of events that hooks are run for.
pub(crate) fn kinds(settings: &Settings) -> Vec<&'static str> {
    match (&settings.hooks[..], &settings.hook_on[..]) {
        ([], _) => Vec::new(),
        (_, []) => HOOKS_ON.to_vec(),
        (_, on) => on.to_vec(),
    }
}

/// The hooks that are asked for. `keeps_stdout`: this process keeps its stdout. `env`: the variables of those that are run for
/// what is of none of several processes; `None`: there is one.
pub(crate) fn hooks(
    settings: &Settings,
    keeps_stdout: bool,
    env: impl FnOnce() -> Option<Vec<Cow<'static, CStr>>>,
) -> Option<Box<Hooks>> {
    if settings.hooks.is_empty() { None } else { Some(some_hooks(settings, keeps_stdout, env())) }
}

#[cold]
fn some_hooks(settings: &Settings, keeps_stdout: bool, env: Option<Vec<Cow<'static, CStr>>>) -> Box<Hooks> {
    let own = |env| Command::new(vec![Cow::Borrowed(c"panicmon")], Arc::new(Envp::new(env))).ok();
    Box::new(Hooks::new(Wanted {
        commands: settings.hooks.clone(),
        timeout: settings.hook_timeout.unwrap_or(HOOK_TIME),
        option: settings.name_of("hook"),
        left_out: FLAGS.iter().map(|flag| flag.variable).chain([FILTER]).collect(),
        dir: std::env::current_dir().unwrap_or_default(),
        // One that is closed is none for hooks either.
        stdout: if keeps_stdout { None } else { io::stdout().as_fd().try_clone_to_owned().ok() },
        own: env.and_then(own),
    }))
}
