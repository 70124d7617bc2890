// SPDX-License-Identifier: GPL-2.0-only
//! One case in a guest of its own, for a verb that shows what the case found.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::accel::Accel;
use super::artifacts;
use super::outcome::{Problem, Report, Trouble};
use super::provision::{Flavour, Provisions};
use super::qemu::Machine;
use super::run::{Guest, Limits};
use super::splats::Splats;
use crate::project::Project;

const SILENCE: Duration = Duration::from_secs(60);

/// What a case found, which is its artifact of the same name, and the exit code.
pub struct Found<T> {
    pub artifact: Option<T>,
    pub code: u8,
}

/// A case, and the guest that it wants.
pub struct Request<'a> {
    pub case: &'a str,
    pub kernel: Flavour,
    pub machine: &'a Machine,
    /// After this it is given up.
    pub total: Duration,
    /// For so many seconds it only counts, and says nothing.
    pub seconds: Option<u64>,
}

/// Where guests can be booted: kernels, built if need be.
pub struct Stage<'a> {
    project: &'a Project,
    provisions: Provisions,
    splats: Splats,
    dry_run: bool,
}

impl<'a> Stage<'a> {
    /// With `dry_run`, requests are not carried out. They only say how they would be.
    pub fn prepare(
        project: &'a Project,
        kernels: &[Flavour],
        accel: Accel,
        dry_run: bool,
    ) -> Result<Self> {
        let kernels = kernels.iter().copied().collect();
        Ok(Self {
            project,
            provisions: Provisions::prepare(project, &kernels, accel)?,
            splats: Splats::of(project)?,
            dry_run,
        })
    }

    pub fn run<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<Found<T>> {
        let Request {
            case,
            kernel,
            seconds,
            ..
        } = *request;
        let provision = self.provisions.of(kernel)?;
        let guest = Guest {
            qemu: &self.provisions.qemu,
            machine: request.machine,
            kernel: &provision.image,
            initramfs: vec![&provision.initramfs],
            job: json!({"mode": "cases", "cases": [case], "seconds": seconds}).to_string(),
            dir: self.project.runs().join(case),
            limits: Limits {
                total: Some(request.total),
                silence: Some(SILENCE + Duration::from_secs(seconds.unwrap_or_default())),
            },
            splats: &self.splats,
            stdio: None,
            stop: Arc::default(),
        };
        if self.dry_run {
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
