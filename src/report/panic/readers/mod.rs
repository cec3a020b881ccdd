//! Languages that need more than a table.
//!
//! | file | contents |
//! |---|---|
//! | `python` | tracebacks: which of them was the last that nothing caught |
//! | `javascript` | Node and Bun: a place, an excerpt, and the error below |
//! | `rust` | of a cascade of panics the first |
//! | `ruby` | of a chain of exceptions the first, of several chains the last |
//! | `perl` | messages that look like warnings |

pub(super) mod javascript;
pub(super) mod perl;
pub(super) mod python;
pub(super) mod ruby;
pub(super) mod rust;
