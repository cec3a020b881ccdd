//! What keys are called elsewhere: in files of docker-compose, process-compose, supervisord, systemd, pm2 and Kubernetes.

use crate::formats::nearest::fold;

/// The key that is meant by another program's, and what is to be said about it.
pub(super) fn synonym(key: &str) -> Option<(&'static str, String)> {
    let folded: String = fold(key).into_iter().collect();
    let (known, _) = SYNONYMS.iter().find(|(_, words)| words.contains(&folded.as_str()))?;
    let advice = match *known {
        "noRestartOn" => {
            "a process is started again after every end, but for those that 'noRestartOn' lists".to_owned()
        }
        known => format!("it is called '{known}' here"),
    };
    Some((known, advice))
}

/// Without regard to case, hyphens and underscores.
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
    ("stopSignal", &["stopsignal", "killsignal", "shutdownsignal", "termsignal"]),
    ("timeFormat", &["timestamp", "timestamps", "timestampformat", "datefmt", "logdateformat"]),
    ("processes", &["services", "programs", "apps", "containers", "procs"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::pmux::{PROCESS_KEYS, TOP_KEYS};

    #[test]
    fn each_word_means_one_key() {
        let mut seen = std::collections::HashSet::new();
        for (known, words) in SYNONYMS {
            for word in *words {
                assert!(seen.insert(word), "{word} twice");
                assert_eq!(fold(word).into_iter().collect::<String>(), *word, "it is never found");
                assert!(!PROCESS_KEYS.contains(word) && !TOP_KEYS.contains(word), "{word} is {known}");
            }
        }
    }
}
