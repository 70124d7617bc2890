// SPDX-License-Identifier: GPL-2.0-only
//! The table of exit codes, each code provoked by running this very program.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use super::results::TestResult;
use super::select::exit_name;

/// One row of the table.
struct Row {
    name: &'static str,
    code: i32,
    /// The command that ends with this code; `dir` is an empty folder for what it needs.
    provoke: fn(xtask: Command, dir: &Path) -> Result<Command>,
}

const ROWS: [Row; 5] = [
    Row {
        name: "test-failed",
        code: 1,
        provoke: |mut xtask, dir| {
            let matrix = dir.join("matrix.toml");
            fs::write(&matrix, NO_SUCH_CASE)?;
            xtask.arg("test").arg("--matrix").arg(matrix).arg("broken");
            Ok(xtask)
        },
    },
    Row {
        name: "usage",
        code: 2,
        provoke: |mut xtask, _| {
            xtask.arg("no-such-verb");
            Ok(xtask)
        },
    },
    Row {
        name: "time-out",
        code: 6,
        provoke: |mut xtask, _| {
            xtask.args(["boot", "--timeout", "10", "--", "sleep", "1000"]);
            Ok(xtask)
        },
    },
    Row {
        name: "panicked",
        code: 7,
        provoke: |mut xtask, _| {
            // An init that exits takes the kernel with it.
            xtask.args(["boot", "--append", "rdinit=/bin/false", "--", "true"]);
            Ok(xtask)
        },
    },
    Row {
        name: "lost",
        code: 8,
        provoke: |mut xtask, _| {
            let lockup = "echo 'watchdog: BUG: soft lockup - test' > /dev/kmsg; sleep 1000";
            xtask.args(["boot", "--", "sh", "-c", lockup]);
            Ok(xtask)
        },
    },
];

const NO_SUCH_CASE: &str = r#"
[[boot]]
name = "broken"
kernel = "patched"
cases = ["no-such-case"]
"#;

pub fn names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// Runs the row; what the command says is kept in `runs`.
pub fn run(name: &str, runs: &Path) -> Result<TestResult> {
    let row = ROWS
        .iter()
        .find(|row| row.name == name)
        .with_context(|| format!("no exit code is called {name}"))?;
    let test = exit_name(name);
    let dir = runs.join(test.replace('/', "-"));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    let xtask = Command::new(env::current_exe().context("finding this program")?);
    let started = Instant::now();
    let output = (row.provoke)(xtask, &dir)?
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running xtask for the exit code {name}"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    fs::write(dir.join("output.log"), said.as_bytes())?;
    let result = if output.status.code() == Some(row.code) {
        TestResult::passed(test)
    } else {
        let detail = format!("expected {}, got {}\n{said}", row.code, output.status);
        TestResult::failed(test, detail)
    };
    Ok(result.taking(started.elapsed()))
}
