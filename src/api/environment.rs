//! The variables of a child.

use crate::model::c_string::c_string;
use crate::model::env::{assignment, inherited, names};
use crate::model::error::Error;
use crate::model::process_config::ProcessConfig;
use crate::sys::spawn::envp::Envp;
use std::borrow::Cow;
use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// The environment of the child: the inherited one or a given one, with changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    base: Base,
    changes: Vec<(OsString, Option<OsString>)>,
}

#[derive(Clone, Debug, Default)]
enum Base {
    /// This program's, as it is when the child is started; entries without a `=` are left out (`std::env::vars_os`).
    #[default]
    Inherited,
    /// Exactly these `K=V`.
    Exactly(Vec<OsString>),
    /// The entries this process was started with, to the byte and in order.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "for the program"))]
    Entries(Vec<&'static CStr>),
}

impl Environment {
    #[cfg(feature = "cli")]
    pub(crate) fn entries(entries: &[&'static CStr]) -> Environment {
        Environment { base: Base::Entries(entries.to_vec()), changes: Vec::new() }
    }

    /// The same with these set.
    pub(crate) fn with(mut self, variables: &[(OsString, OsString)]) -> Environment {
        for (key, value) in variables {
            self.set(key, value);
        }
        self
    }

    /// Sets one.
    pub(crate) fn set(&mut self, key: &OsStr, value: &OsStr) {
        self.changes.push((key.to_owned(), Some(value.to_owned())));
    }

    /// None but those that are set later.
    pub(crate) fn cleared() -> Environment {
        Environment::exactly(Vec::new())
    }

    /// Exactly these `K=V`.
    pub(crate) fn exactly(entries: Vec<OsString>) -> Environment {
        Environment { base: Base::Exactly(entries), changes: Vec::new() }
    }

    /// Takes one away.
    pub(crate) fn remove(&mut self, key: &OsStr) {
        self.changes.push((key.to_owned(), None));
    }

    /// The same without these.
    pub(crate) fn without(mut self, names: &[impl AsRef<OsStr>]) -> Environment {
        self.changes.extend(names.iter().map(|name| (name.as_ref().to_owned(), None)));
        self
    }

    /// The `K=V` of the child. The error is an entry that has a NUL byte.
    pub(crate) fn resolve(&self) -> Result<Vec<Cow<'static, CStr>>, Error> {
        let c_string = |entry| c_string(entry).map(Cow::Owned);
        let mut entries = match &self.base {
            Base::Entries(entries) => entries.iter().map(|entry| Cow::Borrowed(*entry)).collect(),
            Base::Exactly(entries) => entries.iter().cloned().map(c_string).collect::<Result<Vec<_>, _>>()?,
            Base::Inherited => inherited().map(c_string).collect::<Result<_, _>>()?,
        };
        for (key, value) in &self.changes {
            let replacement = value.as_ref().map(|value| c_string(assignment(key, value))).transpose()?;
            change(&mut entries, key, replacement);
        }
        Ok(entries)
    }
}

/// Puts the entry in the place of the first of that name, or at the end, and takes away all others of that name.
fn change(entries: &mut Vec<Cow<'static, CStr>>, key: &OsStr, mut replacement: Option<Cow<'static, CStr>>) {
    entries.retain_mut(|entry| {
        if !names(entry, key.as_bytes()) {
            return true;
        }
        match replacement.take() {
            Some(new) => {
                *entry = new;
                true
            }
            None => false,
        }
    });
    entries.extend(replacement);
}

/// The variables of the processes of one run: all that change nothing share them.
#[derive(Debug)]
pub(crate) struct Environments<'e> {
    environment: &'e Environment,
    unchanged: Option<Arc<Envp>>,
}

impl<'e> Environments<'e> {
    pub(crate) fn of(environment: &'e Environment) -> Environments<'e> {
        Environments { environment, unchanged: None }
    }

    /// Those of this process.
    pub(crate) fn for_process(&mut self, config: &ProcessConfig) -> Result<Arc<Envp>, Error> {
        let is_unchanged = !config.env_clear && config.env_remove.is_empty() && config.env.is_empty();
        if is_unchanged && let Some(unchanged) = &self.unchanged {
            return Ok(Arc::clone(unchanged));
        }
        let environment = if config.env_clear { Environment::cleared() } else { self.environment.clone() };
        let entries = environment.without(&config.env_remove).with(&config.env).resolve()?;
        let env = Arc::new(Envp::new(entries));
        if is_unchanged {
            self.unchanged = Some(Arc::clone(&env));
        }
        Ok(env)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_change_nothing_share_their_variables() {
        let environment = Environment::exactly(vec!["A=1".into()]);
        let mut environments = Environments::of(&environment);
        let plain = ProcessConfig::new("x");
        let [set, removed, cleared] = [(); 3].map(|()| plain.clone());
        let set = ProcessConfig { env: vec![("B".into(), "2".into())], ..set };
        let removed = ProcessConfig { env_remove: vec!["A".into()], ..removed };
        let cleared = ProcessConfig { env_clear: true, ..cleared };
        let mut of = |config| environments.for_process(config).unwrap();
        let first = of(&plain);
        let text = |env: Arc<Envp>| env.iter().map(|entry| entry.to_str().unwrap().to_owned()).collect::<Vec<_>>();
        for (config, variables) in [(&set, &["A=1", "B=2"] as &[&str]), (&removed, &[]), (&cleared, &[])] {
            assert_eq!(text(of(config)), variables);
        }
        assert!(Arc::ptr_eq(&first, &of(&plain)));
        assert_eq!(text(first), ["A=1"]);
    }
}
