//! Command lines, one by one.

use super::{Names, Row, Said, Unusable, end, play, real, refused, row, runs};
use crate::support::output;

const SH: &str = "sh";

/// What tini says of a wrong option, behind its path.
const TINI: &[Row] = &[
    // Options.
    row(&["-s", "--", "echo", "a", "-v"], runs(0, "a -v\n")),
    row(&["-sgw", "--", "echo", "a"], runs(0, "a\n")),
    row(&["-s", "-p", "SIGTERM", "--", "echo", "a"], runs(0, "a\n")),
    row(&["-sp", "SIGKILL", "--", "echo", "a"], runs(0, "a\n")),
    row(&["-spSIGKILL", "--", "echo", "a"], runs(0, "a\n")),
    row(&["-s", "-p", "SIGCHLD", "--", "echo", "a"], runs(0, "a\n")),
    row(&["-p", "TERM", "--", "true"], refused(1, "Not a valid option for -p: TERM\n")),
    row(&["-p", "15", "--", "true"], refused(1, "Not a valid option for -p: 15\n")),
    row(&["-p", "sigterm", "--", "true"], refused(1, "Not a valid option for -p: sigterm\n")),
    row(&["-p", "SIGRTMIN", "--", "true"], refused(1, "Not a valid option for -p: SIGRTMIN\n")),
    row(&["-p", "SIGIO", "--", "true"], refused(1, "Not a valid option for -p: SIGIO\n")),
    row(&["-p"], refused(1, "tini: option requires an argument -- 'p'\n")),
    row(&["-Z", "true"], refused(1, "tini: invalid option -- 'Z'\n")),
    row(&["-sZ", "true"], refused(1, "tini: invalid option -- 'Z'\n")),
    row(&["--help"], refused(1, "tini: invalid option -- '-'\n")),
    row(&["--version", "x"], refused(1, "tini: invalid option -- '-'\n")),
    row(&[], refused(1, "--version")),
    row(&["--"], refused(1, "--version")),
    row(&["-s"], refused(1, "--version")),
    // What is asked of it first counts.
    row(&["-h"], end(0, Said::Has("tini version"), Said::Nothing)),
    row(&["-hZ"], end(0, Said::Has("tini version"), Said::Nothing)),
    row(&["-Zh"], refused(1, "invalid option -- 'Z'")),
    row(&["-l"], end(0, Said::Has("MIT"), Said::Nothing)),
    row(&["--version"], end(0, Said::Has("tini version 0.19.0"), Said::Nothing)),
    // Exit statuses.
    row(&["-s", "--", SH, "-c", "exit 3"], runs(3, "")),
    row(&["-s", "--", SH, "-c", "kill -TERM $$"], runs(143, "")),
    row(&["-s", "--", SH, "-c", "kill -USR1 $$"], runs(138, "")),
    row(&["-s", "--", SH, "-c", "kill -KILL $$"], end(137, Said::Nothing, Said::Has("killed by SIGKILL")))
        .but_theirs(runs(137, ""), "a command that is killed can't tell it: panicmon says so"),
    row(&["-s", "-e", "3", "--", SH, "-c", "exit 3"], runs(0, "")),
    row(&["-s", "-e3", "-e", "4", "--", SH, "-c", "exit 4"], runs(0, "")),
    row(&["-s", "-e", "3", "--", SH, "-c", "exit 4"], runs(4, "")),
    row(&["-s", "-e", "143", "--", SH, "-c", "kill -TERM $$"], runs(0, "")),
    row(&["-s", "-e", "3", "-e", "3", "--", SH, "-c", "exit 3"], runs(0, "")),
    row(&["-s", "-e", "", "--", "true"], runs(0, "")),
    row(&["-s", "-e", " 3", "--", SH, "-c", "exit 3"], runs(0, "")),
    row(&["-s", "-e", "+03", "--", SH, "-c", "exit 3"], runs(0, "")),
    row(&["-e", "256", "--", "true"], refused(1, "Not a valid option for -e: 256\n")),
    row(&["-e", "-1", "--", "true"], refused(1, "Not a valid option for -e: -1\n")),
    row(&["-e", "x", "--", "true"], refused(1, "Not a valid option for -e: x\n")),
    row(&["-e", " ", "--", "true"], refused(1, "Not a valid option for -e:  \n")),
    row(&["-e", "3x", "--", "true"], refused(1, "Not a valid option for -e: 3x\n")),
    row(&["-e"], refused(1, "tini: option requires an argument -- 'e'\n")),
    row(&["-s", "--", "no-such-command"], end(127, Said::Nothing, Said::Has("no-such-command"))),
    row(&["-s", ""], end(127, Said::Nothing, Said::Any)),
    // Options are read behind the program, too, and the first -- goes wherever it stands.
    row(&["echo", "-s", "a", "--", "b"], runs(0, "a b\n")),
    row(&["-s", "echo", "a", "--", "-v", "--", "-g"], runs(0, "a -v -- -g\n")),
    row(&["-s", "--", "echo", "--", "a"], runs(0, "-- a\n")),
    row(&["-s", "echo", "-"], runs(0, "-\n")),
    row(&[SH, "-c", "true"], refused(1, "tini: invalid option -- 'c'\n")),
    row(&["-s", SH, "-c", "exit 3"], runs(3, "")).with(&[("POSIXLY_CORRECT", "1")]),
    // Variables; they are the command's, too.
    row(&["-s", "--", SH, "-c", "echo $TINI_SUBREAPER"], runs(0, "1\n")).with(&[("TINI_SUBREAPER", "1")]),
    row(&["--", SH, "-c", "exit 3"], runs(3, "")).with(&[("TINI_SUBREAPER", "")]),
    row(&["-s", "--", "echo", "a"], end(0, Said::All("a\n"), Said::Has("echo")))
        .with(&[("TINI_VERBOSITY", "2")])
        .but_theirs(end(0, Said::Has("a\n"), Said::Nothing), "tini logs to stdout, among what the command writes"),
    row(&["-sv", "--", "echo", "a"], end(0, Said::All("a\n"), Said::Has("echo")))
        .but_theirs(end(0, Said::Has("a\n"), Said::Nothing), "tini logs to stdout, among what the command writes"),
    row(&["-s", "--", "true"], runs(0, "")).with(&[("TINI_VERBOSITY", "0")]),
    row(&["-svvv", "--", "true"], runs(0, "")).with(&[("TINI_VERBOSITY", "1")]),
    row(&["-svvv", "--", "true"], runs(0, "")).with(&[("TINI_VERBOSITY", "")]),
    // As atoi(3) reads it: -1, which is a very high level; 2; 0.
    row(&["-s", "--", "true"], end(0, Said::Nothing, Said::Has("trace: its arguments")))
        .with(&[("TINI_VERBOSITY", "99999999999999999999")])
        .but_theirs(
            end(0, Said::Has("TRACE tini"), Said::Nothing),
            "tini logs to stdout, among what the command writes",
        ),
    row(&["-s", "--", "true"], end(0, Said::Nothing, Said::Has("info: starting true")))
        .with(&[("TINI_VERBOSITY", " 4294967298x")])
        .but_theirs(
            end(0, Said::Has("INFO  tini"), Said::Nothing),
            "tini logs to stdout, among what the command writes",
        ),
    row(&["-s", "--", "true"], runs(0, "")).with(&[("TINI_VERBOSITY", "-99999999999999999999")]),
    row(&["-s", "--", "true"], runs(0, "")).with(&[("TINI_VERBOSITY", "x")]),
    row(&["--", "true"], runs(0, "")).but_theirs(
        end(0, Said::Nothing, Said::Has("isn't registered as a child subreaper")),
        "panicmon is a subreaper in any case, so there is nothing to warn of",
    ),
];

#[test]
fn tini() {
    play("tini", TINI);
}

/// The same program by other names; the one in Docker's package is tini.
#[test]
fn tini_by_its_other_names() {
    for name in ["tini-static", "docker-init"] {
        play(
            name,
            &[
                row(&["-s", "--", SH, "-c", "exit 3"], runs(3, "")),
                row(&["--version"], end(0, Said::Has("tini version 0.19.0"), Said::Nothing)),
                row(&["-s", "echo", "a", "--", "-v"], runs(0, "a -v\n")),
                row(&["-e", "256", "--", "true"], refused(1, "Not a valid option for -e: 256\n")),
            ],
        );
    }
}

const RANGE: &str = "-r option takes <signum>:<signum>, where <signum> is between 1 and 31.";

const DUMB_INIT: &[Row] = &[
    row(&["echo", "-v", "--", "a"], runs(0, "-v -- a\n")),
    row(&["--", "echo", "--", "a"], runs(0, "-- a\n")),
    row(&["-c", "echo", "-c"], runs(0, "-c\n")),
    row(&["--single-child", "echo"], runs(0, "\n")),
    row(&["--single", "echo"], runs(0, "\n")),
    row(&["-cr15:3", "echo"], runs(0, "\n")),
    row(&["--rewrite=15:3", "--rewrite", "1:0", "echo"], runs(0, "\n")),
    row(&["-r", "15:3x", "echo"], runs(0, "\n")),
    row(&["-r", " 15: 3", "echo"], runs(0, "\n")),
    row(&["-r", "9:15", "echo"], runs(0, "\n")),
    row(&["-r", "15", "true"], refused(1, RANGE)),
    row(&["-r", "15:", "true"], refused(1, RANGE)),
    row(&["-r", "15 :3", "true"], refused(1, RANGE)),
    row(&["-r", "0:15", "true"], refused(1, RANGE)),
    row(&["-r", "15:32", "true"], refused(1, RANGE)),
    row(&["-r", "34:15", "true"], refused(1, RANGE)),
    row(&["-r", "TERM:INT", "true"], refused(1, RANGE)),
    row(&["-r"], refused(1, "dumb-init: option requires an argument -- 'r'\n")),
    row(&["--rewrite"], refused(1, "dumb-init: option '--rewrite' requires an argument\n")),
    row(&["-Z", "true"], refused(1, "dumb-init: invalid option -- 'Z'\n")),
    row(&["--foo", "true"], refused(1, "dumb-init: unrecognized option '--foo'\n")),
    row(&["--v", "true"], refused(1, "dumb-init: option '--v' is ambiguous; possibilities: '--verbose' '--version'\n")),
    row(&["--single-child=1", "true"], refused(1, "dumb-init: option '--single-child' doesn't allow an argument\n")),
    row(&[], refused(1, "Usage: ")),
    row(&["--"], refused(1, "Usage: ")),
    row(&["-c"], refused(1, "Usage: ")),
    row(&["-h"], refused(0, "--single-child")),
    row(&["--help"], refused(0, "--single-child")),
    row(&["-V"], refused(0, "dumb-init v1.2.5")),
    row(&["--vers"], refused(0, "dumb-init v1.2.5")),
    row(&[SH, "-c", "exit 3"], runs(3, "")),
    row(&[SH, "-c", "kill -TERM $$"], runs(143, "")),
    row(&["no-such-command"], refused(2, "no-such-command")),
    row(&["--", "--", "echo"], refused(2, "--")),
    row(&[""], refused(2, "")),
    row(&["-v", "true"], refused(0, "true")).but_theirs(refused(0, "setsid complete"), "the words are panicmon's"),
    row(&["true"], refused(0, "true"))
        .with(&[("DUMB_INIT_DEBUG", "1")])
        .but_theirs(refused(0, "setsid complete"), "the words are panicmon's"),
    row(&["true"], runs(0, "")).with(&[("DUMB_INIT_DEBUG", "0")]),
    row(&[SH, "-c", "echo $DUMB_INIT_SETSID"], runs(0, "0\n")).with(&[("DUMB_INIT_SETSID", "0")]),
];

#[test]
fn dumb_init() {
    play("dumb-init", DUMB_INIT);
}

const CATATONIT: &[Row] = &[
    row(&["--", "echo", "a", "-v"], runs(0, "a -v\n")),
    row(&["-g", "--", "echo", "a"], runs(0, "a\n")),
    row(&["echo", "-g", "--", "a"], runs(0, "a\n")),
    row(&["echo", "a", "-v"], refused(1, "catatonit: invalid option -- 'v'\n")),
    row(&["--", "echo", "--", "a"], runs(0, "-- a\n")),
    row(&["echo", "a", "-v"], runs(0, "a -v\n")).with(&[("POSIXLY_CORRECT", "")]),
    row(&["-Z", "true"], refused(1, "catatonit: invalid option -- 'Z'\n")),
    row(&["--foo", "true"], refused(1, "catatonit: unrecognized option '--foo'\n")),
    row(&["--license"], refused(1, "catatonit: unrecognized option '--license'\n")),
    row(&[], refused(1, "): missing program name\nusage: ")),
    row(&["-g", "--"], refused(1, "): missing program name\nusage: ")),
    row(&["-h"], refused(0, "usage: ")),
    row(&["-V"], end(0, Said::Has("tini version 0.1.7_catatonit"), Said::Nothing)),
    row(&["--version"], end(0, Said::Has("tini version 0.1.7_catatonit"), Said::Nothing)),
    row(&["--vers"], end(0, Said::Has("tini version 0.1.7_catatonit"), Said::Nothing)),
    row(&["-PV"], end(0, Said::Has("tini version 0.1.7_catatonit"), Said::Nothing)),
    row(&["-L"], end(0, Said::Has("licen"), Said::Nothing))
        .but_theirs(end(0, Said::Has("GNU General Public License"), Said::Nothing), "the licence is panicmon's"),
    row(&["--", SH, "-c", "exit 200"], runs(200, "")),
    row(&["--", SH, "-c", "kill -TERM $$"], runs(143, "")),
    row(&["--", "no-such-command"], end(1, Said::Nothing, Said::Any)),
    row(&["--", ""], end(1, Said::Nothing, Said::Any)),
];

#[test]
fn catatonit() {
    play("catatonit", CATATONIT);
}

#[test]
fn podman_init_is_catatonit() {
    play(
        "podman-init",
        &[row(&["--", SH, "-c", "exit 3"], runs(3, "")), row(&["--", "no-such"], refused(1, "no-such"))],
    );
}

/// What can't be executed has that program's status.
#[test]
fn what_cannot_be_executed() {
    let (names, files) = (Names::new(), Unusable::new());
    for (name, plain, lost, other) in [("tini", 126, 127, 1), ("dumb-init", 2, 2, 2), ("catatonit", 1, 1, 1)] {
        for (file, code) in
            [("plain", plain), ("folder", plain), ("lost", lost), ("circle", other), ("plain/below", other)]
        {
            let ours = output(names.command(name).arg("--").arg(files.path(file)));
            assert_eq!((ours.0, ours.1.as_str()), (Some(code), ""), "{name} {file}: {}", ours.2);
            if let Some(mut real) = real(name) {
                assert_eq!(output(real.arg("--").arg(files.path(file))).0, Some(code), "the real {name} {file}");
            }
        }
    }
}
