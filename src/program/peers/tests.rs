use super::getopt::{Item, Syntax, read};
use super::peer::{Asked, Line};
use super::table::{PEERS, named};
use super::wishes::Wishes;
use crate::model::signal::Signal;
use crate::program::options::settings::Settings;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;

fn words(words: &[&str]) -> Vec<&'static CStr> {
    let leak = |word: &str| &*Box::leak(std::ffi::CString::new(word).unwrap().into_boxed_c_str());
    words.iter().map(|word| leak(word)).collect()
}

const SYNTAX: Syntax = Syntax { short: "ab:c", long: &[("all", 'a'), ("alter", 'c'), ("by", 'b')], permutes: false };

/// The options in one word each, and the words that are none.
fn shown(syntax: &Syntax, line: &[&str]) -> (Vec<String>, Vec<String>) {
    let given = read(syntax, OsStr::new("p"), &words(line));
    let item = |item: &Item| match item {
        Item::Option(letter, None) => letter.to_string(),
        Item::Option(letter, Some(value)) => format!("{letter}={}", value.display()),
        Item::Wrong(why) => why.clone(),
    };
    let operand = |word: &&CStr| OsStr::from_bytes(word.to_bytes()).display().to_string();
    (given.items.iter().map(item).collect(), given.operands.iter().map(operand).collect())
}

#[test]
fn words_are_read_as_getopt_reads_them() {
    let permuting = Syntax { permutes: true, ..SYNTAX };
    let short = Syntax { long: &[], ..SYNTAX };
    for (syntax, line, options, operands) in [
        (&SYNTAX, &["-a", "x", "-a"] as &[&str], &["a"] as &[&str], &["x", "-a"] as &[&str]),
        (&permuting, &["-a", "x", "-a"], &["a", "a"], &["x"]),
        (&permuting, &["x", "-ca", "--", "-a", "--"], &["c", "a"], &["x", "-a", "--"]),
        (&SYNTAX, &["x", "--", "-a"], &[], &["x", "--", "-a"]),
        (&SYNTAX, &["-abx", "y"], &["a", "b=x"], &["y"]),
        (&SYNTAX, &["-ab", "x", "y"], &["a", "b=x"], &["y"]),
        (&SYNTAX, &["-b", "--", "y"], &["b=--"], &["y"]),
        (&SYNTAX, &["-b", "", "y"], &["b="], &["y"]),
        (&permuting, &["y", "-b", "x", "z"], &["b=x"], &["y", "z"]),
        (&SYNTAX, &["-", "-a"], &[], &["-", "-a"]),
        (&SYNTAX, &["", "-a"], &[], &["", "-a"]),
        (&SYNTAX, &["--all", "--by=x", "--by", "y", "--by=", "z"], &["a", "b=x", "b=y", "b="], &["z"]),
        (&SYNTAX, &["--alt", "--b=x", "z"], &["c", "b=x"], &["z"]),
        (&SYNTAX, &["-ab"], &["a", "p: option requires an argument -- 'b'"], &[]),
        (&SYNTAX, &["-a:", "x"], &["a", "p: invalid option -- ':'"], &["x"]),
        (&SYNTAX, &["-ax", "y"], &["a", "p: invalid option -- 'x'"], &["y"]),
        (&SYNTAX, &["--by"], &["p: option '--by' requires an argument"], &[]),
        (&SYNTAX, &["--all=1"], &["p: option '--all' doesn't allow an argument"], &[]),
        (&SYNTAX, &["--al"], &["p: option '--al' is ambiguous; possibilities: '--all' '--alter'"], &[]),
        (&SYNTAX, &["--no=1"], &["p: unrecognized option '--no'"], &[]),
        (&short, &["--all"], &["p: invalid option -- '-'"], &[]),
    ] {
        let (given, rest) = shown(syntax, line);
        assert_eq!(
            (given, rest),
            (options.iter().map(|s| (*s).to_owned()).collect(), operands.iter().map(|s| (*s).to_owned()).collect()),
            "{line:?}"
        );
    }
}

#[test]
fn names_are_base_names() {
    for (name, peer) in [
        ("tini", Some("tini")),
        ("/sbin/docker-init", Some("tini")),
        ("./tini-static", Some("tini")),
        ("/run/podman-init", Some("catatonit")),
        ("dumb-init", Some("dumb-init")),
        ("tini/", None),
        ("panicmon", None),
        ("-tini", None),
        ("TINI", None),
        ("", None),
    ] {
        assert_eq!(named(OsStr::new(name)).map(|peer| peer.names[0]), peer, "{name}");
    }
}

fn wishes(name: &str, line: &[&str]) -> Wishes {
    let asked = named(OsStr::new(name)).unwrap().read(&Line { name: OsStr::new(name), words: &words(line), env: &[] });
    let Asked::Run(wishes) = asked else { panic!("{line:?}: {asked:?}") };
    wishes
}

#[test]
fn the_last_rewrite_of_a_signal_counts() {
    let mut settings = Settings::default();
    let line = ["-r", "20:0", "-r", "15:3", "-r", "15:2", "-r", "1:0", "x"];
    wishes("dumb-init", &line).add_to(&mut settings, &[], &|_| false);
    let becomes = |from| settings.rewrites.iter().find(|(signal, _)| *signal == from).map(|(_, to)| *to);
    assert_eq!(becomes(Signal::TERM), Some(Some(Signal::INT)));
    assert_eq!(becomes(Signal::HUP), Some(None));
    assert_eq!(becomes(Signal::TSTP), Some(None));
    assert_eq!(becomes(Signal::TTIN), Some(Some(Signal::STOP)));
    assert_eq!(settings.in_place.as_ref().unwrap().at_end, Some(Signal::INT));
}

/// panicmon's own options and variables win, the negated ones, too.
#[test]
fn what_is_given_otherwise_stays() {
    let mut settings = Settings { variables: vec!["PANICMON_GROUP", "PANICMON_QUIET"], ..Settings::default() };
    settings.rewrites = vec![(Signal::TERM, Some(Signal::QUIT))];
    settings.parent_death_signal = Some(Signal::KILL);
    wishes("dumb-init", &["-v", "-r", "15:2", "x"]).add_to(&mut settings, &[], &|long| long == "session");
    assert!(!settings.group && !settings.session);
    assert_eq!(settings.verbosity, Settings::default().verbosity);
    let of_term = settings.rewrites.iter().filter(|(from, _)| *from == Signal::TERM);
    assert_eq!(of_term.collect::<Vec<_>>(), [&(Signal::TERM, Some(Signal::QUIT))]);
    assert_eq!(settings.in_place.as_ref().unwrap().at_end, Some(Signal::QUIT), "to the rest of its group");
    wishes("dumb-init", &["-c", "x"]).add_to(&mut settings, &[], &|_| false);
    assert_eq!(settings.in_place.as_ref().unwrap().at_end, None, "which isn't ended then");
    wishes("tini", &["-p", "SIGTERM", "x"]).add_to(&mut settings, &[], &|_| false);
    assert_eq!(settings.parent_death_signal, Some(Signal::KILL));
}

/// No line makes any of them panic.
#[test]
fn any_line_is_read() {
    let parts =
        ["-", "--", "-e", "-r", "15:", "15:3", "-x", "--v", "--=", "", "a", "-p", "SIG", "-P", "\u{e9}", "-\u{e9}"];
    for peer in PEERS {
        for one in parts {
            for two in parts {
                for three in parts {
                    let _ = peer.read(&Line { name: OsStr::new("x"), words: &words(&[one, two, three]), env: &[] });
                }
            }
        }
    }
}
