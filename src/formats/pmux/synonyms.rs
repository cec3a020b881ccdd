//! The keys of other programs' files: docker-compose, process-compose, supervisord, systemd, pm2 and Kubernetes.

use crate::formats::nearest::fold;

/// Our key for one of another program, and what to say about it.
pub(super) fn synonym(key: &str) -> Option<(&'static str, String)> {
    let known = find(SYNONYMS, key)?;
    let advice = match known {
        "noRestartOn" => {
            "a process is started again after every end, but for those that 'noRestartOn' lists".to_owned()
        }
        known => format!("it is called '{known}' here"),
    };
    Some((known, advice))
}

/// What to write instead of a key of another program that has no counterpart here.
pub(super) fn instead(key: &str) -> Option<&'static str> {
    find(INSTEAD, key)
}

fn find(table: &[(&'static str, &[&str])], key: &str) -> Option<&'static str> {
    let folded: String = fold(key).into_iter().collect();
    table.iter().find(|(_, words)| words.contains(&folded.as_str())).map(|(found, _)| *found)
}

/// Our keys, and those of other programs: in lower case, without hyphens and underscores.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("name", &["processname", "programname", "containername", "servicename", "title", "label"]),
    (
        "cmd",
        &["command", "commands", "commandline", "exec", "execstart", "program", "script", "run", "entrypoint", "shell"],
    ),
    ("args", &["arguments", "argv", "params", "parameters"]),
    ("env", &["environment", "environmentvariables", "envvars", "variables", "vars"]),
    ("dir", &["cwd", "chdir", "directory", "folder", "workdir", "workingdir", "workingdirectory"]),
    ("minWait", &["restartdelay", "restartsec", "backoffseconds", "minbackoff", "expbackoffrestartdelay"]),
    ("maxWait", &["restartmaxdelay", "restartmaxdelaysec", "maxbackoff"]),
    (
        "sigKillWait",
        &[
            "killtimeout",
            "killafter",
            "killwait",
            "stopwait",
            "stopwaitsecs",
            "stoptimeout",
            "stopgraceperiod",
            "graceperiod",
            "terminationgraceperiodseconds",
            "timeoutstop",
            "timeoutstopsec",
            "shutdowntimeout",
        ],
    ),
    (
        "noRestartOn",
        &[
            "restart",
            "restartpolicy",
            "autorestart",
            "respawn",
            "availability",
            "exitcodes",
            "stopexitcodes",
            "restartpreventexitstatus",
        ],
    ),
    ("success", &["successexitstatus", "successcodes", "successfulexit"]),
    ("stopSignal", &["stopsignal", "killsignal", "shutdownsignal", "termsignal"]),
    ("timeFormat", &["timestamp", "timestamps", "timestampformat", "datefmt", "logdateformat"]),
    ("processes", &["services", "programs", "apps", "containers", "procs"]),
];

/// What to write instead, and for which keys: spelled as above.
const INSTEAD: &[(&str, &[&str])] = &[
    (
        "for another user write cmd: panicmon, and args: [--user, USER, --, PROGRAM]",
        &["user", "username", "uid", "gid", "group", "runas", "runasuser"],
    ),
    (
        "all processes are started at once: let the program wait for what it needs, or fail, and it is started again",
        &["dependson", "depends", "requires", "wants", "needs", "after", "before", "priority", "links"],
    ),
    (
        "the output of all processes goes to stdout and stderr of panicmon: redirect those",
        &[
            "stdoutlogfile",
            "stderrlogfile",
            "redirectstderr",
            "logfile",
            "loglocation",
            "logging",
            "outfile",
            "errorfile",
            "standardoutput",
            "standarderror",
        ],
    ),
    (
        "write the process once for each instance, each with a name of its own",
        &["numprocs", "instances", "replicas", "scale"],
    ),
    (
        "panicmon doesn't probe processes: it starts them again when they end",
        &["healthcheck", "livenessprobe", "readinessprobe", "startupprobe", "watchdog", "watchdogsec"],
    ),
    ("write the variables below env, NAME: VALUE", &["envfile", "environmentfile", "dotenv"]),
    (
        "a process is started again without limit, at most maxWait after its end",
        &["startretries", "maxrestarts", "startlimitburst", "startsecs"],
    ),
    (
        "every process of the file is started: leave out what isn't to run",
        &["autostart", "enabled", "disabled", "profiles"],
    ),
    (
        "no process of a file has the terminal, or stdin: run it alone, panicmon [OPTIONS] COMMAND",
        &["tty", "istty", "stdin", "stdinopen", "interactive", "standardinput"],
    ),
    (
        "write cmd: sh, and args: [-c, 'umask 027; exec PROGRAM'], or the like with ulimit and nice",
        &["umask", "nice", "ulimits", "limits", "rlimits"],
    ),
    (
        "it is for containers, and a process here is none: leave it out",
        &["image", "build", "ports", "expose", "volumes", "volumemounts", "networks", "networkmode"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::pmux::keys::{PROCESS_KEYS, TOP_KEYS};

    #[test]
    fn each_word_means_one_key() {
        let mut seen = std::collections::BTreeSet::new();
        for (known, words) in SYNONYMS.iter().chain(INSTEAD) {
            for word in *words {
                assert!(seen.insert(word), "{word} twice");
                assert_eq!(fold(word).into_iter().collect::<String>(), *word, "it is never found");
                assert!(!PROCESS_KEYS.contains(word) && !TOP_KEYS.contains(word), "{word} is {known}");
            }
        }
    }
}
