// SPDX-License-Identifier: GPL-2.0-only
//! What our files take, written down a second time: from the documentation, and apart from the code.

/// sysfs hands over no more of a write at once (PAGE_SIZE).
pub const PAGE: usize = 4096;

/// What a CPU's file `isolated` takes: the spelling of a boolean, whatever follows it.
pub fn boolean(text: &[u8]) -> Option<bool> {
    match text {
        [b'1' | b'y' | b'Y' | b't' | b'T' | b'e' | b'E', ..] => Some(true),
        [b'0' | b'n' | b'N' | b'f' | b'F' | b'd' | b'D', ..] => Some(false),
        [b'o' | b'O', b'n' | b'N', ..] => Some(true),
        [b'o' | b'O', b'f' | b'F', ..] => Some(false),
        _ => None,
    }
}

/// What the module's file `cpumask` takes on a machine with up to 32 possible CPUs: one line with one
/// group of hex digits, between commas and blanks. Some of the CPUs must be there, and no other ones.
pub fn mask(text: &[u8], cpus: u32) -> Option<u64> {
    if text.contains(&0) {
        return None;
    }
    let line = text.split(|&byte| byte == b'\n').next()?;
    let mut groups = line.split(|&byte| is_between(byte));
    let mut groups = groups.by_ref().filter(|group| !group.is_empty());
    let (group, None) = (groups.next()?, groups.next()) else {
        return None;
    };
    let is_group = group.len() <= 8 && group.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(group).ok().filter(|_| is_group)?;
    let mask = u64::from_str_radix(digits, 16).ok()?;
    (mask != 0 && mask >> cpus == 0).then_some(mask)
}

/// A comma, or a blank as the kernel's isspace() knows them: that of Latin-1, too.
fn is_between(byte: u8) -> bool {
    matches!(byte, b',' | b'\t' | 0x0b | 0x0c | b'\r' | b' ' | 0xa0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_have_a_beginning() {
        for (text, value) in [("1", true), ("yes\n", true), ("oN", true), ("Off", false)] {
            assert_eq!(boolean(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["", "\n", "2", " 1", "o", "o\n", "\x001", "isolated"] {
            assert_eq!(boolean(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn masks_are_one_group() {
        for (text, value) in [
            ("f", 15),
            ("00000003\n", 3),
            (" ,2, \nxyz", 2),
            ("\u{b}1", 1),
        ] {
            assert_eq!(mask(text.as_bytes(), 4), Some(value), "{text}");
        }
        for text in [
            "",
            "\n3",
            "0",
            "10",
            "000000003",
            "0,3",
            "3 3",
            "0x3",
            "3\0",
            "-1",
            "all",
        ] {
            assert_eq!(mask(text.as_bytes(), 4), None, "{text}");
        }
    }
}
