//! Starting a command: what execve(2) wants, the clone(2), and what the child does until it executes.

mod child;
pub(crate) mod command;
mod elf;
pub(crate) mod envp;
mod interpreter;
mod report;
mod stack;
pub(crate) mod start;
