// SPDX-License-Identifier: GPL-2.0-only
//! The package sources that this machine is set to: both formats of apt.

use std::fs;
use std::path::Path;

/// One archive that packages come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub uris: Vec<String>,
    pub suites: Vec<String>,
    pub components: Vec<String>,
    /// The keyring, if the source names one.
    pub signed_by: Option<String>,
}

/// Everything below `etc` (/etc/apt) that apt would read.
pub fn of_machine(etc: &Path) -> Vec<Source> {
    let mut files = vec![etc.join("sources.list")];
    if let Ok(folder) = etc.join("sources.list.d").read_dir() {
        files.extend(folder.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let mut sources = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => sources.extend(text.lines().filter_map(one_line)),
            Some("sources") => sources.extend(paragraphs(&text)),
            _ => {}
        }
    }
    sources
}

/// `deb [signed-by=/a arch=amd64] URI SUITE COMPONENT...`
fn one_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let rest = line
        .strip_prefix("deb")?
        .strip_prefix([' ', '\t'])?
        .trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let signed_by = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix("signed-by="));
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Source {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        signed_by: signed_by.map(str::to_owned),
    })
}

/// The deb822 format: paragraphs of fields, a field's later lines start with a space.
fn paragraphs(text: &str) -> Vec<Source> {
    let without_comments: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    without_comments
        .split(|line| line.trim().is_empty())
        .filter_map(paragraph)
        .collect()
}

fn paragraph(lines: &[&str]) -> Option<Source> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            value.push('\n');
            value.push_str(line.trim());
        } else {
            let (name, value) = line.split_once(':')?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let value = |name: &str| {
        fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    };
    let words = |name: &str| -> Vec<String> {
        let value = value(name).map(String::as_str).unwrap_or_default();
        value.split_whitespace().map(str::to_owned).collect()
    };
    let enabled = value("enabled").is_none_or(|value| !value.eq_ignore_ascii_case("no"));
    if !enabled || !words("types").contains(&"deb".to_owned()) {
        return None;
    }
    Some(Source {
        uris: words("uris"),
        suites: words("suites"),
        components: words("components"),
        // A keyring may also stand here as a whole; then the keyring files of the machine must do.
        signed_by: value("signed-by")
            .filter(|value| value.starts_with('/'))
            .cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(uri: &str, suites: &[&str], components: &[&str], key: Option<&str>) -> Source {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Source {
            uris: vec![uri.into()],
            suites: owned(suites),
            components: owned(components),
            signed_by: key.map(str::to_owned),
        }
    }

    #[test]
    fn one_line_sources() {
        assert_eq!(
            one_line("deb [arch=amd64 signed-by=/k.gpg] http://m/debian trixie main contrib # x"),
            Some(source(
                "http://m/debian",
                &["trixie"],
                &["main", "contrib"],
                Some("/k.gpg")
            ))
        );
        assert_eq!(
            one_line("deb http://m/ ./"),
            Some(source("http://m/", &["./"], &[], None))
        );
        for none in [
            "",
            "# deb http://m x main",
            "deb-src http://m x main",
            "deb http://m",
        ] {
            assert_eq!(one_line(none), None, "{none}");
        }
    }

    #[test]
    fn deb822_sources() {
        let text = "\
Types: deb
# a comment
URIs: http://m/debian
Suites: trixie
 trixie-updates
Components: main
Signed-By: /k.gpg

Types: deb-src
URIs: http://m/debian
Suites: trixie

Enabled: no
Types: deb
URIs: http://other
Suites: trixie
";
        assert_eq!(
            paragraphs(text),
            [source(
                "http://m/debian",
                &["trixie", "trixie-updates"],
                &["main"],
                Some("/k.gpg")
            )]
        );
    }

    #[test]
    fn only_what_apt_reads() {
        let etc = tempfile::tempdir().unwrap();
        let folder = etc.path().join("sources.list.d");
        fs::create_dir(&folder).unwrap();
        fs::write(etc.path().join("sources.list"), "deb http://a x main\n").unwrap();
        fs::write(folder.join("b.list"), "deb http://b x main\n").unwrap();
        fs::write(folder.join("c.list.disabled"), "deb http://c x main\n").unwrap();
        let uris: Vec<_> = of_machine(etc.path())
            .into_iter()
            .flat_map(|s| s.uris)
            .collect();
        assert_eq!(uris, ["http://a", "http://b"]);
    }
}
