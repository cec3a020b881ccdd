//! The notification socket of a service manager, sd_notify(3), passed on: systemd listens to its own child alone
//! (`NotifyAccess=main`), which is this process and not the one that has something to say.
//!
//! | file | |
//! |---|---|
//! | `relay` | passing on what comes, in order, as fast as the manager takes it |
//! | `message` | what is passed on of a message |
//! | `socket` | making sockets |
//! | `place` | where the socket for the command is |
//! | `receive` | a look at the next message, and taking it |
//! | `trust` | which processes speak for the command |
//! | `courier` | passing on messages that bring descriptors |
//! | `thread` | what the courier is made of, beside a bell: neither needs memory once it is there |

mod courier;
pub(super) mod message;
mod place;
pub(super) mod receive;
mod relay;
mod socket;
mod thread;
mod trust;

#[cfg(feature = "cli")]
pub(crate) use place::Directories;
pub(crate) use relay::{Notify, Said};
