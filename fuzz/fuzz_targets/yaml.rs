//! The YAML of pmux files: what the public reader promises of a file that it takes, and of its message about another.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicmon::config;
use panicmon_fuzz::within_limits;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

fuzz_target!(|bytes: &[u8]| {
    let read = within_limits(|| config::parse(bytes));
    let file = match read {
        Ok(file) => file,
        Err(error) => {
            let told = error.to_string();
            assert!(!told.contains(|c: char| c.is_control()), "not in one line: {told:?}");
            assert!(told.len() < 1000 && !error.message().is_empty(), "{told:?}");
            let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count() as u64;
            assert!((1..=lines + 1).contains(&error.line().unwrap()), "{told} of {lines} lines");
            return;
        }
    };
    assert!(!file.processes.is_empty());
    let mut names = BTreeSet::new();
    for process in &file.processes {
        let name = &process.name;
        assert!(!name.is_empty() && !name.contains(|c: char| c.is_control()), "{name:?}");
        assert!(names.insert(name), "twice: {name}");
        assert!(process.min_wait <= process.max_wait);
        let has_nul = |word: &OsStr| word.as_bytes().contains(&0);
        assert!(!process.cmd.is_empty() && !has_nul(&process.cmd));
        assert!(!process.args.iter().any(|arg| has_nul(arg)));
        assert!(!process.dir.as_ref().is_some_and(|dir| has_nul(dir.as_os_str())));
        for (key, value) in &process.env {
            assert!(!key.is_empty() && !key.as_bytes().contains(&b'=') && !has_nul(key) && !has_nul(value));
        }
    }
});
