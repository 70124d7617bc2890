// SPDX-License-Identifier: GPL-2.0-only
//! The kernel tree's own kunit.py on the kernel that we built: it boots anywhere, and kunit.py's
//! parser and ours count the same tests.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use regex::Regex;

use super::results::{Status, TestResult};
use crate::guest::accel::{self, Accel};
use crate::toolchain::qemu::{self, Qemu};
use crate::{cmd, interrupt};

pub const EXEC: &str = "kunit.py/exec";
pub const SAME: &str = "kunit.py/counts-as-our-parser";

/// Runs `kunit.py exec` of `tree` on the image in `build`; its logs go to `dir`.
pub fn run(qemu: &Qemu, tree: &Path, build: &Path, dir: &Path) -> Result<Vec<TestResult>> {
    let started = Instant::now();
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let path = path_for_kunit(qemu, dir)?;
    let Some(python) = find("python3", &path) else {
        let skipped = |name| TestResult::new(name, Status::Skipped, "there is no python3");
        return Ok(vec![skipped(EXEC), skipped(SAME)]);
    };
    let mut command = Command::new(python);
    // -B: nothing is written into the source tree.
    command
        .args(["-B", "tools/testing/kunit/kunit.py", "exec"])
        .args(["--arch", "x86_64", "--timeout", "120"])
        .args(["--kernel_args", "kunit.enable=1", "--build_dir"])
        .arg(build)
        .current_dir(tree)
        .env("PATH", path);
    let said = dir.join("kunit.py.log");
    let outcome = cmd::long("kunit.py exec", command, &said);
    interrupt::check()?;
    let exec = match outcome {
        Ok(()) => TestResult::passed(EXEC),
        Err(error) => TestResult::failed(EXEC, format!("{error:#}")),
    };
    let said = fs::read_to_string(&said).with_context(|| format!("reading {}", said.display()))?;
    let log = build.join("test.log");
    let log = fs::read_to_string(&log).with_context(|| format!("reading {}", log.display()))?;
    Ok(vec![exec.taking(started.elapsed()), compare(&said, &log)])
}

/// kunit.py asks QEMU for KVM whenever /dev/kvm opens, and hangs where that proves nothing. There, a
/// program of QEMU's name that says tcg instead goes before the real one.
fn path_for_kunit(qemu: &Qemu, dir: &Path) -> Result<String> {
    let path = env::var("PATH").unwrap_or_default();
    if accel::best() == Accel::Kvm {
        return Ok(path);
    }
    let bin = dir.join("bin");
    fs::create_dir_all(&bin)?;
    let wrapper = bin.join(qemu::NAME);
    let program = [qemu.program.as_path()].into_iter();
    let firmware = qemu.firmware.iter().flat_map(|dir| [Path::new("-L"), dir]);
    let words: Vec<_> = program
        .chain(firmware)
        .map(|word| word.display().to_string())
        .collect();
    let script = format!(
        "#!/bin/sh\nfor word; do\n  shift\n  [ \"$word\" = kvm ] && word=tcg\n  \
         set -- \"$@\" \"$word\"\ndone\nexec {} \"$@\"\n",
        shlex::try_join(words.iter().map(String::as_str))?
    );
    fs::write(&wrapper, script)?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    Ok(format!("{}:{path}", bin.display()))
}

fn find(program: &str, path: &str) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
}

/// kunit.py's last word against our reading of the same console.
fn compare(said: &str, log: &str) -> TestResult {
    let theirs = ran(said);
    let ours = ktap::parse(log).summary().total();
    if theirs == Some(ours) && ours > 0 {
        TestResult::passed(SAME)
    } else {
        TestResult::failed(
            SAME,
            format!("kunit.py counts {theirs:?} tests, our parser {ours}"),
        )
    }
}

/// The N of "Testing complete. Ran N tests: passed: N".
fn ran(said: &str) -> Option<usize> {
    Regex::new(r"Testing complete\. Ran (\d+) tests")
        .ok()?
        .captures(said)?[1]
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kunit_says_how_many_it_ran() {
        let said = "[08:04:36] Testing complete. Ran 3 tests: passed: 3\n";
        assert_eq!(ran(said), Some(3));
        assert_eq!(ran("[ERROR] Test: <missing>"), None);
    }
}
