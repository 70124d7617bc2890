// SPDX-License-Identifier: GPL-2.0-only
//! Kernel configuration: fragments, and whether the final .config has all that they ask for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::exit::{Code, Failure};
use crate::guest::provision::Flavour;

/// The fragments in their order: a later one wins.
const FRAGMENTS: [&str; 3] = ["base", "isolation", "test"];
/// What only a kernel with the series has: Rust, for the module that comes with it.
const SERIES: [&str; 2] = ["rust", "series"];
const DEBUG: &str = "debug";
const FORCE: &str = "force";
const KCSAN: &str = "kcsan";

/// The fragments in the folder `configs` for this flavour; one that is not listed above would be
/// forgotten silently.
pub fn fragments(configs: &Path, flavour: Flavour) -> Result<Vec<PathBuf>> {
    let path = |name: &str| configs.join(format!("{name}.config"));
    for entry in configs
        .read_dir()
        .with_context(|| format!("reading {}", configs.display()))?
    {
        let file = entry?.path();
        let known = FRAGMENTS
            .iter()
            .chain(&SERIES)
            .chain(&[DEBUG, FORCE, KCSAN])
            .any(|name| path(name) == file);
        ensure!(
            known
                || file
                    .extension()
                    .is_none_or(|extension| extension != "config"),
            "{} is not in the list of fragments in xtask/src/kernel/config.rs",
            file.display()
        );
    }
    let mut names = FRAGMENTS.to_vec();
    if flavour != Flavour::Stock {
        names.extend(SERIES);
    }
    match flavour {
        Flavour::Patched | Flavour::Stock => {}
        Flavour::Debug => names.push(DEBUG),
        Flavour::Force => names.extend([DEBUG, FORCE]),
        Flavour::Kcsan => names.push(KCSAN),
    }
    Ok(names.into_iter().map(path).collect())
}

/// The error names each symbol that was asked for and is not in `config`.
pub fn check(config: &Path, fragments: &[PathBuf]) -> Result<()> {
    let got = parse(&read(config)?)?;
    let mut asked = BTreeMap::new();
    for fragment in fragments {
        let text = read(fragment)?;
        let parsed = parse(&text).with_context(|| format!("in {}", fragment.display()))?;
        asked.extend(
            parsed
                .into_iter()
                .map(|(symbol, value)| (symbol, (value, fragment))),
        );
    }
    let lost: Vec<_> = asked
        .iter()
        .filter_map(|(symbol, (wanted, fragment))| {
            let got = got.get(symbol).map_or("n", String::as_str);
            let name = fragment.file_name().unwrap_or_default().to_string_lossy();
            (got != wanted).then(|| format!("{symbol}: {name} wants {wanted}, it is {got}"))
        })
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    let lost = lost.join("\n  ");
    let message = format!(
        "{} has not all that was asked for:\n  {lost}",
        config.display()
    );
    bail!(Failure::new(Code::Build, message))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// Symbols and their values; one that is not set has the value `n`.
fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let mut symbols = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        let unset = line
            .strip_prefix("# ")
            .and_then(|line| line.strip_suffix(" is not set"));
        let (symbol, value) = match (unset, line.split_once('=')) {
            (Some(symbol), _) => (symbol, "n"),
            (None, _) if line.is_empty() || line.starts_with('#') => continue,
            (None, Some(assignment)) => assignment,
            (None, None) => bail!("`{line}` sets no symbol"),
        };
        ensure!(symbol.starts_with("CONFIG_"), "`{line}` sets no symbol");
        symbols.insert(symbol.to_owned(), value.to_owned());
    }
    Ok(symbols)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error of checking these fragments against this configuration.
    fn lost(config: &str, fragments: &[&str]) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: String, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let paths: Vec<_> = fragments
            .iter()
            .enumerate()
            .map(|(number, text)| write(format!("{number}.config"), text))
            .collect();
        let error = check(&write(".config".into(), config), &paths).err()?;
        assert_eq!(crate::exit::code(&error), Code::Build);
        Some(error.to_string())
    }

    const CONFIG: &str =
        "#\n# Linux\n#\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_N=64\nCONFIG_S=\"x=y\"\n";

    #[test]
    fn a_subset_is_fine() {
        assert_eq!(
            lost(
                CONFIG,
                &["# why\nCONFIG_A=y\n\nCONFIG_N=64\nCONFIG_S=\"x=y\"\n"]
            ),
            None
        );
        assert_eq!(
            lost(CONFIG, &["CONFIG_B=n\n# CONFIG_GONE is not set\n"]),
            None
        );
    }

    #[test]
    fn each_lost_symbol_is_named() {
        let said = lost(
            CONFIG,
            &["CONFIG_A=y\nCONFIG_B=y\n", "CONFIG_N=8\nCONFIG_GONE=m\n"],
        )
        .unwrap();
        assert!(
            said.contains("CONFIG_B: 0.config wants y, it is n"),
            "{said}"
        );
        assert!(
            said.contains("CONFIG_N: 1.config wants 8, it is 64"),
            "{said}"
        );
        assert!(
            said.contains("CONFIG_GONE: 1.config wants m, it is n"),
            "{said}"
        );
        assert!(!said.contains("CONFIG_A"), "{said}");
        assert!(lost(CONFIG, &["# CONFIG_A is not set\n"]).is_some());
    }

    #[test]
    fn the_last_fragment_wins() {
        assert_eq!(lost(CONFIG, &["CONFIG_A=n\n", "CONFIG_A=y\n"]), None);
    }

    #[test]
    fn a_slip_of_the_pen_is_no_comment() {
        assert!(parse("CONFIG_A").is_err());
        assert!(parse("A=y").is_err());
    }

    #[test]
    fn each_flavour_adds_something() {
        let configs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs"));
        let flavours = [
            Flavour::Stock,
            Flavour::Patched,
            Flavour::Debug,
            Flavour::Force,
        ];
        let lists = flavours.map(|flavour| fragments(configs, flavour).unwrap());
        for pair in lists.windows(2) {
            assert!(pair[1].starts_with(&pair[0]) && pair[1].len() > pair[0].len());
        }
        let kcsan = fragments(configs, Flavour::Kcsan).unwrap();
        assert!(kcsan.starts_with(&lists[1]) && kcsan.len() > lists[1].len());
        assert!(lists[3].iter().chain(&kcsan).all(|path| path.is_file()));
    }
}
