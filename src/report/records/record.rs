//! An event as a record: a JSON object on a line, with what all records have.

use crate::model::event::Event;
use crate::model::event::serialize::{LookedUp, fields};
use crate::model::pid::Pid;
use crate::sys::{clock, container, process, user};
use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The version of the format: with another one, fields have another meaning.
const VERSION: u8 = 1;

/// What is the same in all records of a run.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) pid: Pid,
    pub(crate) host: String,
    /// The container's number, where /proc tells it.
    pub(crate) container: Option<String>,
    /// The directory this process was started in.
    pub(crate) dir: PathBuf,
    /// The user and group this process runs as.
    pub(crate) user: (u32, u32),
    /// The arguments of commands are told, too; they may hold secrets.
    pub(crate) tells_arguments: bool,
}

impl Head {
    /// That of this process, as it is now.
    pub(crate) fn here() -> Head {
        Head {
            pid: process::id(),
            host: nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned(),
            container: container::id(),
            dir: std::env::current_dir().unwrap_or_default(),
            user: user::own(),
            tells_arguments: false,
        }
    }
}

/// When something happened, and where it stands among all that did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) time: Timestamp,
    pub(crate) monotonic: Duration,
    /// From 1.
    pub(crate) number: u64,
    /// Which run of its process it belongs to, from 1; 0 before the first.
    pub(crate) run: u64,
}

/// Numbers records, and the runs of each process.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    /// The number of the last record.
    number: u64,
    /// How often each process was started.
    runs: BTreeMap<String, u64>,
}

impl Numbering {
    /// An event of the process of this name happens now.
    pub(crate) fn of(&mut self, name: &str, event: &Event<'_>) -> Moment {
        if !self.runs.contains_key(name) {
            self.runs.insert(name.to_owned(), 0);
        }
        if let (Event::Starting(_), Some(run)) = (event, self.runs.get_mut(name)) {
            *run += 1;
        }
        self.of_run(name)
    }

    /// Something happens now that belongs to the last run of this process.
    pub(crate) fn of_run(&mut self, name: &str) -> Moment {
        self.number += 1;
        let run = self.runs.get(name).copied().unwrap_or(0);
        Moment { time: Timestamp::now(), monotonic: clock::monotonic(), number: self.number, run }
    }

    /// That many things happened before these, which were numbered last, and before the first run of a process.
    pub(crate) fn before<T>(&mut self, told: &mut [(T, Moment)], count: usize) -> Vec<Moment> {
        let count = count as u64;
        let now = || Moment { time: Timestamp::now(), monotonic: clock::monotonic(), number: 0, run: 0 };
        let first = told.first().map_or_else(now, |(_, moment)| *moment);
        let next = self.number + 1 - told.len() as u64;
        told.iter_mut().for_each(|(_, moment)| moment.number += count);
        self.number += count;
        (next..next + count).map(|number| Moment { number, run: 0, ..first }).collect()
    }

    /// Whether anything was told of this process.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.runs.contains_key(name)
    }
}

/// What is told.
#[derive(Debug)]
pub(crate) enum Told<'a> {
    Event(&'a Event<'a>),
    /// Records that a sink didn't get, and why.
    Dropped {
        count: u64,
        why: &'a str,
    },
}

/// A record.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) head: &'a Head,
    pub(crate) moment: Moment,
    pub(crate) name: &'a str,
    pub(crate) told: Told<'a>,
    pub(crate) looked_up: LookedUp<'a>,
}

impl Record<'_> {
    /// Its line, without a newline.
    pub(crate) fn line(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (head, moment) = (self.head, self.moment);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("v", &VERSION)?;
        let kind = match self.told {
            Told::Event(event) => event.kind(),
            Told::Dropped { .. } => "sink.dropped",
        };
        map.serialize_entry("event", kind)?;
        map.serialize_entry("time", &format_args!("{:.6}", moment.time))?;
        map.serialize_entry("monotonic_ns", &u64::try_from(moment.monotonic.as_nanos()).unwrap_or(u64::MAX))?;
        map.serialize_entry("seq", &moment.number)?;
        map.serialize_entry("run", &moment.run)?;
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("panicmon", &Panicmon { pid: head.pid, version: env!("CARGO_PKG_VERSION") })?;
        map.serialize_entry("host", &head.host)?;
        if let Some(container) = &head.container {
            map.serialize_entry("container", container)?;
        }
        match &self.told {
            Told::Event(event) => {
                self.what_is_ours(event, &mut map)?;
                fields(event, self.looked_up, &mut map)?;
            }
            Told::Dropped { count, why } => {
                map.serialize_entry("count", count)?;
                map.serialize_entry("why", why)?;
            }
        }
        map.end()
    }
}

impl Record<'_> {
    /// What an event leaves out because it is this process's own.
    fn what_is_ours<M: SerializeMap>(&self, event: &Event<'_>, map: &mut M) -> Result<(), M::Error> {
        let args = match event {
            Event::Starting(event) => &event.args,
            Event::Failed(event) => &event.args,
            Event::Exited(event) => &event.args,
            _ => &Cow::Borrowed(&[][..]),
        };
        if self.head.tells_arguments && !args.is_empty() {
            map.serialize_entry("args", &args.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>())?;
        }
        match event {
            Event::Starting(event) => {
                let dir = event.dir.as_ref().map_or_else(|| self.head.dir.clone(), |dir| self.head.dir.join(dir));
                map.serialize_entry("cwd", &dir.to_string_lossy())
            }
            Event::Started(event) => {
                let (uid, gid) = event.user.as_ref().map_or(self.head.user, |user| (user.uid, user.gid));
                map.serialize_entry("user", &User { uid, gid })
            }
            _ => Ok(()),
        }
    }
}

#[derive(serde::Serialize)]
struct Panicmon {
    pid: Pid,
    version: &'static str,
}

#[derive(serde::Serialize)]
struct User {
    uid: u32,
    gid: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::ProcessStarting;

    #[test]
    fn what_is_found_to_have_been_before_is_numbered_before() {
        let mut numbering = Numbering::default();
        assert_eq!(numbering.before::<()>(&mut [], 1).iter().map(|moment| moment.number).collect::<Vec<_>>(), [1]);
        let starting = Event::Starting(ProcessStarting::new("web", &[]));
        let mut told = [((), numbering.of("web", &starting)), ((), numbering.of_run("web"))];
        let before = numbering.before(&mut told, 2);
        let numbers = |moments: &[Moment]| moments.iter().map(|moment| (moment.number, moment.run)).collect::<Vec<_>>();
        assert_eq!(numbers(&before), [(2, 0), (3, 0)]);
        assert_eq!(numbers(&told.map(|(_, moment)| moment)), [(4, 1), (5, 1)]);
        assert_eq!(before[0].time, told[0].1.time);
        assert_eq!(numbering.of_run("web").number, 6);
    }
}
