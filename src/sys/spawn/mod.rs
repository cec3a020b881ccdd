//! Starting a command: what execve(2) wants, the clone(2), and what the child does until it executes.

pub(crate) mod child;
pub(crate) mod command;
pub(crate) mod elf;
pub(crate) mod start;
