//! The child sees what it would see without panicmon, and panicmon holds nothing of it.

use crate::support::{PROBE, Running, children, name, panicmon, prepared, wait_for, wrapped};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// What can be seen of a process, without what differs from one to the next.
fn seen(pid: u32) -> BTreeMap<String, Vec<u8>> {
    const FIELDS: [&str; 22] = [
        "Umask",
        "Uid",
        "Gid",
        "Groups",
        "SigPnd",
        "ShdPnd",
        "SigBlk",
        "SigIgn",
        "SigCgt",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
        "Cpus_allowed",
        "Mems_allowed",
        "THP_enabled",
        "TracerPid",
        "Threads",
        "CoreDumping",
    ];
    let proc = |file: &str| format!("/proc/{pid}/{file}");
    let mut seen = BTreeMap::new();
    let status = fs::read_to_string(proc("status")).unwrap();
    for line in status.lines() {
        if let Some((field, value)) = line.split_once(':')
            && FIELDS.contains(&field)
        {
            seen.insert(field.to_owned(), value.as_bytes().to_vec());
        }
    }
    for file in ["limits", "cmdline", "environ", "cgroup", "oom_score_adj", "timerslack_ns", "personality", "loginuid"]
    {
        seen.insert(file.to_owned(), fs::read(proc(file)).unwrap_or_default());
    }
    for link in ["cwd", "root", "exe", "ns/mnt", "ns/pid", "ns/user"] {
        seen.insert(
            link.to_owned(),
            fs::read_link(proc(link)).unwrap_or_default().into_os_string().as_bytes().to_vec(),
        );
    }
    for entry in fs::read_dir(proc("fd")).unwrap() {
        let fd = entry.unwrap().file_name().into_string().unwrap();
        let target = fs::read_link(proc(&format!("fd/{fd}"))).unwrap();
        let info = fs::read_to_string(proc(&format!("fdinfo/{fd}"))).unwrap();
        let facts =
            info.lines().filter(|line| line.starts_with("pos") || line.starts_with("flags")).collect::<Vec<_>>();
        seen.insert(format!("fd {fd:>4}"), format!("{} {facts:?}", target.display()).into_bytes());
    }
    let stat = fs::read_to_string(proc("stat")).unwrap();
    let after_name: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    for (field, index) in
        [("session", 3), ("tty", 4), ("priority", 15), ("nice", 16), ("rt_priority", 37), ("policy", 38)]
    {
        seen.insert(field.to_owned(), after_name[index].as_bytes().to_vec());
    }
    seen
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it and looks at the command's process, which is the started one or its child.
fn look(mut command: Command, wrapped: bool) -> BTreeMap<String, Vec<u8>> {
    // In a file that all tests write to, offsets would move meanwhile.
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = Killed(command.spawn().unwrap());
    let pid = child.0.id();
    let pid = wait_for("the command to be there", || {
        let candidates = if wrapped { children(pid) } else { vec![pid] };
        candidates.into_iter().find(|pid| name(*pid) == "ready")
    });
    seen(pid)
}

/// The same with and without panicmon.
fn same(case: &str, command: impl Fn(bool) -> Command) {
    let (with, without) = (look(command(true), true), look(command(false), false));
    for (what, value) in &without {
        let text = |value: &[u8]| String::from_utf8_lossy(&value[..value.len().min(2000)]).into_owned();
        let other = with.get(what).map(|value| text(value));
        assert!(with.get(what) == Some(value), "{case}: {what}\nwithout: {}\nwith:    {other:?}", text(value));
    }
    assert_eq!(with.keys().collect::<Vec<_>>(), without.keys().collect::<Vec<_>>(), "{case}");
}

#[test]
fn masks_and_dispositions_are_inherited() {
    for ops in [
        &[] as &[&str],
        &["ignore=1"],
        &["ignore=13"],
        &["ignore=17"],
        &["ignore=2", "ignore=3"],
        &["ignore=64", "ignore=34"],
        &["block=10"],
        &["block-all"],
        &["block-all", "ignore=1", "ignore=17"],
    ] {
        same(&format!("{ops:?}"), |wrapped| prepared(ops, wrapped, &["pause"]));
    }
}

#[test]
fn descriptors_are_inherited_with_flags_and_offsets() {
    same("open", |wrapped| prepared(&["open=3", "open=5", "open=9", "open=200"], wrapped, &["pause"]));
    for closed in 0..8 {
        let mut ops: Vec<String> = (0..3).filter(|fd| closed & 1 << fd != 0).map(|fd| format!("close={fd}")).collect();
        for open in [false, true] {
            if open {
                ops.push("open=3".to_owned());
            }
            let ops: Vec<&str> = ops.iter().map(String::as_str).collect();
            same(&format!("{ops:?}"), |wrapped| prepared(&ops, wrapped, &["pause"]));
            // Without one free, the loader of the command itself couldn't open its libraries.
            if closed == 0 && open {
                continue;
            }
            let full = [&ops[..], &["nofile=4"]].concat();
            same(&format!("{full:?}"), |wrapped| prepared(&full, wrapped, &["pause"]));
        }
    }
}

#[test]
fn limits_umask_and_working_directory_are_inherited() {
    for ops in [&["nofile=4"] as &[&str], &["address-space=67108864"], &["umask=7"], &["cwd"], &["sigpending=256"]] {
        same(&format!("{ops:?}"), |wrapped| prepared(ops, wrapped, &["pause"]));
    }
}

#[test]
#[ignore = "needs root: raises the hard limit of descriptors"]
fn a_limit_of_a_million_descriptors_is_inherited() {
    same("a million", |wrapped| prepared(&["nofile=1000000"], wrapped, &["pause"]));
}

/// `[panicmon --] probe pause ARGS` straight from here, with words and variables of any bytes.
fn direct(wrapped: bool, args: &[&OsStr], name: Option<&OsStr>) -> Command {
    let mut command = Command::new(if wrapped { panicmon() } else { PROBE.to_owned() });
    if wrapped {
        command.args(["--", PROBE]);
    } else {
        command.arg0(name.unwrap_or(OsStr::new(PROBE)));
    }
    command.arg("pause").args(args);
    command
}

#[test]
fn arguments_and_variables_pass_to_the_byte() {
    let megabyte = "m".repeat(100_000);
    let args: Vec<OsString> = [&b""[..], b"\xff\xfe", b" ", b"--", b"-v", b"a=b", b"\n", megabyte.as_bytes()]
        .map(|arg| OsStr::from_bytes(arg).to_owned())
        .to_vec();
    let args: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
    same("arguments", |wrapped| {
        let mut command = direct(wrapped, &args, None);
        command.env_clear().env("EMPTY", "").env(OsStr::from_bytes(b"B\xff"), OsStr::from_bytes(b"\xfe\xff"));
        // The longest single string the kernel takes is 128 KiB; together they make more than a megabyte.
        for n in 0..11 {
            command.env(format!("BIG{n}"), &megabyte);
        }
        command
    });
}

#[test]
fn odd_environments_pass_in_order_with_duplicates() {
    same("odd environment", |wrapped| prepared(&["odd-environment"], wrapped, &["pause"]));
}

#[test]
fn path_may_be_unset_relative_or_odd() {
    let folder = std::path::Path::new(PROBE).parent().unwrap();
    let file = std::path::Path::new(PROBE).file_name().unwrap();
    let found = |path: Option<String>| {
        let mut command = Command::new(panicmon());
        command.arg("--").arg(file).args(["exit", "9"]).current_dir(folder);
        match path {
            Some(path) => command.env("PATH", path),
            None => command.env_remove("PATH"),
        };
        crate::support::output(&mut command).0
    };
    let parent = folder.parent().unwrap().display();
    let last = folder.file_name().unwrap().to_str().unwrap();
    for path in [".", "", "/nowhere:", ":/nowhere", "/proc/1/fd:.", &format!("../{last}"), &format!("{parent}/{last}")]
    {
        assert_eq!(found(Some(path.to_owned())), Some(9), "PATH={path}");
    }
    assert_eq!(found(None), Some(127));
    let unset = crate::support::output(Command::new(panicmon()).args(["--", "true"]).env_remove("PATH"));
    assert_eq!(unset.0, Some(0), "without PATH /bin and /usr/bin are searched");
}

#[test]
fn panicmon_holds_nothing_while_the_child_runs() {
    holds_nothing_after(&[]);
    // Without the call, and then without /proc, too; with descriptors above a limit that was lowered since.
    let close_range = format!("refuse={}:{}", libc::SYS_close_range, libc::ENOSYS);
    let listing = format!("refuse={}:{}", libc::SYS_getdents64, libc::ENOENT);
    holds_nothing_after(&[&close_range]);
    let refused_listing = format!("refuse={}:{}", libc::SYS_getdents64, libc::EPERM);
    holds_nothing_after(&["nofile=300", &close_range, &refused_listing]);
    holds_nothing_after(&["open=4000", "nofile=16", &close_range, &listing]);
}

fn holds_nothing_after(ops: &[&str]) {
    let inherited = ["open=3", "open=5", "open=9", "open=200", "cwd"];
    let running = Running::start(prepared(&[&inherited, ops].concat(), true, &["pause"]));
    running.ready_child();
    let pid = running.pid();
    let fds = || {
        let mut fds: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .filter_map(|fd| fs::read_link(fd.ok()?.path()).ok())
            .map(|target| target.display().to_string())
            .collect();
        fds.sort();
        fds
    };
    let stderr = fs::read_link("/proc/self/fd/2").unwrap().display().to_string();
    let mut expected = vec!["/dev/null".to_owned(), "/dev/null".to_owned(), "anon_inode:[signalfd]".to_owned(), stderr];
    expected.sort();
    wait_for("panicmon to hold its own descriptors only", || (fds() == expected).then_some(()));
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_str(), Some("/"));
    assert_eq!(crate::support::status_field(pid, "Threads").as_deref(), Some("1"));
}

#[test]
fn a_reader_sees_the_end_when_the_child_closes() {
    let mut running = Running::start(wrapped(&["close-stdout"]));
    running.wait_for_eof();
    assert!(running.child.try_wait().unwrap().is_none(), "both live on");
}

#[test]
fn a_clean_run_prints_nothing() {
    let (code, out, err) = crate::support::output(Command::new(panicmon()).args(["--", PROBE, "exit", "3"]));
    assert_eq!((code, out.as_str(), err.as_str()), (Some(3), "", ""));
}
