//! Where, with what and as whom a command is run: `--dir`, `--env`, `--unset-env`, `--clear-env`, `--user`.

use crate::support::{PROBE, Running, Scratch, output, panicmon, script_with, status_field, wait_for, with_options};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

fn said(options: &[&str], script: &str) -> String {
    let (code, out, err) = output(&mut script_with(options, script));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{options:?}");
    out
}

#[test]
fn it_is_started_in_the_directory() {
    assert_eq!(said(&["-C", "/usr"], "pwd -P"), "/usr\n");
    let (code, out, _) = output(script_with(&["-C", "bin"], "pwd").current_dir("/usr"));
    assert_eq!((code, out.as_str()), (Some(0), "/usr/bin\n"), "from panicmon's own");
    // The command is looked for from there.
    assert_eq!(output(Command::new(panicmon()).args(["--dir=/usr/bin", "./true"])).0, Some(0));
    assert_eq!(output(Command::new(panicmon()).args(["--dir=/", "./true"])).0, Some(127));
    assert_eq!(output(script_with(&[], "pwd -P").env("PANICMON_DIR", "/usr")).1, "/usr\n");
}

#[test]
fn a_directory_that_cannot_be_entered_is_named() {
    let file = Scratch::new("");
    for (dir, why) in [("/no/where", "No such file"), (file.0.to_str().unwrap(), "Not a directory")] {
        let (code, out, err) = output(&mut script_with(&["-C", dir], "echo started"));
        assert_eq!((code, out.as_str()), (Some(125), ""));
        assert!(err.contains(&format!("working directory {dir}: {why}")), "{err}");
        let (_, _, err) = output(script_with(&[], "echo started").env("PANICMON_DIR", dir));
        assert!(
            err.starts_with(&format!("panicmon: PANICMON_DIR: can't change to the working directory {dir}")),
            "{err}"
        );
    }
}

fn environment(command: &mut Command) -> Vec<String> {
    let (code, out, err) = output(command.env_clear().env("A", "1").env("B", "2").env("PATH", "/usr/bin:/bin"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    out.lines().map(str::to_owned).collect()
}

fn env_with(options: &[&str]) -> Vec<String> {
    environment(Command::new(panicmon()).args(options).args(["--", "/usr/bin/env"]))
}

#[test]
fn variables_are_set_taken_away_and_left_where_they_are() {
    assert_eq!(
        env_with(&["-e", "A=x", "-e", "C=3=4", "--env", "D="]),
        ["A=x", "B=2", "PATH=/usr/bin:/bin", "C=3=4", "D="]
    );
    assert_eq!(env_with(&["--unset-env", "A,PATH,NONE"]), ["B=2"]);
    assert_eq!(env_with(&["--unset-env", "A", "--unset-env", "B"]), ["PATH=/usr/bin:/bin"]);
    assert_eq!(env_with(&["--clear-env"]), [""; 0]);
    assert_eq!(env_with(&["--clear-env", "-e", "Z=26", "-e", "Y=25"]), ["Z=26", "Y=25"]);
    assert_eq!(
        env_with(&["--unset-env", "A", "-e", "A=new"]),
        ["B=2", "PATH=/usr/bin:/bin", "A=new"],
        "what is set is set"
    );
    assert_eq!(env_with(&["-e", "A=1", "-e", "A=2"])[0], "A=2", "the last counts");
}

#[test]
fn the_commands_own_path_is_searched() {
    let (code, _, err) = output(Command::new(panicmon()).args(["-e", "PATH=/no/where", "--", "true"]));
    assert_eq!(code, Some(127));
    assert!(err.contains("command not found in PATH=/no/where"), "{err}");
}

#[test]
fn variables_can_come_from_variables() {
    let seen = |variables: &[(&str, &str)], options: &[&str]| {
        let mut command = script_with(options, "echo \"$A:$B:$C\"");
        output(command.env_clear().env("A", "1").env("B", "2").envs(variables.iter().copied())).1
    };
    assert_eq!(seen(&[("PANICMON_ENV", "A=x, y\nC=z\n")], &[]), "x, y:2:z\n");
    assert_eq!(seen(&[("PANICMON_UNSET_ENV", "A,C")], &[]), ":2:\n");
    assert_eq!(seen(&[("PANICMON_CLEAR_ENV", "yes"), ("PANICMON_ENV", "C=3")], &[]), "::3\n");
    assert_eq!(seen(&[("PANICMON_ENV", "A=x")], &["-e", "C=3"]), "1:2:3\n", "the command line wins");
}

/// The names of the variables that the command has, of a panicmon with these.
fn left_of(options: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let mut command = Command::new(panicmon());
    let (code, out, err) = output(
        command
            .env_clear()
            .envs(variables.iter().copied())
            .env("PATH", "/usr/bin:/bin")
            .args(options)
            .args(["--", "env"]),
    );
    assert_eq!((code, err.as_str()), (Some(0), ""), "{options:?}");
    out.lines().filter(|line| !line.starts_with("PATH=")).map(str::to_owned).collect()
}

#[test]
fn variables_that_were_applied_are_not_the_commands() {
    let applied = [
        ("PANICMON_DELAY", "TERM=2s"),
        ("PANICMON_DRAIN", "1s"),
        ("PANICMON_ENV", "A=1"),
        ("PANICMON_GROUP", "no"),
        ("PANICMON_MIN_WAIT", "1s"),
        ("PANICMON_QUIET", "on"),
        ("PANICMON_RESTART", "on-failure"),
        ("PANICMON_SIGNALS", "TERM"),
        ("PANICMON_UNSET_ENV", "B"),
        ("PANICMON_VERBOSE", "0"),
    ];
    assert_eq!(left_of(&[], &applied), ["A=1"]);
    // Neither after a restart.
    let again = ["--restart=always", "--max-restarts=1", "--min-wait=1ms", "-q"];
    assert_eq!(left_of(&again, &applied[..2]), [""; 0]);
    assert_eq!(left_of(&["-e", "PANICMON_DRAIN=5s"], &applied[..2]), ["PANICMON_DRAIN=5s"], "what is set stays");
}

#[test]
fn variables_that_were_not_applied_stay_as_they_are() {
    let stay = |options: &[&str], variable: (&str, &str)| {
        assert_eq!(left_of(options, &[variable]), [format!("{}={}", variable.0, variable.1)], "{options:?}");
    };
    // A file beside a command; what says nothing without restarts; what the command line says otherwise.
    stay(&[], ("PANICMON_CONFIG", "/no/such/file"));
    stay(&[], ("PANICMON_CHECK", "1"));
    stay(&[], ("PANICMON_MIN_WAIT", "1s"));
    stay(&["--drain=1s"], ("PANICMON_DRAIN", "2s"));
    stay(&["-q"], ("PANICMON_VERBOSE", "1"));
    stay(&[], ("PANICMON_DRAIN", ""));
    // No options.
    for name in ["LOG", "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR"]
    {
        stay(&[], (&format!("PANICMON_{name}"), "off"));
    }
}

/// Each is applied once, however many are in a row.
#[test]
fn a_second_panicmon_below_does_nothing_twice() {
    let mut command = Command::new(panicmon());
    command.args(["--", &panicmon(), "--", "sh", "-c", "exit 3"]).env("PANICMON_EXIT", "3=4,4=5");
    assert_eq!(output(&mut command).0, Some(4));
}

#[test]
fn the_processes_of_a_file_have_none_of_those_either() {
    let file = Scratch::new("processes:\n- cmd: env\n  env: {PANICMON_DRAIN: 1s}\n  noRestartOn: [0]\n");
    let mut command = Command::new(panicmon());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("PANICMON_CONFIG", &file.0);
    command.env("PANICMON_SIGNALS", "TERM").env("PANICMON_VERBOSE", "0").env("PANICMON_PORT", "tcp://10.0.0.1:80");
    let (code, out, err) = output(&mut command);
    assert_eq!(code, Some(0), "{err}");
    let mut seen: Vec<_> = out.lines().filter_map(|line| Some(&line[line.find("PANICMON_")?..])).collect();
    seen.sort_unstable();
    assert_eq!(seen, ["PANICMON_DRAIN=1s", "PANICMON_PORT=tcp://10.0.0.1:80"], "{out}");
}

#[test]
fn values_are_bytes() {
    let mut command = Command::new(panicmon());
    command.arg("-e").arg(OsStr::from_bytes(b"K=\xff\n\xfe")).args([
        "--",
        "sh",
        "-c",
        "printf %s \"$K\" | od -An -tx1",
    ]);
    assert_eq!(output(&mut command).1, " ff 0a fe\n");
}

/// What `id` tells of the ids and the groups.
const IDS: &str = "id -u; id -g; id -G; echo \"$HOME $USER $LOGNAME $SHELL\"";

/// An account of the machine, as the C library tells it.
fn account(name: &str) -> String {
    let script = "IFS=: read -r _ _ _ _ _ home shell <<E\n$(getent passwd $1)\nE\nid -u $1; id -g $1; id -G $1; echo $home $1 $1 $shell";
    output(Command::new("sh").args(["-c", script, "sh", name])).1
}

#[test]
#[ignore = "needs root: another user"]
fn it_is_run_as_another_user_with_its_groups() {
    for name in ["nobody", "daemon", "www-data"] {
        assert_eq!(said(&["-u", name], IDS), account(name));
        let number = output(Command::new("id").args(["-u", name])).1;
        assert_eq!(said(&["-u", number.trim()], IDS), account(name));
    }
    let before = said(&[], "echo \"$HOME $USER $LOGNAME $SHELL\"");
    assert_eq!(said(&["-u", "1234:5678"], IDS), format!("1234\n5678\n5678\n{before}"));
    assert_eq!(said(&["-u", "nobody:adm"], "id -un; id -gn; id -Gn"), "nobody\nadm\nadm\n");
    assert_eq!(said(&["-u", "0:0"], "id -u; id -g; id -G"), "0\n0\n0\n");
    assert_eq!(said(&["-u", "nobody", "-e", "HOME=/x"], "echo $HOME"), "/x\n");
    assert_eq!(said(&["-u", "nobody", "--clear-env"], "echo $HOME"), "/nonexistent\n");
    // Real, effective, saved, and that of the file system.
    let ids = said(&["-u", "1234:5678"], "grep -E '^(Uid|Gid|Groups):' /proc/self/status");
    assert_eq!(ids, "Uid:\t1234\t1234\t1234\t1234\nGid:\t5678\t5678\t5678\t5678\nGroups:\t5678 \n");
}

/// All groups of a member are found: in a root of its own, with files of its own.
#[test]
#[ignore = "needs root: another user, and a mount namespace"]
fn supplementary_groups_are_those_of_the_file() {
    let (passwd, group) = (
        Scratch::new("ada:x:1000:1001::/home/ada:\nbob:x:1002:1002::/:/bin/sh\n"),
        Scratch::new("ada:x:1001:\nadm:x:4:bob,ada\nvideo:x:44:adam\naudio:x:29:ada\n"),
    );
    let mount = "mount --bind \"$1\" /etc/passwd && mount --bind \"$2\" /etc/group && shift 2 && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", mount, "sh"]).args([&passwd.0, &group.0]).arg(panicmon());
    command.args(["-u", "ada", "--", "sh", "-c", "id -u; id -g; id -G; echo $HOME $SHELL"]);
    assert_eq!(output(&mut command).1, "1000\n1001\n1001 4 29\n/home/ada /bin/sh\n");
}

#[test]
#[ignore = "needs root: another user"]
fn as_another_user_it_never_outlives_panicmon() {
    let mut running = Running::start(with_options(&["-u", "1234:5678"], &["pause"]));
    let child = running.ready_child();
    assert_eq!(status_field(child, "Uid").as_deref(), Some("1234\t1234\t1234\t1234"));
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 128 + libc::SIGUSR1);
    let running = Running::start(with_options(&["-u", "1234:5678"], &["pause"]));
    let child = running.ready_child();
    running.kill(libc::SIGKILL);
    wait_for("the child to go, too", || {
        status_field(child, "State").is_none_or(|state| state.starts_with('Z')).then_some(())
    });
}

/// In memory that is shared until the exec, the change of user would do that to panicmon, too.
#[test]
#[ignore = "needs root: another user"]
fn panicmon_itself_stays_as_it_is() {
    use std::os::unix::fs::MetadataExt;
    // Without privileges of its own in the file system its /proc entries tell: they are root's, if it can't be dumped.
    let mut command = Command::new("setpriv");
    command.args(["--reuid=1000", "--regid=1000", "--clear-groups"]);
    command.args(["--inh-caps=+setuid,+setgid,+kill", "--ambient-caps=+setuid,+setgid,+kill", &panicmon()]);
    command.args(["-u", "1234:5678", "--", PROBE, "pause"]);
    let running = Running::start(command);
    running.ready_child();
    let owner = std::fs::metadata(format!("/proc/{}/fd", running.pid())).unwrap().uid();
    assert_eq!(owner, 1000);
}

#[test]
#[ignore = "needs root: other users' rights"]
fn the_directory_is_entered_as_the_user() {
    let dir = std::env::temp_dir().join(format!("panicmon-test-{}-private", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let (code, _, err) = output(&mut script_with(&["-u", "1234:5678", "-C", dir.to_str().unwrap()], "echo started"));
    std::fs::remove_dir(&dir).unwrap();
    assert_eq!(code, Some(125));
    assert!(err.contains("can't change to the working directory") && err.contains("Permission denied"), "{err}");
}

/// As the user who runs the tests: the same identity needs no right.
#[test]
fn who_is_it_already_needs_no_right() {
    let group = nix_id("-g");
    let own = format!("{}:{group}", nix_id("-u"));
    let mut command = script_with(&["-u", &own], "id -u");
    if nix_id("-u") == "0" {
        command = Command::new("setpriv");
        command.args(["--reuid=1234", "--regid=5678", "--clear-groups", &panicmon()]);
        command.args(["-u", "1234:5678", "--", "sh", "-c", "id -u"]);
    } else if nix_id("-G").split(' ').any(|one| one != group) {
        // Groups would be taken away, for which it takes a right.
        return;
    }
    let (code, _, err) = output(&mut command);
    assert_eq!((code, err.as_str()), (Some(0), ""));
}

fn nix_id(what: &str) -> String {
    output(Command::new("id").arg(what)).1.trim().to_owned()
}

#[test]
fn who_may_not_change_the_user_is_told_why() {
    let mut command = Command::new(panicmon());
    if nix_id("-u") == "0" {
        command = Command::new("setpriv");
        command.args(["--reuid=1234", "--regid=5678", "--clear-groups", &panicmon()]);
    }
    let (code, out, err) = output(command.args(["-q", "-u", "4321:8765", "--", "sh", "-c", "echo started"]));
    assert_eq!((code, out.as_str()), (Some(125), ""));
    let told =
        "panicmon: can't change to user 4321 and group 8765: Operation not permitted (os error 1) (it takes root,";
    assert!(err.starts_with(told), "{err}");
}

/// As a set-user-id program leaves its ids if it doesn't change the real ones: each exec takes the parent-death signal.
#[test]
#[ignore = "needs root: ids that differ"]
fn a_command_that_will_outlive_panicmon_is_told_before() {
    let told = "outlives a panicmon that is killed";
    let prepared = |ids: &str, options: &[&str], words: &[&str]| {
        let mut command = Command::new(PROBE);
        command.args(["prepare", ids, "--", &panicmon()]).args(options).args(["--", PROBE]).args(words);
        command
    };
    for ids in ["effective-user=65534", "effective-group=65534"] {
        let (code, _, err) = output(&mut prepared(ids, &[], &["exit", "3"]));
        assert_eq!((code, err.lines().count(), err.matches(told).count()), (Some(3), 1, 1), "{err}");
        let (code, out, _) = output(&mut prepared(ids, &["--doctor"], &[]));
        assert!(code == Some(1) && out.contains(": an exec takes the parent-death signal\n"), "{out}");
        // It is so: killed with panicmon, it would say no more.
        let mut running = Running::start(prepared(ids, &["-q"], &["live"]));
        let ready = running.line().unwrap();
        let command = ready.strip_prefix("ready ").unwrap().parse().unwrap();
        running.kill(libc::SIGKILL);
        running.wait();
        crate::sys::queue(command, 63, 0).unwrap();
        assert_eq!(running.line(), Some(format!("came 63 0 {command}")));
    }
    let file =
        Scratch::new(&format!("processes:\n- {{name: a, cmd: '{PROBE}', args: [exit, '0'], noRestartOn: [0]}}\n"));
    let mut command = Command::new(PROBE);
    command.args(["prepare", "effective-user=65534", "--", &panicmon(), "--config"]).arg(&file.0);
    let (code, _, err) = output(&mut command);
    assert_eq!((code, err.matches(told).count()), (Some(0), 1), "{err}");
    // With ids that are the same again there is nothing to tell, and it is killed.
    let (code, _, err) = output(&mut prepared("effective-group=65534", &["--user", "0:0"], &["exit", "3"]));
    assert_eq!((code, err.as_str()), (Some(3), ""));
    let mut running = Running::start(prepared("effective-group=65534", &["--user", "0:0"], &["live"]));
    assert!(running.line().is_some());
    running.kill(libc::SIGKILL);
    running.wait();
    running.wait_for_eof();
}
