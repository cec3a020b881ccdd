//! The names of the programs whose place panicmon takes.

use super::catatonit::CATATONIT;
use super::dumb_init::DUMB_INIT;
use super::peer::Peer;
use super::tini::TINI;
use crate::program::options::variables;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;

pub(crate) const PEERS: [&Peer; 3] = [&TINI, &DUMB_INIT, &CATATONIT];

/// The program by whose name this one was called; most often by its own.
#[inline]
pub(crate) fn by_name(name: &'static CStr) -> Option<&'static Peer> {
    if name.to_bytes().ends_with(b"panicmon") { None } else { named(OsStr::from_bytes(name.to_bytes())) }
}

/// The program whose place is asked for by name, option or variable, before options are read.
#[cold]
pub(crate) fn asked_for(args: &[&'static CStr], env: &[&'static CStr]) -> Option<&'static Peer> {
    let mut options =
        args.iter().skip(1).map(|word| OsStr::from_bytes(word.to_bytes())).take_while(|word| *word != "--");
    let mut by_option = || loop {
        let word = options.next()?;
        if word == "--as" {
            return options.next();
        }
        if let Some(name) = word.as_bytes().strip_prefix(b"--as=") {
            return Some(OsStr::from_bytes(name));
        }
    };
    let by_variable = || variables::value(env, "PANICMON_AS");
    args.first().and_then(|name| by_name(name)).or_else(|| named(by_option().or_else(by_variable)?))
}

/// The program that is called so, by its base name or its path.
#[cold]
pub(crate) fn named(name: &OsStr) -> Option<&'static Peer> {
    let base = name.as_bytes().rsplit(|byte| *byte == b'/').next()?;
    PEERS.into_iter().find(|peer| peer.names.iter().any(|name| name.as_bytes() == base))
}
