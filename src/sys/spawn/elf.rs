//! What the kernel refuses to execute: a binary, and of which machine, or a text for the shell.

use std::borrow::Cow;

/// How much of a file is looked at: more than the part of an ELF header that is needed, and a long first line.
pub(crate) const FORMAT_BYTES: usize = 256;

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// It may be a script: there is no NUL in its first line. The shells have the same rule.
    Text,
    /// Something else.
    Binary,
    /// It begins as an ELF file, elf(5).
    Elf(ElfHeader),
}

impl Format {
    /// Looks at the first bytes. The child does this between clone and exec: it must not allocate or panic.
    pub(crate) fn of(start: &[u8]) -> Format {
        if start.starts_with(b"\x7fELF") {
            return Format::Elf(ElfHeader::read(start));
        }
        match start.iter().find(|byte| matches!(**byte, b'\0' | b'\n')) {
            Some(b'\0') => Format::Binary,
            _ => Format::Text,
        }
    }
}

/// What an ELF file says of itself; what it is too short for is 0, which means nothing in any of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ElfHeader {
    /// 1: 32 bits, 2: 64 bits.
    class: u8,
    /// 1: little-endian, 2: big-endian.
    data: u8,
    /// A program, an object file, a core dump.
    kind: u16,
    machine: u16,
}

const CLASS_32: u8 = 1;
const LITTLE: u8 = 1;
const BIG: u8 = 2;
const KIND_OBJECT: u16 = 1;
const KIND_CORE: u16 = 4;

impl ElfHeader {
    fn read(start: &[u8]) -> ElfHeader {
        let byte = |at: usize| start.get(at).copied().unwrap_or_default();
        let data = byte(5);
        let half = |at| {
            let bytes = [byte(at), byte(at + 1)];
            if data == BIG { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
        };
        ElfHeader { class: byte(4), data, kind: half(16), machine: half(18) }
    }

    /// All of it in one number.
    pub(crate) fn bits(self) -> u64 {
        u64::from(self.machine) << 32 | u64::from(self.kind) << 16 | u64::from(self.data) << 8 | u64::from(self.class)
    }

    /// The header of that number.
    pub(crate) fn from_bits(bits: u64) -> ElfHeader {
        ElfHeader {
            class: bits as u8,
            data: (bits >> 8) as u8,
            kind: (bits >> 16) as u16,
            machine: (bits >> 32) as u16,
        }
    }

    /// Why this machine doesn't execute it.
    #[cold]
    pub(crate) fn why(self) -> String {
        self.why_not_on(THIS_MACHINE)
    }

    fn why_not_on(self, this: &str) -> String {
        match self.machine_name() {
            Some(name) if name != this => format!("built for {name} (this machine is {this})"),
            _ if self.kind == KIND_OBJECT => "an object file, not yet a program: link it".to_owned(),
            _ if self.kind == KIND_CORE => "a core dump, not a program".to_owned(),
            _ => "an ELF file that is damaged: was it copied completely?".to_owned(),
        }
    }

    /// The machine as uname(1) calls it, if the file is long enough to say.
    fn machine_name(self) -> Option<Cow<'static, str>> {
        let is_32 = self.class == CLASS_32;
        // The name, and the byte order that goes without saying.
        let (name, order) = match self.machine {
            0 => return None,
            3 => ("i386", LITTLE),
            8 if is_32 => ("mips", BIG),
            8 => ("mips64", BIG),
            20 => ("powerpc", BIG),
            21 if self.data == LITTLE => ("powerpc64le", LITTLE),
            21 => ("powerpc64", BIG),
            22 if is_32 => ("s390", BIG),
            22 => ("s390x", BIG),
            40 => ("arm", LITTLE),
            43 => ("sparc64", BIG),
            62 if is_32 => ("x32", LITTLE),
            62 => ("x86_64", LITTLE),
            183 if is_32 => ("aarch64 with 32 bits", LITTLE),
            183 => ("aarch64", LITTLE),
            243 if is_32 => ("riscv32", LITTLE),
            243 => ("riscv64", LITTLE),
            258 if is_32 => ("loongarch32", LITTLE),
            258 => ("loongarch64", LITTLE),
            other => return Some(format!("ELF machine {other}").into()),
        };
        Some(match self.data {
            data if data == order => name.into(),
            LITTLE => format!("little-endian {name}").into(),
            BIG => format!("big-endian {name}").into(),
            _ => return None,
        })
    }
}

const THIS_MACHINE: &str =
    if cfg!(all(target_arch = "powerpc64", target_endian = "little")) { "powerpc64le" } else { std::env::consts::ARCH };

#[cfg(test)]
mod tests {
    use super::*;

    fn header(class: u8, data: u8, kind: u16, machine: u16) -> ElfHeader {
        let mut start = b"\x7fELF".to_vec();
        start.extend([class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for half in [kind, machine] {
            start.extend(if data == BIG { half.to_be_bytes() } else { half.to_le_bytes() });
        }
        match Format::of(&start) {
            Format::Elf(read) => {
                assert_eq!(ElfHeader::from_bits(read.bits()), read);
                read
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_text_has_no_nul_in_its_first_line() {
        for (start, format) in [
            (&b""[..], Format::Text),
            (b"echo hi", Format::Text),
            (b"echo hi\n\0\0", Format::Text),
            (b"\n\0", Format::Text),
            (b"\xff\xfe", Format::Text),
            (b"\x7fEL", Format::Text),
            (b"echo\0hi\n", Format::Binary),
            (b"\0asm\x01\0\0\0", Format::Binary),
            (b"MZ\x90\0", Format::Binary),
            (b"\x7fELF", Format::Elf(ElfHeader::default())),
        ] {
            assert_eq!(Format::of(start), format, "{start:?}");
        }
    }

    #[test]
    fn what_a_file_is_built_for_is_told() {
        for (header, why) in [
            (header(2, 1, 3, 183), "built for aarch64 (this machine is x86_64)"),
            (header(2, 2, 3, 183), "built for big-endian aarch64 (this machine is x86_64)"),
            (header(1, 1, 2, 183), "built for aarch64 with 32 bits (this machine is x86_64)"),
            (header(1, 1, 3, 3), "built for i386 (this machine is x86_64)"),
            (header(1, 1, 2, 40), "built for arm (this machine is x86_64)"),
            (header(1, 1, 2, 62), "built for x32 (this machine is x86_64)"),
            (header(2, 2, 3, 62), "built for big-endian x86_64 (this machine is x86_64)"),
            (header(2, 2, 3, 22), "built for s390x (this machine is x86_64)"),
            (header(2, 1, 3, 21), "built for powerpc64le (this machine is x86_64)"),
            (header(2, 2, 3, 21), "built for powerpc64 (this machine is x86_64)"),
            (header(2, 1, 3, 8), "built for little-endian mips64 (this machine is x86_64)"),
            (header(1, 1, 3, 243), "built for riscv32 (this machine is x86_64)"),
            (header(2, 1, 3, 4660), "built for ELF machine 4660 (this machine is x86_64)"),
            (header(2, 1, 1, 183), "built for aarch64 (this machine is x86_64)"),
            (header(2, 1, 1, 62), "an object file, not yet a program: link it"),
            (header(2, 1, 4, 62), "a core dump, not a program"),
            (header(2, 1, 3, 62), "an ELF file that is damaged: was it copied completely?"),
            (header(2, 7, 3, 62), "an ELF file that is damaged: was it copied completely?"),
            (ElfHeader::default(), "an ELF file that is damaged: was it copied completely?"),
        ] {
            assert_eq!(header.why_not_on("x86_64"), why, "{header:?}");
        }
    }

    /// The test program itself is of this machine.
    #[test]
    fn this_machine_is_known_by_name() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        let Format::Elf(header) = Format::of(&own[..FORMAT_BYTES]) else { panic!("no ELF file") };
        assert_eq!(header.machine_name().as_deref(), Some(THIS_MACHINE));
    }
}
