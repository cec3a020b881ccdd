//! s6 and supervisord.

use crate::peers::real;
use crate::support::{Running, Scratch, children, name, status_field, wait_for, write_program};
use crate::sys;
use std::fs;

/// Says its pid, and sleeps.
const SERVICE: &str = "echo $$; exec sleep 1000";

/// Lines of numbers only are the service's.
fn pid(running: &mut Running) -> u32 {
    loop {
        let line = running.line().expect("a service that says its pid");
        if let Ok(pid) = line.parse() {
            return pid;
        }
    }
}

fn lives(pid: u32) -> bool {
    status_field(pid, "State").is_some_and(|state| !state.starts_with('Z'))
}

/// It has been killed: what it started lives on.
fn outlived_by(mut running: Running, service: u32) {
    running.kill(libc::SIGKILL);
    running.wait();
    assert!(lives(service));
    sys::kill(service, libc::SIGKILL).unwrap();
}

#[test]
fn s6() {
    let Some(mut command) = real("s6-svscan") else { return };
    let folder = Scratch::folder();
    let service = folder.0.join("web");
    fs::create_dir(&service).unwrap();
    write_program(&service.join("run"), format!("#!/bin/sh\n{SERVICE}\n").as_bytes(), 0o755);
    command.arg(&folder.0);
    let mut running = Running::start(command);
    let first = pid(&mut running);
    sys::kill(first, libc::SIGKILL).unwrap();
    let second = pid(&mut running);
    assert_ne!(first, second, "it is started again");

    // What is left of a killed s6-supervise lives on beside the next one.
    let supervise =
        wait_for("s6-supervise", || children(running.pid()).into_iter().find(|pid| name(*pid) == "s6-supervise"));
    sys::kill(supervise, libc::SIGKILL).unwrap();
    let third = pid(&mut running);
    assert!(lives(second) && lives(third));
    sys::kill(second, libc::SIGKILL).unwrap();

    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0, "a status of its own");
    wait_for("the service's end", || (!lives(third)).then_some(()));
}

#[test]
fn supervisord() {
    let start = |folder: &Scratch| {
        let mut command = real("supervisord")?;
        let path = |name: &str| folder.0.join(name).display().to_string();
        let config = format!(
            "[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={}\n\
             [program:web]\ncommand=sh -c '{}'\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\nautorestart=true\n",
            path("pid"),
            SERVICE,
        );
        fs::write(path("conf"), config).unwrap();
        command.args(["-c", &path("conf")]);
        Some(Running::start(command))
    };
    let folder = Scratch::folder();
    let Some(mut running) = start(&folder) else { return };
    let first = pid(&mut running);
    // An end before startsecs is a failed start, which is tried again, too.
    sys::kill(first, libc::SIGKILL).unwrap();
    let second = pid(&mut running);
    assert_ne!(first, second, "it is started again");
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0, "a status of its own");
    wait_for("the service's end", || (!lives(second)).then_some(()));

    let mut running = start(&folder).unwrap();
    let service = pid(&mut running);
    outlived_by(running, service);
}
