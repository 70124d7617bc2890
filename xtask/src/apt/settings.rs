// SPDX-License-Identifier: GPL-2.0-only
//! apt's configuration of our own, which goes over the machine's: proxies and the like stay as they
//! are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::sources::{self, Source};

/// Writes the configuration below `dir`; whether the sources are others than before. On Debian they
/// are the suites `wanted`, elsewhere what the machine has.
pub fn write(dir: &Path, wanted: &[String]) -> Result<bool> {
    ensure!(super::is_here(), "this machine has no apt");
    for folder in ["state/lists/partial", "cache/archives/partial"] {
        let folder = dir.join(folder);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(dir.join("status"), "")?;
    fs::write(file(dir), configuration(dir))?;
    let text = list(&sources::of_machine(Path::new("/etc/apt")), &os()?, wanted)?;
    let list = dir.join("sources.list");
    let changed = fs::read_to_string(&list).ok().as_deref() != Some(&text);
    fs::write(&list, text).with_context(|| format!("writing {}", list.display()))?;
    Ok(changed)
}

/// The text of os-release.
pub fn os() -> Result<String> {
    fs::read_to_string("/etc/os-release").context("reading /etc/os-release")
}

/// The suite with newer packages for the release of the machine, on Debian. The development suites
/// have no such thing, nor a number.
pub fn backports(os: &str) -> Option<String> {
    let is_release = field(os, "ID") == Some("debian") && field(os, "VERSION_ID").is_some();
    let codename = field(os, "VERSION_CODENAME").filter(|_| is_release)?;
    Some(format!("{codename}-backports"))
}

pub fn file(dir: &Path) -> PathBuf {
    dir.join("apt.conf")
}

/// The hooks are cleared because those of a container delete archives that are still wanted, and
/// others are for the machine's own packages. Contents and the like are large, and nobody reads
/// them here.
fn configuration(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        r##"Dir::State "{dir}/state";
Dir::State::status "{dir}/status";
Dir::Cache "{dir}/cache";
Dir::Etc::sourcelist "{dir}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
"##
    )
}

/// The text of sources.list.
fn list(sources: &[Source], os: &str, wanted: &[String]) -> Result<String> {
    let codename = field(os, "VERSION_CODENAME").unwrap_or_default();
    let named = |source: &&Source| source.suites.iter().any(|suite| suite == codename);
    // `stable` or `sid` is a release as well; `trixie-security` is an addition to one.
    let release = |suite: &String| !suite.contains(['-', '/']);
    let main: Vec<_> = sources
        .iter()
        .filter(|source| {
            source
                .components
                .iter()
                .any(|component| component == "main")
        })
        .filter(|source| source.suites.iter().any(release))
        .collect();
    let source = main.iter().copied().find(named).or(main.first().copied());
    let source = source.context("no source in /etc/apt has a release with the component main")?;
    let id = field(os, "ID").unwrap_or_default();
    let (mut suites, components) = match id {
        "debian" => (wanted.to_vec(), "main".to_owned()),
        _ => (source.suites.clone(), source.components.join(" ")),
    };
    let own = source.suites.iter().filter(|suite| release(suite));
    for suite in own {
        if !suites.contains(suite) {
            suites.push(suite.clone());
        }
    }
    let keyring = format!("/usr/share/keyrings/{id}-archive-keyring.gpg");
    let keyring = Some(keyring).filter(|keyring| Path::new(keyring).is_file());
    let option = match source.signed_by.clone().or(keyring) {
        Some(keyring) => format!("[signed-by={keyring}] "),
        None => String::new(),
    };
    let uri = source.uris.first().context("a source without a URI")?;
    let lines = suites
        .iter()
        .map(|suite| format!("deb {option}{uri} {suite} {components}\n"));
    Ok(lines.collect())
}

/// A field of os-release.
fn field<'a>(os: &'a str, name: &str) -> Option<&'a str> {
    let value = os
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Vec<Source> {
        let source = |uri: &str, suites: &[&str]| Source {
            uris: vec![uri.into()],
            suites: suites.iter().map(|suite| (*suite).to_owned()).collect(),
            components: vec!["main".into(), "universe".into()],
            signed_by: Some("/k.gpg".into()),
        };
        vec![
            source("http://s/security", &["x-security"]),
            source("http://m/os", &["x", "x-updates"]),
        ]
    }

    #[test]
    fn debian_gets_the_suites_of_the_kernel() {
        let os = "ID=debian\nVERSION_CODENAME=x\n";
        assert_eq!(
            list(&sources(), os, &["sid".into()]).unwrap(),
            "deb [signed-by=/k.gpg] http://m/os sid main\ndeb [signed-by=/k.gpg] http://m/os x main\n"
        );
    }

    #[test]
    fn a_release_of_debian_has_backports() {
        let os = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=x\n";
        assert_eq!(backports(os).as_deref(), Some("x-backports"));
        assert_eq!(backports("ID=debian\nVERSION_CODENAME=x\n"), None);
        assert_eq!(backports(&os.replace("debian", "ubuntu")), None);
    }

    #[test]
    fn others_keep_their_own() {
        let os = "ID=\"ubuntu\"\nVERSION_CODENAME=x\n";
        let text = list(&sources(), os, &["sid".into()]).unwrap();
        assert!(text.contains("http://m/os x-updates main universe\n") && !text.contains("sid"));
    }

    #[test]
    fn a_suite_may_have_another_name_than_the_release() {
        let os = "ID=debian\nVERSION_CODENAME=y\n";
        let text = list(&sources(), os, &["sid".into()]).unwrap();
        assert!(text.ends_with("http://m/os x main\n"), "{text}");
        assert!(list(&sources()[..1], os, &[]).is_err());
    }
}
