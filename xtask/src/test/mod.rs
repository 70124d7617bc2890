// SPDX-License-Identifier: GPL-2.0-only
//! `test`: the host's tests, the guests of the matrix, the comparisons between them, and the summary.

mod boots;
mod compare;
mod coverage;
mod exits;
mod host;
mod judge;
mod kept;
mod kunit;
pub mod matrix;
mod oracle;
mod parity;
mod report;
mod results;
mod select;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use self::boots::Runner;
use self::matrix::{Compare, Matrix, artifact};
use self::results::{Results, Status, TestResult};
use self::select::{PATCHES, Plan, compare_name};
use crate::exit::Code;
use crate::guest::accel::Accel;
use crate::guest::artifacts::Artifacts;
use crate::guest::provision::{Flavour, Provisions};
use crate::guest::splats::Splats;
use crate::project::Project;
use crate::{interrupt, patch};

/// Which tests to run and where to write the results.
#[derive(Clone, Debug, clap::Args)]
pub struct TestArgs {
    /// Only the tests with one of these in their names, as the results show them.
    #[arg(value_name = "CASE")]
    pub cases: Vec<String>,
    /// Write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the results as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Run the tests that take very long in place of the others; those without an end of their own,
    /// for so many minutes each.
    #[arg(long, value_name = "MINUTES")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub soak: Option<u64>,
    /// Add this to the kernel's command line in each boot of the matrix.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub append: String,
    /// Another boot matrix than qemu-test/matrix.toml.
    #[arg(long, value_name = "FILE")]
    pub matrix: Option<PathBuf>,
}

/// Runs the tests; the exit code.
pub fn run(project: &Project, accel: Accel, args: &TestArgs) -> Result<u8> {
    let mut matrix = match &args.matrix {
        Some(path) => Matrix::load(path),
        None => Matrix::load(&project.repo.join("qemu-test/matrix.toml")),
    }?;
    matrix.append(&args.append);
    let suite = Suite {
        project,
        accel,
        plan: match args.soak {
            Some(_) => Plan::soak(&matrix, &args.cases),
            None => Plan::new(&matrix, &exits::names(), &args.cases),
        },
        soak: args.soak.map(|minutes| Duration::from_secs(60 * minutes)),
        matrix,
        runs: project.runs(),
    };
    let results = suite.run()?;
    report::write(&results, args.junit.as_deref(), args.json.as_deref())?;
    print!("{}", results.failures());
    println!("{}", results.summary());
    Ok(if results.is_good() {
        0
    } else {
        Code::TestFailed.into()
    })
}

struct Suite<'a> {
    project: &'a Project,
    accel: Accel,
    matrix: Matrix,
    plan: Plan,
    /// For how long the tests go on that have no end of their own.
    soak: Option<Duration>,
    /// A folder for logs.
    runs: PathBuf,
}

impl Suite<'_> {
    fn run(&self) -> Result<Results> {
        fs::create_dir_all(&self.runs)
            .with_context(|| format!("making {}", self.runs.display()))?;
        let mut results = Results::default();
        self.host_tests(&mut results)?;
        if self.plan.goes_further() {
            self.guest_tests(&mut results)?;
        }
        Ok(results)
    }

    fn host_tests(&self, results: &mut Results) -> Result<()> {
        if self.plan.host {
            let log = self.runs.join("host-tests.log");
            results.extend(host::cargo_test(&self.project.repo, &log)?);
        }
        Ok(())
    }

    fn patch_check(&self) -> Result<TestResult> {
        let started = Instant::now();
        let outcome = patch::run(self.project, &patch::Verb::Check);
        interrupt::check()?;
        Ok(patch_result(outcome, started.elapsed()))
    }

    fn guest_tests(&self, results: &mut Results) -> Result<()> {
        let mut provisions = Provisions::prepare(self.project, &self.plan.flavours(), self.accel)?;
        provisions.add_suites(self.project, &self.plan.with_suites())?;
        if self.plan.patches {
            results.add(self.patch_check()?);
        }
        if self.plan.coverage {
            results.add(coverage::check(&self.matrix, &provisions.agent)?);
        }
        let runner = Runner {
            provisions: &provisions,
            accel: self.accel,
            soak: self.soak,
            splats: Splats::of(self.project)?,
            runs: self.runs.clone(),
            kept: self.project.cache.root().join("results"),
        };
        for selftest in &self.plan.selftests {
            results.add(runner.selftest(selftest)?);
        }
        let mut artifacts = BTreeMap::new();
        for boot in &self.plan.boots {
            artifacts.insert(boot.name.as_str(), runner.boot(boot, results)?);
        }
        for compare in &self.plan.compares {
            let found = compared(compare, &artifacts)?;
            if found.iter().any(|result| result.status == Status::Failed) {
                self.forget(compare, &runner)?;
            }
            results.extend(found);
        }
        if self.plan.kunit {
            let patched = provisions.of(Flavour::Patched)?;
            let dir = self.runs.join("kunit.py");
            results.extend(kunit::run(
                &provisions.qemu,
                &patched.tree,
                &patched.build,
                &dir,
            )?);
            results.add(oracle::run(&patched.tree)?);
        }
        for name in &self.plan.exits {
            results.add(exits::run(self.project, name)?);
        }
        Ok(())
    }

    /// A comparison that has failed is one of fresh results the next time.
    fn forget(&self, compare: &Compare, runner: &Runner<'_>) -> Result<()> {
        let sides = [artifact(&compare.left)?.0, artifact(&compare.right)?.0];
        let boots = self.plan.boots.iter();
        for boot in boots.filter(|boot| sides.contains(&boot.name.as_str())) {
            runner.forget(boot)?;
        }
        Ok(())
    }
}

/// `patch check` as a test.
fn patch_result(outcome: Result<()>, took: Duration) -> TestResult {
    let result = match outcome {
        Ok(()) => TestResult::passed(PATCHES),
        Err(error) => TestResult::failed(PATCHES, format!("{error:#}")),
    };
    result.taking(took)
}

/// A comparison as a test, or as several. A guest that died early has left no artifact to compare.
fn compared(compare: &Compare, boots: &BTreeMap<&str, Artifacts>) -> Result<Vec<TestResult>> {
    let name = compare_name(compare);
    let find = |side| -> Result<Option<&String>> {
        let (boot, artifact) = artifact(side)?;
        Ok(boots
            .get(boot)
            .and_then(|artifacts| artifacts.get(artifact)))
    };
    let (left, right) = match (find(&compare.left)?, find(&compare.right)?) {
        (Some(left), Some(right)) => (left, right),
        (None, _) => return Ok(vec![missing(name, &compare.left)]),
        (_, None) => return Ok(vec![missing(name, &compare.right)]),
    };
    if compare.tests {
        return parity::results(compare, left, right);
    }
    Ok(vec![match compare::difference(compare, left, right)? {
        None => TestResult::passed(name),
        Some(diff) => TestResult::failed(name, format!("they differ\n{diff}")),
    }])
}

fn missing(name: String, side: &str) -> TestResult {
    TestResult::failed(name, format!("the artifact {side} is missing"))
}
