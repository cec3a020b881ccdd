//! What people write into a file of processes, and what keeps one of them from being started.

use crate::support::{
    PROBE, Running, Scratch, outcome, output, panicmon, status_field, wait_for, with_one_pipe, write_program,
};
use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that every user may look into, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("panicmon-files-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Folder(path)
    }

    /// The path of what is, or will be, in it.
    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, content: &[u8], mode: u32) -> String {
        let path = self.path(name);
        write_program(path.as_ref(), content, mode);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(file: &Scratch) -> Command {
    let mut command = Command::new(panicmon());
    // A folder that this user can't search might have any command in it.
    command.arg("--config").arg(&file.0).env("PATH", "/usr/bin:/bin");
    command
}

fn start(file: &Scratch) -> Running {
    Running::start(with_one_pipe(&run(file)))
}

/// The next line with this in it, before long: what is started again and again says something without end.
pub fn line_with(running: &mut Running, part: &str) -> String {
    let mut seen = Vec::new();
    while seen.len() < 10_000
        && let Some(line) = running.line()
    {
        if line.contains(part) {
            return line;
        }
        seen.push(line);
    }
    seen.truncate(20);
    panic!("no line with '{part}', but {seen:?} ...")
}

#[test]
fn a_wait_may_be_a_number_of_seconds_or_of_days() {
    for (written, spelled) in [("3600", "1h0m0s"), ("5400.5", "1h30m0.5s"), ("1d", "24h0m0s"), (".5h", "30m0s")] {
        let file = Scratch::new(&format!("processes:\n- {{cmd: 'false', minWait: {written}}}\n"));
        let mut running = start(&file);
        let line = line_with(&mut running, "will restart");
        assert_eq!(line, format!("false ~ will restart process in {spelled}"));
        running.kill(libc::SIGTERM);
        assert_eq!(running.code(), 0);
    }
}

#[test]
fn what_can_not_be_executed_ends_as_with_env() {
    let folder = Folder::new();
    let busy = folder.file("busy", &fs::read(PROBE).unwrap(), 0o755);
    let _writer = OpenOptions::new().write(true).open(&busy).unwrap();
    folder.file("plain", b"exit 3", 0o644);
    symlink("loop", folder.path("loop")).unwrap();
    symlink("nowhere", folder.path("dangling")).unwrap();
    fs::create_dir(folder.path("unsearchable")).unwrap();
    folder.file("unsearchable/it", b"exit 3", 0o755);
    fs::set_permissions(folder.path("unsearchable"), Permissions::from_mode(0o644)).unwrap();
    let (long, too_long) = ("x".repeat(300), format!("./{}", "x/".repeat(3_000)));
    for word in [
        "",
        "./",
        "/",
        "./nowhere",
        "./dangling",
        "./loop",
        "./plain",
        "./plain/",
        "./plain/it",
        "./nowhere/it",
        "./busy",
        "./unsearchable/it",
        "nowhere",
        long.as_str(),
        &format!("./{long}"),
        &too_long,
    ] {
        let end = |program: &str| output(Command::new(program).args(["--", word]).current_dir(&folder.0));
        let (code, out, err) = end(&panicmon());
        assert_eq!((code, out.as_str()), (end("env").0, ""), "{word}: {err}");
        assert!(code == Some(3) || err.starts_with("panicmon: "), "{word}: {err}");
    }
    fs::set_permissions(folder.path("unsearchable"), Permissions::from_mode(0o755)).unwrap();
}

/// As the shells have it, other than env(1): a file among the folders of `PATH` is passed over.
#[test]
fn a_file_in_path_is_no_reason() {
    for path in ["/etc/passwd", "/etc/passwd:/nowhere", "/nowhere:/etc/passwd"] {
        let (code, _, err) = output(Command::new(panicmon()).arg("no-such-command").env("PATH", path));
        assert_eq!(code, Some(127));
        assert_eq!(err, format!("panicmon: no-such-command: command not found in PATH={path}\n"));
    }
}

#[test]
fn a_binary_the_kernel_refuses_is_no_shell_script() {
    let folder = Folder::new();
    let own = fs::read(PROBE).unwrap();
    let with = |at: usize, half: u16| {
        let mut bytes = own.clone();
        bytes[at..at + 2].copy_from_slice(&half.to_ne_bytes());
        bytes
    };
    let script = b"\necho started\n";
    for (content, told) in [
        // No kernel, and no emulator of its, runs this.
        (&with(18, 4660)[..], "built for ELF machine 4660 (this machine is "),
        (&with(16, 1), "an object file, not yet a program: link it"),
        (&own[..40], "an ELF file that is damaged: was it copied completely?"),
        (&own[..200], "an ELF file that is damaged: was it copied completely?"),
        (&[b"\x7fELF", &script[..]].concat(), "an ELF file that is damaged: was it copied completely?"),
        (&[b"\0asm", &script[..]].concat(), "neither a program of this machine nor a script"),
        (&[b"# \0", &script[..]].concat(), "neither a program of this machine nor a script"),
    ] {
        let file = folder.file("it", content, 0o755);
        let in_path = format!("/nowhere:{}", folder.0.display());
        for (word, path) in [(file.as_str(), "/usr/bin:/bin"), ("it", &in_path)] {
            let (code, out, err) = output(Command::new(panicmon()).arg(word).env("PATH", path));
            assert_eq!((code, out.as_str()), (Some(126), ""), "{told}: {err}");
            let told = format!("panicmon: {file}: can't be executed: exec format error: {told}");
            assert!(err.starts_with(&told) && err.lines().count() == 1, "{err}");
        }
    }
}

#[test]
fn a_script_without_an_interpreter_may_hold_bytes_of_a_binary_later() {
    let folder = Folder::new();
    for (content, out) in
        [(&b"echo started; exit\n\0\0\x7fELF"[..], "started\n"), (b"#!\necho started\n", "started\n"), (b"", "")]
    {
        let file = folder.file("it", content, 0o755);
        assert_eq!(output(Command::new(panicmon()).arg(&file)), (Some(0), out.to_owned(), String::new()));
    }
}

#[test]
fn a_script_without_an_interpreter_that_can_not_be_read_is_126() {
    let folder = Folder::new();
    let file = folder.file("it", b"echo started\n", 0o111);
    let mut command = Command::new(panicmon());
    if nix::unistd::geteuid().is_root() {
        // Root may read it.
        command.args(["--user", "65534:65534"]);
    }
    let (code, out, err) = output(command.arg(&file));
    assert_eq!((code, out.as_str()), (Some(126), ""), "{err}");
    assert!(err.contains("as it can't be read, no shell can run it"), "{err}");
}

/// In a file a binary of another machine is tried again like anything else; and each time it is said why.
#[test]
fn a_process_that_is_built_for_another_machine_says_so() {
    let folder = Folder::new();
    let mut content = fs::read(PROBE).unwrap();
    content[18..20].copy_from_slice(&4660_u16.to_ne_bytes());
    let cmd = folder.file("it", &content, 0o755);
    let file = Scratch::new(&format!("processes:\n- {{cmd: '{cmd}', minWait: 1ms, maxWait: 1ms}}\n"));
    let mut running = start(&file);
    for _ in 0..3 {
        let line = line_with(&mut running, "exit code -1");
        assert!(line.contains("exec format error: built for ELF machine 4660"), "{line}");
    }
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0);
}

#[test]
fn a_directory_that_comes_later_is_waited_for() {
    let folder = Folder::new();
    let dir = folder.path("volume");
    let file = Scratch::new(&format!(
        "processes:\n- {{name: a, cmd: pwd, dir: {dir}, minWait: 20ms, maxWait: 20ms, noRestartOn: [0]}}\n"
    ));
    let mut running = start(&file);
    for _ in 0..3 {
        let line = line_with(&mut running, "exit code -1");
        assert_eq!(
            line,
            format!(
                "a    ~ exit code -1, can't change to the working directory {dir}: No such file or directory (os error 2)"
            )
        );
        assert!(running.line().unwrap().starts_with("a    ~ will restart process in "));
    }
    fs::create_dir(&dir).unwrap();
    assert_eq!(line_with(&mut running, "›"), format!("a    › {dir}"));
    assert_eq!(running.code(), 0);
}

#[test]
fn arguments_in_the_word_of_the_command_are_told() {
    let file = Scratch::new("processes:\n- {cmd: sleep 10, minWait: 1ms, env: {PATH: '/usr/bin:/bin'}}\n");
    let mut running = start(&file);
    for _ in 0..2 {
        let line = line_with(&mut running, "exit code -1");
        assert!(
            line.ends_with(
                "(are its arguments in the same word? Each is a word of its own; in a file, put them in args)"
            ),
            "{line}"
        );
    }
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0);
    let (code, _, err) = output(Command::new(panicmon()).arg("/bin/echo a"));
    assert_eq!(code, Some(127));
    assert!(err.starts_with("panicmon: /bin/echo a: no such file (are its arguments in the same word?"), "{err}");
}

#[test]
fn a_check_warns_of_what_is_not_here() {
    let folder = Folder::new();
    let dir = folder.0.to_str().unwrap().to_owned();
    folder.file("plain", b"", 0o644);
    folder.file("with space", b"", 0o755);
    folder.file("plain with space", b"", 0o644);
    folder.file("it", b"", 0o755);
    let no_where = folder.path("no");
    for (process, told) in [
        ("cmd: sh".to_owned(), None),
        (format!("dir: {dir}\n  cmd: ./it"), None),
        (format!("dir: {dir}\n  cmd: './with space'"), None),
        (format!("cmd: it\n  env: {{PATH: '/nowhere:{dir}'}}"), None),
        // By the directory of the process.
        (format!("cmd: it\n  dir: {dir}\n  env: {{PATH: ''}}"), None),
        ("cmd: no-such-command".to_owned(), Some("2:8: no-such-command: the command 'no-such-command' is in no folder of PATH".to_owned())),
        ("cmd: it\n  env: {PATH: /nowhere}".to_owned(), Some("2:8: it: the command 'it' is in no folder of PATH".to_owned())),
        // It is somewhere, and its arguments aren't the reason.
        (
            format!("dir: {dir}\n  cmd: './plain with space'"),
            Some(
                "3:8: plain with space: the command './plain with space' can't be executed: it is no file with the x bit in a folder that may be searched"
                    .to_owned(),
            ),
        ),
        (format!("cmd: {no_where}"), Some(format!("2:8: no: the command '{no_where}' is not there"))),
        ("cmd: ~/no".to_owned(), Some("2:8: no: the command '~/no' is not there, and '~' and '$' are not expanded: write the whole path".to_owned())),
        ("cmd: sleep 10".to_owned(), Some("2:8: sleep 10: there is no command 'sleep 10': if it has arguments in it, put them in args".to_owned())),
        (format!("dir: {dir}\n  cmd: ./plain"), Some("3:8: plain: the command './plain' can't be executed: it is no file with the x bit in a folder that may be searched".to_owned())),
        (format!("cmd: sh\n  dir: {no_where}"), Some(format!("3:8: sh: the directory '{no_where}' is not there"))),
        ("cmd: sh\n  dir: ~".to_owned() + "/no", Some("3:8: sh: the directory '~/no' is not there, and '~' and '$' are not expanded: write the whole path".to_owned())),
        ("cmd: sh\n  dir: /dev/null".to_owned(), Some("3:8: sh: the directory '/dev/null' is not a directory".to_owned())),
        // What would be in it isn't known.
        (format!("cmd: ./it\n  dir: {no_where}"), Some(format!("3:8: it: the directory '{no_where}' is not there"))),
    ] {
        let file = Scratch::new(&format!("processes:\n- {process}\n"));
        let shown = file.0.display().to_string();
        let (code, out, err) = output(run(&file).arg("--check"));
        assert_eq!((code, out), (Some(0), format!("{shown}: good: 1 process\n")), "{process}: {err}");
        let expected = told.map_or(String::new(), |told| format!("panicmon: warning: {shown}:{told}\n"));
        assert_eq!(err, expected, "{process}");
        assert_eq!(output(run(&file).args(["--check", "-q"])).2, "");
    }
}

/// Runs it with this on its stdin, which ends behind it.
fn with_stdin(command: &mut Command, text: &str) -> (Option<i32>, String, String) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = outcome(child);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_file_may_come_by_stdin() {
    let script = "readlink /proc/self/fd/0 /proc/$PPID/fd/0";
    let text = format!("processes:\n- {{name: a, cmd: sh, args: [-c, '{script}'], noRestartOn: [0]}}\n");
    let by_variable = [("PANICMON_CONFIG", "-")];
    for (words, variables) in
        [(&["--config", "-"][..], &[][..]), (&["-c-"], &[]), (&["--config=-"], &[]), (&[], &by_variable)]
    {
        let mut command = Command::new(panicmon());
        let (code, out, err) = with_stdin(command.args(words).envs(variables.iter().copied()), &text);
        // Neither the process nor panicmon has it any more.
        assert_eq!((code, out.as_str()), (Some(0), "a    › /dev/null\na    › /dev/null\n"), "{words:?}: {err}");
    }
    let checked = |text: &str| with_stdin(Command::new(panicmon()).args(["--check", "-c", "-"]), text);
    assert_eq!(checked(&text), (Some(0), "stdin: good: 1 process\n".to_owned(), String::new()));
    let (code, _, err) = checked("processes:\n- cmd: sh\n  cwd: /\n");
    assert_eq!((code, err.as_str()), (Some(125), "panicmon: stdin:3:3: unknown key 'cwd': it is called 'dir' here\n"));
    let mut closed = Command::new("sh");
    closed.args(["-c", "exec \"$@\" <&-", "sh"]).args([
        OsStr::new(&panicmon()),
        OsStr::new("--config"),
        OsStr::new("-"),
    ]);
    assert_eq!(output(&mut closed), (Some(125), String::new(), "panicmon: stdin: it is closed\n".to_owned()));
}

#[test]
fn reading_stdin_can_be_interrupted() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let mut child = Command::new(panicmon()).args(["--config", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"processes:\n").unwrap();
        let pid = child.id();
        wait_for("it to wait for the rest", || status_field(pid, "State")?.starts_with('S').then_some(()));
        crate::sys::kill(pid, signal).unwrap();
        let output = outcome(child);
        assert_eq!(output.status.signal(), Some(signal));
        drop(stdin);
    }
}
