//! The last words of children, kept while they pass.

use super::stream::Stream;
use crate::report::last_words::LastWords;
use crate::sys::clock;
use std::collections::BTreeMap;

/// What is kept of each child's stdout and stderr.
#[derive(Debug)]
pub(crate) struct Words {
    /// How many bytes of each; 0: nothing.
    sizes: [usize; 2],
    of_process: BTreeMap<usize, [LastWords; 2]>,
}

impl Words {
    pub(crate) fn new(sizes: [usize; 2]) -> Words {
        Words { sizes, of_process: BTreeMap::new() }
    }

    /// A child of this process is started.
    pub(super) fn begin(&mut self, process: usize) {
        self.of_process.insert(process, self.sizes.map(LastWords::new));
    }

    pub(super) fn add(&mut self, process: usize, stream: Stream, bytes: &[u8]) {
        if let Some(words) = self.of_process.get_mut(&process) {
            words[usize::from(stream != Stream::Stdout)].push(bytes, clock::monotonic());
        }
    }

    /// Those of a child that has ended, of stdout and of stderr.
    pub(super) fn take(&mut self, process: usize) -> Option<[LastWords; 2]> {
        self.of_process.remove(&process)
    }
}
