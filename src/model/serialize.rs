//! Words as serde has them: a signal by its name, a status by its number.

use crate::model::pid::Pid;
use crate::model::process_config::{NoRestartOn, Restart};
use crate::model::signal::Signal;
use crate::model::status::{ExitStatus, StatusCode};
use crate::model::success::Success;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

/// Reads a word or a number by `FromStr`.
struct Word<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err: Display>> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<T, E> {
        word.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

fn word<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(from: D, what: &'static str) -> Result<T, D::Error> {
    from.deserialize_any(Word(what, PhantomData))
}

impl Serialize for Signal {
    /// Its name without `SIG`: `TERM`, `RTMIN+3`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.to_string().trim_start_matches("SIG"))
    }
}

impl<'de> Deserialize<'de> for Signal {
    /// A name, with `SIG` or without, or a number.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signal, D::Error> {
        word(deserializer, "a signal's name or number")
    }
}

impl Serialize for Restart {
    /// `never`, `on-failure` or `always`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Restart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Restart, D::Error> {
        word(deserializer, "never, on-failure or always")
    }
}

impl Serialize for NoRestartOn {
    /// An exit code, a signal's name, or -1, as in the list `noRestartOn` of a file.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            NoRestartOn::Code(code) => serializer.serialize_u8(*code),
            NoRestartOn::Signal(signal) => signal.serialize(serializer),
            NoRestartOn::NoCode => serializer.serialize_i8(-1),
        }
    }
}

impl<'de> Deserialize<'de> for NoRestartOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NoRestartOn, D::Error> {
        word(deserializer, "an exit code, a signal's name, or -1")
    }
}

impl Serialize for Success {
    /// An exit code or a signal's name, as in the list `success` of a file.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Success::Code(code) => serializer.serialize_u8(*code),
            Success::Signal(signal) => signal.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Success {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Success, D::Error> {
        word(deserializer, "an exit code or a signal's name")
    }
}

impl Serialize for Pid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.as_raw())
    }
}

impl<'de> Deserialize<'de> for Pid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pid, D::Error> {
        i32::deserialize(deserializer).map(Pid::new)
    }
}

impl Serialize for StatusCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.get())
    }
}

impl<'de> Deserialize<'de> for StatusCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
        u8::deserialize(deserializer).map(StatusCode::new)
    }
}

impl Serialize for ExitStatus {
    /// `code`, or `signal` and `core_dumped`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ExitStatus::Exited(code) => {
                let mut fields = serializer.serialize_struct("ExitStatus", 1)?;
                fields.serialize_field("code", code)?;
                fields.end()
            }
            ExitStatus::Signaled { signal, core_dumped } => {
                let mut fields = serializer.serialize_struct("ExitStatus", 2)?;
                fields.serialize_field("signal", signal)?;
                fields.serialize_field("core_dumped", core_dumped)?;
                fields.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for ExitStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ExitStatus, D::Error> {
        #[derive(serde::Deserialize)]
        struct Fields {
            code: Option<u8>,
            signal: Option<Signal>,
            #[serde(default)]
            core_dumped: bool,
        }
        match Fields::deserialize(deserializer)? {
            Fields { code: Some(code), signal: None, .. } => Ok(ExitStatus::Exited(code)),
            Fields { code: None, signal: Some(signal), core_dumped } => {
                Ok(ExitStatus::Signaled { signal, core_dumped })
            }
            _ => Err(de::Error::custom("an exit status has either code or signal")),
        }
    }
}
