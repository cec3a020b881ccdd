//! What is read in /proc: stat, status, mountinfo, cgroup. A process can give itself any name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicmon::fuzzing::{memory_files, mount, stat, status};
use panicmon_fuzz::within_limits;

fuzz_target!(|bytes: &[u8]| {
    within_limits(|| {
        if let Some((_, name, ..)) = stat(bytes) {
            assert!(!name.contains(|c: char| c.is_control()), "{name:?}");
        }
        // As the kernel writes it, for a process of this name.
        let name = &bytes[..bytes.len().min(15)];
        let line = [b"77 (", name, b") S 5 6 4 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 9 9\n"].concat();
        let (pid, _, parent, started) = stat(&line).expect("it is a line of stat");
        assert_eq!((pid, parent, started), (77, 5, 4242));

        let text = String::from_utf8_lossy(bytes);
        let (field, signals, _) = status(&text, "SigCgt");
        assert!(field.is_some() || signals.is_none());
        assert!(field.is_none_or(|field| !field.contains('\n') && text.contains(&field)));
        // The kernel writes a newline in a name as \n.
        let named =
            format!("Name:\t{}\nSigPnd:\t0000000000000200\nShdPnd:\t0000000000004000\n", text.replace('\n', "\\n"));
        assert_eq!(status(&named, "SigPnd").2.bits(), 0x4200);

        for line in text.lines() {
            if let Some(parts) = mount(line) {
                assert!(parts.iter().all(|part| line.contains(part) && !part.contains(' ')));
            }
        }
        let (groups, mounts) = text.split_once('\0').unwrap_or((&text, &text));
        assert!(memory_files(groups, mounts).len() <= groups.lines().count());
    });
});
