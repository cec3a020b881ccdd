//! The processes that the contenders keep.

/// How many processes there are, and what they do.
#[derive(Clone, Copy)]
pub struct Children {
    pub count: usize,
    pub what: What,
}

#[derive(Clone, Copy)]
pub enum What {
    Wait,
    /// A thousand lines a second in all, each process at its own moment.
    Lines,
    /// All wait, but for the first: it makes this number of orphans when it is told to.
    Beget(usize),
}

/// How many lines all processes of a contender write in a second.
pub const LINES_A_SECOND: usize = 1000;

impl Children {
    pub fn waiting(count: usize) -> Children {
        Children { count, what: What::Wait }
    }

    /// The time between two lines of a process, in microseconds.
    pub fn period(&self) -> usize {
        self.count * 1_000_000 / LINES_A_SECOND
    }

    /// The arguments of one of them, which tells by this FIFO that it has begun.
    pub fn words(&self, index: usize, fifo: &str) -> Vec<String> {
        let mut words = vec!["wait".into(), fifo.into()];
        match self.what {
            What::Lines => {
                // A prime number mixes them: neighbours in the file aren't neighbours in time.
                let delay = index * 7919 % self.count * self.period() / self.count;
                words[0] = "lines".into();
                words.extend([self.period().to_string(), delay.to_string()]);
            }
            What::Beget(orphans) if index == 0 => {
                words[0] = "beget".into();
                words.push(orphans.to_string());
            }
            What::Beget(_) | What::Wait => {}
        }
        words
    }
}
