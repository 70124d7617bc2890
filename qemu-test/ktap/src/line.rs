// SPDX-License-Identifier: GPL-2.0-only
//! What a line of the log is.

/// The versions that there are.
const KTAP: &str = "KTAP version ";
const TAP: &str = "TAP version ";
/// The kernel is at its end, and nothing that follows is a test's.
const ENDS: [&str; 3] = [
    "List of all partitions:",
    "Kernel panic - not syncing: VFS:",
    "reboot: System halted",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// "KTAP version 1"; whether we know it.
    Version(bool),
    /// "# Subtest: name"
    Subtest(&'a str),
    /// "1..3"
    Plan(usize),
    Result(TestResult<'a>),
    /// Anything else is said of the result that follows.
    Diagnostic,
}

/// "not ok 2 - name # SKIP why"
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResult<'a> {
    pub ok: bool,
    pub number: usize,
    pub name: &'a str,
    pub skipped: Option<&'a str>,
}

pub fn classify(line: &str) -> Line<'_> {
    let line = line.trim_start();
    if let Some(version) = line.strip_prefix(KTAP).and_then(number) {
        return Line::Version(version == 1);
    }
    if let Some(version) = line.strip_prefix(TAP).and_then(number) {
        return Line::Version(matches!(version, 13 | 14));
    }
    if let Some(name) = line.strip_prefix("# Subtest: ") {
        return Line::Subtest(name);
    }
    if let Some(rest) = line.strip_prefix("1..") {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
        if let Some(count) = digits.and_then(number) {
            return Line::Plan(count);
        }
    }
    result(line).map_or(Line::Diagnostic, Line::Result)
}

fn result(line: &str) -> Option<TestResult<'_>> {
    let (ok, rest) = match line.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok ")?),
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(end);
    let (name, directive) = match rest.split_once('#') {
        None => (rest, ""),
        // A directive stands by itself.
        Some((name, directive)) => (name.strip_suffix(' ')?, directive.strip_prefix(' ')?),
    };
    let name = name.strip_prefix(' ').unwrap_or(name);
    let name = name.strip_prefix("- ").unwrap_or(name);
    Some(TestResult {
        ok,
        number: number(digits)?,
        name,
        skipped: directive.strip_prefix("SKIP").map(str::trim_start),
    })
}

fn number(text: &str) -> Option<usize> {
    text.parse().ok()
}

/// The lines from the first version on, without what the kernel's log has in front of them.
pub fn ktap_lines(log: &str) -> Vec<&str> {
    let mut prefix = None;
    let mut lines = Vec::new();
    for line in log.lines().map(str::trim_end) {
        prefix = prefix.or_else(|| version_at(line));
        if prefix.is_some() && ENDS.iter().any(|end| line.contains(end)) {
            break;
        }
        if let Some(prefix) = prefix {
            lines.push(line.get(prefix..).unwrap_or_default());
        }
    }
    lines
}

/// Where in the line a version begins, if it does and nothing follows it.
fn version_at(line: &str) -> Option<usize> {
    let at = line.find(KTAP).or_else(|| line.find(TAP))?;
    matches!(classify(&line[at..]), Line::Version(_)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_all_their_forms() {
        let of = |line| match classify(line) {
            Line::Result(result) => Some((result.ok, result.number, result.name, result.skipped)),
            _ => None,
        };
        assert_eq!(of("ok 1 a b"), Some((true, 1, "a b", None)));
        assert_eq!(of("    not ok 2 - c"), Some((false, 2, "c", None)));
        assert_eq!(of("ok 3 d # SKIP why"), Some((true, 3, "d", Some("why"))));
        assert_eq!(of("ok 4 e # ran 2 s"), Some((true, 4, "e", None)));
        assert_eq!(of("ok 5"), Some((true, 5, "", None)));
        assert_eq!(of("ok 6 # SKIP g"), Some((true, 6, "", Some("g"))));
        assert_eq!(of("ok x"), None);
        assert_eq!(of("okay 1 f"), None);
    }

    #[test]
    fn the_rest_is_told_apart() {
        assert_eq!(classify("  KTAP version 1"), Line::Version(true));
        assert_eq!(classify("KTAP version 7"), Line::Version(false));
        assert_eq!(classify("1..3"), Line::Plan(3));
        assert_eq!(classify("1..0 # SKIP nothing"), Line::Plan(0));
        assert_eq!(classify("    # Subtest: s"), Line::Subtest("s"));
        assert_eq!(classify("# failed at line 3"), Line::Diagnostic);
        assert_eq!(classify("1.."), Line::Diagnostic);
    }

    #[test]
    fn the_log_has_a_prefix() {
        let log = "[    0.1] booting\n[    0.2] KTAP version 1\n[    0.3] 1..1\n[    0.4] ok 1 a\n\
                   [    0.5] reboot: System halted\n[    0.6] ok 2 b\n";
        assert_eq!(ktap_lines(log), ["KTAP version 1", "1..1", "ok 1 a"]);
        assert!(ktap_lines("no tests\n").is_empty());
    }
}
