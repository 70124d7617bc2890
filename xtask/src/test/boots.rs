// SPDX-License-Identifier: GPL-2.0-only
//! Running the guests of the matrix, one after the other.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::matrix::{Boot, Selftest};
use super::results::{Results, TestResult};
use super::select::selftest_name;
use super::{judge, kept};
use crate::guest::accel::Accel;
use crate::guest::artifacts::{self, Artifacts};
use crate::guest::provision::{Flavour, Provisions};
use crate::guest::qemu::Machine;
use crate::guest::run::{Guest, Limits};
use crate::guest::splats::Splats;

/// A guest that is told to hang needs no minute to be found out.
const SELFTEST_SILENCE: Duration = Duration::from_secs(8);
const SELFTEST_TOTAL: Duration = Duration::from_secs(60);

pub struct Runner<'a> {
    pub provisions: &'a Provisions,
    pub accel: Accel,
    /// For how long boots go on that have no end of their own.
    pub soak: Option<Duration>,
    pub splats: Splats,
    /// Each guest has a folder below.
    pub runs: PathBuf,
    /// Where results are kept.
    pub kept: PathBuf,
}

impl Runner<'_> {
    /// Runs one boot of the matrix, or takes the results that are kept of it.
    pub fn boot(&self, boot: &Boot, results: &mut Results) -> Result<Artifacts> {
        if !boot.keep {
            return self.run(boot, results);
        }
        let place = self.place(boot)?;
        if let Some((known, artifacts)) = kept::load(&place) {
            results.extend(known);
            return Ok(artifacts);
        }
        let mark = results.mark();
        let artifacts = self.run(boot, results)?;
        kept::store(&place, &results.list[mark..], &artifacts)?;
        Ok(artifacts)
    }

    /// Keeps nothing of it any longer.
    pub fn forget(&self, boot: &Boot) -> Result<()> {
        kept::forget(&self.place(boot)?)
    }

    /// Where its results are kept.
    fn place(&self, boot: &Boot) -> Result<PathBuf> {
        let provision = self.provisions.of(boot.kernel)?;
        Ok(kept::place(&self.kept, boot, provision, self.accel))
    }

    /// Runs it; its results are added as they come.
    fn run(&self, boot: &Boot, results: &mut Results) -> Result<Artifacts> {
        let machine = Machine {
            cpus: boot.cpus,
            threads: boot.threads,
            memory: boot.memory.clone(),
            accel: self.accel,
            append: boot.append.clone(),
        };
        let soak = self.soak.unwrap_or_default();
        let seconds = self.soak.map(|soak| soak.as_secs());
        let job = json!({"mode": "cases", "cases": boot.cases, "seconds": seconds}).to_string();
        let limits = Limits {
            total: Some(Duration::from_secs(boot.timeout) + soak),
            silence: Some(Duration::from_secs(boot.silence)),
        };
        let said = results.mark();
        let mut last = Instant::now();
        let guest = self.guest(&boot.name, boot.kernel, boot.suites, &machine, job, limits)?;
        let report = guest.run(&mut |line| {
            if let Some(result) = judge::live(boot, line) {
                results.add(result.taking(last.elapsed()));
                last = Instant::now();
            }
        })?;
        let tree = ktap::parse(&report.ktap);
        results.replace(said, judge::results(boot, &report, &tree));
        let artifacts = artifacts::parse(&report.data)
            .with_context(|| format!("the data port of the boot {}", boot.name))?;
        artifacts::keep(&artifacts, &self.runs.join(&boot.name))?;
        Ok(artifacts)
    }

    /// Makes the agent misbehave, and checks that the run is judged as it must be.
    pub fn selftest(&self, selftest: &Selftest) -> Result<TestResult> {
        let machine = Machine {
            cpus: 2,
            threads: 1,
            memory: "1G".into(),
            accel: self.accel,
            append: String::new(),
        };
        let name = selftest_name(selftest);
        let job = json!({"mode": "selftest", "fault": selftest.fault}).to_string();
        let limits = Limits {
            total: Some(SELFTEST_TOTAL),
            silence: Some(SELFTEST_SILENCE),
        };
        let dir = name.replace('/', "-");
        let guest = self.guest(&dir, Flavour::Patched, false, &machine, job, limits)?;
        let report = guest.run(&mut |_| {})?;
        let result = judge::selftest(selftest, &name, &report, &ktap::parse(&report.ktap));
        Ok(result.taking(report.took))
    }

    fn guest<'a>(
        &'a self,
        dir: &str,
        flavour: Flavour,
        suites: bool,
        machine: &'a Machine,
        job: String,
        limits: Limits,
    ) -> Result<Guest<'a>> {
        let provision = self.provisions.of(flavour)?;
        Ok(Guest {
            qemu: &self.provisions.qemu,
            machine,
            kernel: &provision.image,
            initramfs: provision.archives(suites)?,
            job,
            dir: self.runs.join(dir),
            limits,
            splats: &self.splats,
            stdio: None,
            stop: std::sync::Arc::default(),
        })
    }
}
