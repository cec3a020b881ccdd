//! panicmon's own variables under the other names: they work, and win.

use super::Names;
use crate::support::{output, panicmon};
use std::process::Command;

fn by(name: &str, words: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    output(Names::new().command(name).args(words).envs(variables.iter().copied()))
}

#[test]
fn they_work_and_win() {
    for name in ["tini", "docker-init", "dumb-init", "catatonit"] {
        let say = ["--", "sh", "-c", "echo $A; exit 3"];
        assert_eq!(by(name, &say, &[("PANICMON_ENV", "A=b"), ("PANICMON_EXIT", "3=5")]).0, Some(5), "{name}");
        assert_eq!(by(name, &say, &[("PANICMON_ENV", "A=b")]).1, "b\n", "{name}");
        let environment = by(name, &["--", "env"], &[("PANICMON_KILL_AFTER", "5s"), ("PANICMON_SERVICE_HOST", "x")]).1;
        assert!(!environment.contains("PANICMON_KILL_AFTER"), "it is applied: {environment}");
        assert!(environment.contains("PANICMON_SERVICE_HOST=x"), "{environment}");
    }
    let exit = |words: &[&str], variables: &[(&str, &str)]| by("tini", words, variables).0;
    let three = ["-e", "3", "--", "sh", "-c", "exit 3"];
    assert_eq!(exit(&three, &[]), Some(0));
    assert_eq!(exit(&three, &[("PANICMON_EXIT", "3=7")]), Some(7));
    assert_eq!(exit(&three, &[("PANICMON_EXIT", "4=7")]), Some(0));
    let verbose = by("tini", &["-vvv", "--", "true"], &[("PANICMON_QUIET", "1")]);
    assert_eq!(verbose, (Some(0), String::new(), String::new()));
    let quiet = by("tini", &["--", "true"], &[("TINI_VERBOSITY", "0"), ("PANICMON_VERBOSE", "1")]);
    assert!(quiet.2.contains("panicmon: info: starting true"), "{}", quiet.2);
    let filtered = by("tini", &["-vvv", "--", "true"], &[("PANICMON_LOG", "warn")]);
    assert_eq!(filtered, (Some(0), String::new(), String::new()));
    let session = "read -r _ _ _ _ _ session _ </proc/self/stat; [ $session = $$ ]";
    assert_eq!(by("dumb-init", &["sh", "-c", session], &[]).0, Some(0));
    assert_eq!(by("dumb-init", &["sh", "-c", session], &[("PANICMON_SESSION", "off")]).0, Some(1));
    assert_eq!(by("tini", &["--", "sh", "-c", session], &[("PANICMON_SESSION", "on")]).0, Some(0));
    let rewritten =
        ["-r", "15:2", "sh", "-c", "trap 'exit 2' INT; trap 'exit 3' QUIT; kill -TERM $PPID; while :; do :; done"];
    assert_eq!(by("dumb-init", &rewritten, &[]).0, Some(2));
    assert_eq!(by("dumb-init", &rewritten, &[("PANICMON_REWRITE", "TERM=QUIT")]).0, Some(3));
}

/// A variable that is wrong is told in panicmon's words, with the status of that program.
#[test]
fn a_wrong_one_is_refused() {
    for (name, status) in [("tini", 1), ("docker-init", 1), ("dumb-init", 1), ("catatonit", 1)] {
        let (code, out, err) = by(name, &["--", "true"], &[("PANICMON_KILL_AFTER", "soon")]);
        assert_eq!((code, out.as_str()), (Some(status), ""), "{name}");
        assert!(err.starts_with("panicmon: PANICMON_KILL_AFTER: 'soon'"), "{name}: {err}");
        let (code, _, err) = by(name, &["--", "true"], &[("PANICMON_USER", "no-such-user")]);
        assert_eq!(code, Some(status), "{name}: {err}");
        let (code, _, err) = by(name, &["--", "true"], &[("PANICMON_DIR", "/no/such/folder")]);
        assert_eq!(code, Some(status), "{name}: {err}");
    }
}

/// The version is panicmon's, too, and the commit stands where dockerd looks for it.
#[test]
fn the_version_is_both() {
    let own = output(Command::new(panicmon()).arg("--version")).1;
    let own = own.strip_prefix("panicmon ").unwrap();
    assert_eq!(by("docker-init", &["--version"], &[]).1, format!("tini version 0.19.0+panicmon.{own}"));
    assert_eq!(by("catatonit", &["-V"], &[]).1, format!("tini version 0.1.7_catatonit+panicmon.{own}"));
    assert_eq!(by("dumb-init", &["-V"], &[]).2, format!("dumb-init v1.2.5+panicmon.{own}"));
    assert!(by("tini", &["-l"], &[]).1.contains("WITHOUT WARRANTY OF ANY KIND"));
    // Variables don't change what is printed.
    assert_eq!(by("tini", &["--version"], &[("PANICMON_DIR", "/x"), ("PANICMON_KILL_AFTER", "soon")]).0, Some(0));
}

/// That it can't be printed is a failure of that program's.
#[test]
fn a_version_that_cannot_be_printed_is_a_failure() {
    let names = Names::new();
    for name in ["tini", "docker-init", "catatonit"] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let mut command = names.command(name);
        let end = command.arg("--version").stdout(full).output().unwrap();
        let err = String::from_utf8_lossy(&end.stderr).into_owned();
        assert_eq!((end.status.code(), err.lines().count()), (Some(1), 1), "{name}: {err}");
    }
}

/// Another name is none of these.
#[test]
fn any_other_name_is_panicmons() {
    let folder = crate::support::Scratch::folder();
    for name in ["init", "tini2", "panicmon-tini", "mytini"] {
        let path = folder.0.join(name);
        std::os::unix::fs::symlink(panicmon(), &path).unwrap();
        assert_eq!(
            output(Command::new(&path).args(["--exit", "3=4", "--", "sh", "-c", "exit 3"])).0,
            Some(4),
            "{name}"
        );
        assert_eq!(output(Command::new(&path).args(["sh", "-c", "exit 3"])).0, Some(3), "{name}");
    }
}

/// `--as` does the same without the name, and its variable too, beside options of panicmon's own.
#[test]
fn by_an_option() {
    let says = |words: &[&str], variables: &[(&str, &str)]| {
        output(Command::new(panicmon()).args(words).envs(variables.iter().copied()))
    };
    let code = |words: &[&str]| says(words, &[]).0;
    assert_eq!(code(&["--as", "tini", "--", "-se", "3", "--", "sh", "-c", "exit 3"]), Some(0));
    assert_eq!(code(&["--as=docker-init", "--", "-e3", "--", "sh", "-c", "exit 3"]), Some(0));
    assert_eq!(code(&["--as", "tini", "--exit", "3=5", "--", "-e", "3", "--", "sh", "-c", "exit 3"]), Some(5));
    assert_eq!(code(&["--as", "tini", "--", "sh", "--", "-c", "exit 3"]), Some(3));
    assert_eq!(code(&["--as", "tini", "sh", "--", "-c", "exit 3"]), Some(3));
    assert_eq!(code(&["--as", "dumb-init", "--", "no-such-command"]), Some(2));
    assert_eq!(code(&["--as", "catatonit", "--", "no-such-command"]), Some(1));
    assert_eq!(code(&["--as", "tini", "--"]), Some(1), "its usage");
    assert_eq!(says(&["--as", "tini", "--", "-Z"], &[]).2.lines().next(), Some("tini: invalid option -- 'Z'"));
    assert!(says(&["--as", "dumb-init", "--", "-V"], &[]).2.starts_with("dumb-init v1.2.5"));
    let as_tini = [("PANICMON_AS", "tini")];
    assert_eq!(says(&["--", "-e", "3", "--", "sh", "-c", "exit 3"], &as_tini).0, Some(0));
    assert!(!says(&["--", "sh", "--", "-c", "env"], &as_tini).1.contains("PANICMON_AS"), "it is applied");
    assert!(by("tini", &["--", "env"], &[("PANICMON_AS", "dumb-init")]).1.contains("PANICMON_AS"), "it isn't");
    assert_eq!(by("tini", &["--", "no-such-command"], &[("PANICMON_AS", "dumb-init")]).0, Some(127));

    let refused = says(&["--as", "upstart", "--", "true"], &[]);
    assert_eq!(refused.0, Some(125));
    assert!(refused.2.starts_with("panicmon: --as: 'upstart' is none of tini, tini-static,"), "{}", refused.2);
    let refused = says(&["--", "true"], &[("PANICMON_AS", "upstart")]);
    assert!(refused.2.starts_with("panicmon: PANICMON_AS: 'upstart' is none of"), "{}", refused.2);
    let refused = says(&["--as", "tini", "--config", "x.yml"], &[]);
    assert!(refused.0 == Some(1) && refused.2.contains("--as: it is for one COMMAND"), "{}", refused.2);
    assert_eq!(says(&["--as", "tini", "--doctor"], &[]).2, "");
}
