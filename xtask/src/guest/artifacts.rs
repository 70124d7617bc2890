// SPDX-License-Identifier: GPL-2.0-only
//! What a guest hands over on its data port: named texts, kept as files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

pub type Artifacts = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    text: String,
}

/// Reads the lines of the data port. A name may come once: a second text would hide the first.
pub fn parse(lines: &[String]) -> Result<Artifacts> {
    let mut artifacts = Artifacts::new();
    for line in lines {
        let Line { name, text } = serde_json::from_str(line)
            .with_context(|| format!("an artifact of the guest: {line:.80}"))?;
        ensure!(
            !name.is_empty() && name.chars().all(is_plain),
            "an artifact of the guest has the name {name:?}"
        );
        if artifacts.insert(name.clone(), text).is_some() {
            bail!("the guest gave the artifact {name} twice");
        }
    }
    Ok(artifacts)
}

/// Keeps them beside the logs of the run.
pub fn keep(artifacts: &Artifacts, run: &Path) -> Result<()> {
    let dir = run.join("artifacts");
    fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    for (name, text) in artifacts {
        let path = dir.join(format!("{name}.txt"));
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> Result<Artifacts> {
        parse(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn each_name_has_one_text() {
        let artifacts = parse_text("{\"name\":\"a\",\"text\":\"x\\ny\"}").unwrap();
        assert_eq!(artifacts["a"], "x\ny");
        assert!(
            parse_text("{\"name\":\"a\",\"text\":\"\"}\n{\"name\":\"a\",\"text\":\"\"}").is_err()
        );
    }

    #[test]
    fn a_name_is_no_path() {
        assert!(parse_text("{\"name\":\"../a\",\"text\":\"\"}").is_err());
        assert!(parse_text("{\"name\":\"\",\"text\":\"\"}").is_err());
        assert!(parse_text("junk").is_err());
    }
}
