//! The names of the programs whose place panicmon takes.

use super::catatonit::CATATONIT;
use super::dumb_init::DUMB_INIT;
use super::peer::Peer;
use super::tini::TINI;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

pub(crate) const PEERS: [&Peer; 3] = [&TINI, &DUMB_INIT, &CATATONIT];

/// The program that is called so, by its base name or its path.
pub(crate) fn named(name: &OsStr) -> Option<&'static Peer> {
    let base = name.as_bytes().rsplit(|byte| *byte == b'/').next()?;
    PEERS.into_iter().find(|peer| peer.names.iter().any(|name| name.as_bytes() == base))
}
