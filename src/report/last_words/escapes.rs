//! Text without its colours.

use memchr::memchr;

/// The escape character (ECMA-48).
const ESC: u8 = 0x1b;

/// Adds a line to `out`, without sequences `ESC [ … m`, which set colours, without one that doesn't end in the line, and without
/// carriage returns at its end.
pub(crate) fn strip(bytes: &[u8], out: &mut Vec<u8>) {
    let before = out.len();
    let mut rest = bytes;
    while let Some(at) = memchr(ESC, rest) {
        out.extend_from_slice(&rest[..at]);
        match colour(&rest[at..]) {
            Some(length) => rest = &rest[at + length..],
            None if is_cut_off(&rest[at..]) => rest = b"",
            None => {
                out.push(ESC);
                rest = &rest[at + 1..];
            }
        }
    }
    out.extend_from_slice(rest);
    while out.len() > before && out.last() == Some(&b'\r') {
        out.pop();
    }
}

/// Whether the bytes are the beginning of a sequence, and nothing else.
fn is_cut_off(bytes: &[u8]) -> bool {
    match bytes {
        [ESC] => true,
        // Parameters and what may follow them; its last byte is a letter or of their like.
        [ESC, b'[', rest @ ..] => rest.iter().all(|byte| matches!(byte, b' '..=b'?' | b'\r')),
        _ => false,
    }
}

/// The length of the sequence that the bytes begin with, if it sets a colour.
fn colour(bytes: &[u8]) -> Option<usize> {
    if bytes.get(1) != Some(&b'[') {
        return None;
    }
    let length = 2 + bytes[2..].iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')).count();
    (bytes.get(length) == Some(&b'm')).then_some(length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out_and_all_else_is_kept() {
        for (bytes, stripped) in [
            (b"\x1b[0m\x1b[1m\x1b[31merror\x1b[0m: Uncaught\r" as &[u8], b"error: Uncaught" as &[u8]),
            (b"a\x1b[38;2;1;2;3mb\x1b[mc", b"abc"),
            (b"a\x1b[2Kb\x1b", b"a\x1b[2Kb"),
            (b"'x\x1b[38;5;\r", b"'x"),
            (b"\x1b[\x1b[31", b"\x1b["),
            (b"50\r100\r\r", b"50\r100"),
            (b"\r", b""),
        ] {
            let mut out = b"\r".to_vec();
            strip(bytes, &mut out);
            assert_eq!(out, [b"\r", stripped].concat());
        }
    }
}
