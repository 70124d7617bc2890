// SPDX-License-Identifier: GPL-2.0-only
//! The selftests of the kernel tree: scripts as they are, and programs that its own Makefiles build.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use walkdir::WalkDir;

use super::initramfs::Entry;
use crate::cmd;

const ROOT: &str = "tools/testing/selftests";

/// The folders whose scripts go along where the tree has them. `cpu-isolation` comes with the patch
/// series.
const SCRIPTS: [&str; 4] = ["kselftest", "cpu-hotplug", "cgroup", "cpu-isolation"];

/// The programs, by folder. Those of `timers` that change the clock for good or suspend the machine
/// are left out, as they are when somebody runs all selftests.
const PROGRAMS: [(&str, &[&str]); 3] = [
    ("cgroup", &["test_cpuset", "wait_inotify"]),
    ("sched", &["cs_prctl_test"]),
    (
        "timers",
        &[
            "posix_timers",
            "nanosleep",
            "nsleep-lat",
            "set-timer-lat",
            "mqueue-lat",
            "inconsistency-check",
            "raw_skew",
            "threadtest",
            "rtcpie",
        ],
    ),
];

/// The folders with their scripts and settings, under kselftest/ in the guest.
pub fn scripts(tree: &Path) -> Result<Vec<Entry>> {
    let from = tree.join(ROOT);
    let mut entries = vec![Entry::dir("kselftest")];
    for folder in SCRIPTS.map(|folder| from.join(folder)) {
        if folder.is_dir() {
            entries.extend(scripts_below(&folder, &from)?);
        }
    }
    Ok(entries)
}

fn scripts_below(folder: &Path, from: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for found in WalkDir::new(folder).sort_by_file_name() {
        let found = found?;
        let name = format!("kselftest/{}", found.path().strip_prefix(from)?.display());
        if found.file_type().is_dir() {
            entries.push(Entry::dir(&name));
        } else if is_script(found.path()) {
            entries.push(Entry::read(&name, found.path())?);
        }
    }
    Ok(entries)
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sh")
        || path.file_name().is_some_and(|name| name == "settings")
}

/// The programs, static and in the same places. They are built in `scratch`, which make brings up to
/// date: nothing is written into the tree.
pub fn programs(tree: &Path, scratch: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (folder, names) in PROGRAMS {
        let output = scratch.join(folder);
        fs::create_dir_all(&output).with_context(|| format!("making {}", output.display()))?;
        cmd::run(
            Command::new("make")
                .arg("-C")
                .arg(tree.join(ROOT).join(folder))
                .arg(format!("OUTPUT={}", output.display()))
                .arg("USERLDFLAGS=-static")
                .args(names.iter().map(|name| output.join(name))),
        )?;
        entries.push(Entry::dir(&format!("kselftest/{folder}")));
        for name in names {
            let place = format!("kselftest/{folder}/{name}");
            entries.push(Entry::read(&place, &output.join(name))?);
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::initramfs::Kind;

    const MAKEFILE: &str = "$(OUTPUT)/%:\n\techo $(USERLDFLAGS) $(@F) > $@; chmod +x $@\n";

    #[test]
    fn programs_are_built_elsewhere_and_static() {
        let [tree, scratch] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for (folder, _) in PROGRAMS {
            let folder = tree.path().join(ROOT).join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("Makefile"), MAKEFILE).unwrap();
        }
        let entries = programs(tree.path(), scratch.path()).unwrap();
        let contents = b"-static nanosleep\n".to_vec();
        assert!(entries.contains(&Entry::program("kselftest/timers/nanosleep", contents)));
        let timers = tree.path().join(ROOT).join("timers");
        assert_eq!(timers.read_dir().unwrap().count(), 1);
    }

    #[test]
    fn scripts_go_along_and_sources_do_not() {
        let tree = tempfile::tempdir().unwrap();
        let folder = tree.path().join(ROOT).join("cgroup/lib");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.sh"), "").unwrap();
        fs::write(folder.join("b.c"), "").unwrap();
        let entries = scripts(tree.path()).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let expected = ["", "/cgroup", "/cgroup/lib", "/cgroup/lib/a.sh"];
        assert_eq!(names, expected.map(|name| format!("kselftest{name}")));
        assert!(matches!(
            entries[3].kind,
            Kind::File {
                executable: false,
                ..
            }
        ));
    }
}
