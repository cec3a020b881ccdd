//! `-h`, a screen with the options that most people need, and `--help`, from the table of the options.

use super::flag::Flag;
use super::flags::FLAGS;
use super::text_flags::all_flags;
use std::fmt::Write;

/// The most columns that a text has on any terminal: longer lines are hard to read.
const MOST_COLUMNS: usize = 100;
/// The least: words are longer than a narrower terminal.
const LEAST_COLUMNS: usize = 40;
/// The least for a text beside an option, and not below it.
const LEAST_BESIDE: usize = 50;

/// How far a text below an option is indented, and how far on a narrow terminal.
const INDENT: usize = 10;
const NARROW_INDENT: usize = 6;

/// A space at which no line ends, unless it is too short.
const KEPT_SPACE: char = '\u{a0}';

pub(crate) const ABOUT: &str =
    "Runs a command, forwards every signal to it, reaps orphaned processes, and exits as the command did.";
pub(crate) const USAGE: [&str; 2] = ["panicmon [OPTIONS] [--] COMMAND [ARG]...", "panicmon [OPTIONS] --config FILE"];
const WORDS: &str = "Options end at the first word that isn't one.";
const VARIABLES: &str = "Each option has the variable that stands behind it; the command line wins. PANICMON_LOG filters the log as \
                         env_logger's RUST_LOG does.";
const STATUS: &str = "Exit status: the command's own; 128+N if signal N ended it; 125 if panicmon itself fails or is called \
                      wrongly, 126 if the command can't be executed, 127 if it isn't found.";
const MORE: &str =
    "--help has the others and examples, --man prints the manual, --doctor says which promises hold here.";

/// A command line, and what it does. The man page has the same.
pub(crate) const EXAMPLES: [(&str, &str); 6] = [
    ("panicmon -- myserver --port 8080", "the init of a container"),
    ("panicmon --user www --kill-after 10s -- myserver", "as another user; killed if a stop takes longer"),
    ("panicmon --delay TERM=5s --drain 10s -- myserver", "a load balancer sees the stop first; nothing is left"),
    ("panicmon --restart on-failure --max-wait 30s -- myserver", "started again when it fails"),
    ("panicmon --exit requested=0,oom=99 -- myserver", "a stop is a success, and a lack of memory has its own status"),
    ("panicmon --report /var/crash --stderr-tail 64K -- myserver", "a certificate of each abnormal end"),
];

/// How a text is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    columns: usize,
    is_coloured: bool,
}

impl Page {
    pub(crate) fn new(columns: usize, is_coloured: bool) -> Page {
        Page { columns: columns.clamp(LEAST_COLUMNS, MOST_COLUMNS), is_coloured }
    }

    fn heading(self, text: &str) -> String {
        if self.is_coloured { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn option(self, text: &str) -> String {
        if self.is_coloured { format!("\x1b[36m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// The text in lines that fit, those after the first indented.
    fn wrapped(self, text: &str, indent: usize) -> String {
        self.broken(text, indent, indent, "")
    }

    /// The same for a line that begins at this column; its lines end with this, but for the last.
    fn broken(self, text: &str, begins: usize, indent: usize, end: &str) -> String {
        let mut lines = String::new();
        let mut column = begins;
        let mut is_first = true;
        let most = self.columns - end.len();
        let fits = |word: &str| indent + word.chars().count() <= most;
        let words = text.split(' ').flat_map(|word| {
            let is_too_long = !fits(word);
            word.split(move |c| is_too_long && c == KEPT_SPACE)
        });
        for word in words {
            let width = word.chars().count();
            if !is_first && column + 1 + width > most {
                let _ = write!(lines, "{end}\n{:indent$}", "");
                (column, is_first) = (indent, true);
            }
            if !is_first {
                lines.push(' ');
                column += 1;
            }
            lines.extend(word.chars().map(|c| if c == KEPT_SPACE { ' ' } else { c }));
            (column, is_first) = (column + width, false);
        }
        lines
    }

    /// A text below an option.
    fn below(self, text: &str) -> String {
        let indent = if self.columns < LEAST_BESIDE + INDENT { NARROW_INDENT } else { INDENT };
        format!("{:indent$}{}", "", self.wrapped(text, indent))
    }

    /// A command line, which can be copied whole.
    fn line(self, text: &str) -> String {
        self.broken(text, 2, NARROW_INDENT, " \\")
    }

    fn usage(self) -> String {
        let start = self.heading("Usage:");
        let [one, several] = USAGE.map(|usage| self.broken(usage, 7, 9, ""));
        format!("{}\n\n{start} {one}\n       {several}\n", self.wrapped(ABOUT, 0))
    }
}

/// An option as it is typed, with the name of its value.
fn typed(flag: &Flag) -> String {
    let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
    let value = flag.value.map(|value| format!(" {value}")).unwrap_or_default();
    format!("{short}--{}{value}", flag.long)
}

/// What `-h` prints.
#[cold]
pub(crate) fn screen(page: Page) -> String {
    let options = || FLAGS.iter().filter(|flag| !flag.brief.is_empty());
    let widest = options().map(|flag| typed(flag).len()).max().unwrap_or(0);
    let mut text = page.usage();
    text.push('\n');
    for flag in options() {
        let (typed, brief) = (typed(flag), flag.brief);
        if page.columns < widest + LEAST_BESIDE {
            let _ = writeln!(text, "  {}\n{}", page.option(&typed), page.below(brief));
            continue;
        }
        let gap = widest - typed.len() + 2;
        let brief = page.wrapped(brief, widest + 4);
        let _ = writeln!(text, "  {}{:gap$}{brief}", page.option(&typed), "");
    }
    for more in [format!("{WORDS} {MORE}").as_str(), STATUS] {
        let _ = write!(text, "\n{}\n", page.wrapped(more, 0));
    }
    text
}

/// What `--help` prints.
#[cold]
pub(crate) fn full(page: Page) -> String {
    let mut text = page.usage();
    let _ = write!(text, "\n{}\n", page.wrapped(&format!("{WORDS} {VARIABLES}"), 0));
    let mut heading = "";
    for flag in all_flags() {
        if flag.heading != heading {
            heading = flag.heading;
            let _ = write!(text, "\n{}\n", page.heading(&format!("{heading}:")));
        }
        let described = flag.described().replace("[env: ", &format!("[env:{KEPT_SPACE}"));
        let _ = writeln!(text, "  {}\n{}", page.option(&typed(flag)), page.below(&described));
    }
    let _ = write!(text, "\n{}\n\n{}\n", page.wrapped(STATUS, 0), page.heading("Examples:"));
    for (line, what) in EXAMPLES {
        let _ = writeln!(text, "  {}\n{}", page.option(&page.line(line)), page.below(what));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap()
    }

    #[test]
    fn the_short_help_is_one_screen_with_ten_options() {
        let text = screen(Page::new(80, false));
        assert!(text.lines().count() < 24 && widest(&text) <= 80, "{text}");
        let options = text.lines().filter(|line| line.starts_with("  ") && line.trim_start().starts_with('-'));
        assert_eq!(options.count(), 10, "{text}");
        for more in ["--help", "--man", "--doctor"] {
            assert!(text.contains(more), "{more}: {text}");
        }
    }

    #[test]
    fn all_is_as_wide_as_the_terminal_allows() {
        let narrow = (40..60).map(|columns| (columns, columns));
        for (columns, most) in narrow.chain([(60, 60), (80, 80), (100, 100), (200, 100), (0, 40)]) {
            let page = Page::new(columns, false);
            for text in [screen(page), full(page)] {
                for line in text.lines() {
                    assert!(line.chars().count() <= most, "{columns}: {line}");
                    assert!(!line.ends_with(' ') && !line.contains(KEPT_SPACE), "{columns}: {line}");
                }
            }
        }
        assert!(widest(&full(Page::new(100, false))) > 90);
    }

    /// An example on a narrow terminal is one command line of a shell all the same.
    #[test]
    fn a_broken_command_line_can_be_copied() {
        let text = full(Page::new(40, false));
        for (line, _) in EXAMPLES {
            assert!(text.replace(" \\\n      ", " ").contains(&format!("  {line}\n")), "{line}: {text}");
        }
        assert!(text.contains(" \\\n"));
        assert!(!full(Page::new(80, false)).contains('\\'));
    }

    #[test]
    fn each_group_is_there_once_with_its_options() {
        let text = full(Page::new(80, false));
        let headings: Vec<_> = text.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ')).collect();
        let groups =
            ["Command:", "Signals:", "Ending:", "Restarts:", "Output:", "Reports:", "Several processes:", "General:"];
        assert_eq!(headings, [&groups[..], &["Examples:"]].concat());
        for flag in all_flags() {
            assert_eq!(text.lines().filter(|line| *line == format!("  {}", typed(flag))).count(), 1, "{}", flag.long);
        }
        assert_eq!(text.matches("...").count(), 1, "only after [ARG]: {text}");
    }

    #[test]
    fn colours_change_nothing_but_the_colours() {
        for text in [screen, full] {
            let (plain, coloured) = (text(Page::new(80, false)), text(Page::new(80, true)));
            assert!(!plain.contains('\x1b'));
            let stripped =
                ["\x1b[1m", "\x1b[36m", "\x1b[0m"].iter().fold(coloured.clone(), |text, code| text.replace(code, ""));
            assert!(coloured != plain && stripped == plain);
        }
    }
}
