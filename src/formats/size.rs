//! Numbers of bytes: `64K`, `1M`, `4096`.

/// The units, by their first letter; each may be followed by `B` or `iB`.
const UNITS: [(&str, u32); 4] = [("", 0), ("K", 10), ("M", 20), ("G", 30)];

/// Reads a number of bytes. The error says what to write.
pub(crate) fn parse(word: &str) -> Result<u64, String> {
    read(word).ok_or_else(|| format!("'{word}' is no size: write bytes, or a number with K, M or G, e.g. 64K"))
}

fn read(word: &str) -> Option<u64> {
    let digits = word.bytes().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = word.split_at(digits);
    let unit = unit.strip_suffix("iB").or_else(|| unit.strip_suffix('B')).unwrap_or(unit);
    let (_, shift) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_1024() {
        for (word, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("64K", 65_536),
            ("64k", 65_536),
            ("64KiB", 65_536),
            ("1MB", 1 << 20),
            ("2G", 2 << 30),
        ] {
            assert_eq!(parse(word), Ok(bytes), "{word}");
        }
        for word in ["", "K", "1.5K", "-1", "1T", "64 K", "99999999999999999999", "99999999999G"] {
            assert!(parse(word).is_err_and(|why| why.contains("e.g. 64K")), "{word}");
        }
    }
}
