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
use crate::project::Project;

/// One row of the table.
struct Row {
    name: &'static str,
    code: i32,
    /// The command that ends with this code; `dir` is an empty folder for what it needs.
    provoke: fn(xtask: Command, project: &Project, dir: &Path) -> Result<Command>,
}

const ROWS: [Row; 8] = [
    Row {
        name: "test-failed",
        code: 1,
        provoke: |mut xtask, _, dir| {
            let matrix = dir.join("matrix.toml");
            fs::write(&matrix, NO_SUCH_CASE)?;
            xtask.arg("test").arg("--matrix").arg(matrix).arg("broken");
            Ok(xtask)
        },
    },
    Row {
        name: "usage",
        code: 2,
        provoke: |mut xtask, _, _| {
            xtask.arg("no-such-verb");
            Ok(xtask)
        },
    },
    Row {
        name: "patch",
        code: 3,
        provoke: |mut xtask, project, dir| {
            // A repository of its own, with a series that applies to nothing.
            let patches = dir.join("linux-patches");
            let series = patches.join(&project.base.series);
            fs::create_dir_all(&series)?;
            fs::copy(
                project.repo.join("linux-patches/bases.toml"),
                patches.join("bases.toml"),
            )?;
            fs::write(series.join("series"), "0001-broken.patch\n")?;
            fs::write(series.join("0001-broken.patch"), BROKEN_PATCH)?;
            xtask.env("CARGO_MANIFEST_DIR", dir.join("xtask"));
            xtask.args(["patch", "check"]);
            Ok(xtask)
        },
    },
    Row {
        name: "build",
        code: 4,
        provoke: |mut xtask, _, dir| {
            // A kernel source as far as the eye can see, in which nothing can be made.
            fs::create_dir_all(dir.join("kernel/sched"))?;
            fs::write(dir.join("Kbuild"), "")?;
            fs::write(dir.join("Makefile"), BROKEN_MAKEFILE)?;
            xtask.args(["build", "--kernel-tree"]).arg(dir);
            Ok(xtask)
        },
    },
    Row {
        name: "environment",
        code: 5,
        provoke: |mut xtask, _, dir| {
            xtask.args(["boot", "--", "true"]).env("PATH", dir);
            Ok(xtask)
        },
    },
    Row {
        name: "time-out",
        code: 6,
        provoke: |mut xtask, _, _| {
            xtask.args(["boot", "--timeout", "10", "--", "sleep", "1000"]);
            Ok(xtask)
        },
    },
    Row {
        name: "panicked",
        code: 7,
        provoke: |mut xtask, _, _| {
            // An init that exits takes the kernel with it.
            xtask.args(["boot", "--append", "rdinit=/bin/false", "--", "true"]);
            Ok(xtask)
        },
    },
    Row {
        name: "lost",
        code: 8,
        provoke: |mut xtask, _, _| {
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

const BROKEN_PATCH: &str = "\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: Nobody <nobody@example.org>
Date: Thu, 1 Jan 2026 00:00:00 +0000
Subject: [PATCH] sched/isolation: Change a line that is not there

It is there to be refused.

Signed-off-by: Nobody <nobody@example.org>
---
diff --git a/kernel/sched/isolation.c b/kernel/sched/isolation.c
--- a/kernel/sched/isolation.c
+++ b/kernel/sched/isolation.c
@@ -1,3 +1,3 @@
 /* No such line. */
-/* Nor this one. */
+/* Nor this one, changed. */
 /* Nor that one. */
";

const BROKEN_MAKEFILE: &str = "\
kernelversion:
	@echo 7.3.0
rustavailable:
	@:
%:
	@echo 'init/main.c:1: error: broken on purpose' >&2; false
";

pub fn names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// Runs the row; what the command says is kept in the folder of the run.
pub fn run(project: &Project, name: &str) -> Result<TestResult> {
    let row = ROWS
        .iter()
        .find(|row| row.name == name)
        .with_context(|| format!("no exit code is called {name}"))?;
    let test = exit_name(name);
    let dir = project.runs().join(test.replace('/', "-"));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    let xtask = Command::new(env::current_exe().context("finding this program")?);
    let started = Instant::now();
    let output = (row.provoke)(xtask, project, &dir)?
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
