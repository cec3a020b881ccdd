//! The last bytes of a stream.

/// Keeps the last `most` bytes. Its memory grows with what is kept.
#[derive(Debug)]
pub(super) struct Ring {
    most: usize,
    bytes: Vec<u8>,
    /// Where the oldest byte is, once there are `most` of them.
    oldest: usize,
}

/// The memory of a ring that has just begun.
const LEAST_MEMORY: usize = 1024;

impl Ring {
    pub(super) fn new(most: usize) -> Ring {
        Ring { most, bytes: Vec::new(), oldest: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Adds bytes. Those that there is no room for any more are passed on, oldest first.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut lost: impl FnMut(&[u8])) {
        if bytes.len() > self.most {
            let (first, second) = self.parts();
            lost(first);
            lost(second);
            self.bytes.clear();
            self.oldest = 0;
            let (passed, kept) = bytes.split_at(bytes.len() - self.most);
            lost(passed);
            bytes = kept;
        }
        let (new, rest) = bytes.split_at(bytes.len().min(self.most - self.bytes.len()));
        self.grow(new.len());
        self.bytes.extend_from_slice(new);
        self.replace(rest, lost);
    }

    /// All of it, oldest first.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        let (newer, older) = self.bytes.split_at(self.oldest);
        (older, newer)
    }

    /// Room for more bytes. A vector left to itself would take up to twice the most.
    fn grow(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let wanted = needed.max(2 * self.bytes.capacity()).max(LEAST_MEMORY).min(self.most);
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
    }

    /// Writes at most as many bytes as there are over the oldest ones.
    fn replace(&mut self, mut bytes: &[u8], mut lost: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            let (new, rest) = bytes.split_at(bytes.len().min(self.most - self.oldest));
            let place = &mut self.bytes[self.oldest..self.oldest + new.len()];
            lost(place);
            place.copy_from_slice(new);
            self.oldest += new.len();
            if self.oldest == self.most {
                self.oldest = 0;
            }
            bytes = rest;
        }
    }
}
