// SPDX-License-Identifier: GPL-2.0-only
//! One case in a guest of its own, for a verb that shows what the case found.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::artifacts;
use super::outcome::{Problem, Report, Trouble};
use super::provision::{Flavour, Provisions};
use super::qemu::Machine;
use super::run::{Guest, Limits};
use super::splats::Splats;
use crate::project::Project;

/// What a case found, which is its artifact of the same name, and the exit code.
pub struct Found<T> {
    pub artifact: Option<T>,
    pub code: u8,
}

/// Boots the patched kernel, built if need be, and runs the case. With `dry_run`, only says how.
pub fn run<T: DeserializeOwned>(
    project: &Project,
    case: &str,
    machine: &Machine,
    total: Duration,
    dry_run: bool,
) -> Result<Found<T>> {
    let provisions = Provisions::prepare(project, &[Flavour::Patched], machine.accel)?;
    let provision = provisions.of(Flavour::Patched)?;
    let splats = Splats::of(project)?;
    let guest = Guest {
        qemu: &provisions.qemu,
        machine,
        kernel: &provision.image,
        initramfs: &provision.initramfs,
        job: json!({"mode": "cases", "cases": [case]}).to_string(),
        dir: project.runs().join(case),
        limits: Limits {
            total: Some(total),
            silence: Some(Duration::from_secs(60)),
        },
        splats: &splats,
        stdio: None,
        stop: Arc::default(),
    };
    if dry_run {
        println!("{}", guest.shell_line());
        return Ok(Found {
            artifact: None,
            code: 0,
        });
    }
    eprintln!("Booting: {}", guest.shell_line());
    let report = guest.run(&mut |_| {})?;
    let artifacts = artifacts::parse(&report.data)?;
    artifacts::keep(&artifacts, &guest.dir)?;
    let artifact = artifacts
        .get(case)
        .map(|text| serde_json::from_str(text).context("reading what the guest found"))
        .transpose()?;
    let code = conclude(case, &report);
    Ok(Found { artifact, code })
}

fn conclude(case: &str, report: &Report) -> u8 {
    let problem = match (report.death(), report.exit(), report.splat()) {
        (Some(problem), _, _) | (None, Err(problem), _) | (None, Ok(_), Some(problem)) => problem,
        (None, Ok(0), None) => return 0,
        (None, Ok(_), None) => {
            let failed: Vec<_> = report
                .ktap
                .lines()
                .filter(|line| line.contains("not ok"))
                .collect();
            Problem::new(
                Trouble::Failed,
                format!("{case} failed: {}", failed.join(", ")),
            )
        }
    };
    eprintln!("error: {problem}\n{}", report.console_tail());
    problem.code().into()
}
