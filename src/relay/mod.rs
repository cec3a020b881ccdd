//! What children write, line by line, on its way to this process's own streams or to a function of a library's user.
//!
//! All of it happens in the one loop, but for `copy`. What a remark says is in `report`; when a child's pipes are read is
//! decided in `engine`.
//!
//! | file | contents |
//! |---|---|
//! | `stream` | what a line is, and the streams it comes from |
//! | `lines` | bytes to lines (pure) |
//! | `pipe_set` | the pipes of all children, and which to wait for |
//! | `pipes` | they are read, and their lines go on |
//! | `passed` | bytes as they are, to our own streams |
//! | `words` | the last words of children, kept while they pass |
//! | `printed` | lines to labelled lines, and those to stdout and stderr |
//! | `copy` | bytes to a writer of a library's user, by a thread |
#![forbid(unsafe_code)]

pub(crate) mod copy;
mod lines;
pub(crate) mod passed;
pub(crate) mod pipe_set;
pub(crate) mod pipes;
pub(crate) mod printed;
pub(crate) mod stream;
pub(crate) mod words;
