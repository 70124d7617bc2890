// SPDX-License-Identifier: GPL-2.0-only
//! `test`: the host's tests, the guests of the matrix, the comparisons between them, and the summary.

mod boots;
mod compare;
mod exits;
mod host;
mod judge;
mod kunit;
pub mod matrix;
mod report;
mod results;
mod select;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use self::boots::Runner;
use self::matrix::{Compare, Flavour, Matrix, artifact};
use self::results::{Results, TestResult};
use self::select::{Plan, compare_name};
use crate::guest::accel::Accel;
use crate::guest::artifacts::Artifacts;
use crate::guest::provision::Provisions;
use crate::guest::splats::Splats;

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
    /// Another boot matrix than qemu-test/matrix.toml.
    #[arg(long, value_name = "FILE")]
    pub matrix: Option<PathBuf>,
}

/// What the suite runs on.
pub struct Suite<'a> {
    /// The root of this repository.
    pub repo: &'a Path,
    /// A folder for logs.
    pub runs: PathBuf,
    pub accel: Accel,
}

impl Suite<'_> {
    /// Runs the tests; whether all is well.
    pub fn run(&self, args: &TestArgs) -> Result<bool> {
        let matrix = self.matrix(args.matrix.as_deref())?;
        let plan = Plan::new(&matrix, &exits::names(), &args.cases);
        fs::create_dir_all(&self.runs)
            .with_context(|| format!("making {}", self.runs.display()))?;
        let mut results = Results::default();
        self.host_tests(&plan, &mut results)?;
        if plan.needs_kernel() {
            self.guest_tests(&plan, &matrix, &mut results)?;
        }
        report::write(&results, args.junit.as_deref(), args.json.as_deref())?;
        print!("{}", results.failures());
        println!("{}", results.summary());
        Ok(results.is_good())
    }

    fn matrix(&self, other: Option<&Path>) -> Result<Matrix> {
        match other {
            Some(path) => Matrix::load(path),
            None => Matrix::load(&self.repo.join("qemu-test/matrix.toml")),
        }
    }

    fn host_tests(&self, plan: &Plan, results: &mut Results) -> Result<()> {
        if plan.host {
            let log = self.runs.join("host-tests.log");
            results.extend(host::cargo_test(self.repo, &log)?);
        }
        Ok(())
    }

    fn guest_tests(&self, plan: &Plan, matrix: &Matrix, results: &mut Results) -> Result<()> {
        let provisions = Provisions::prepare()?;
        let runner = Runner {
            provisions: &provisions,
            accel: self.accel,
            splats: Splats::load(&self.repo.join("qemu-test/splats.toml"))?,
            runs: self.runs.clone(),
        };
        for selftest in &plan.selftests {
            results.add(runner.selftest(selftest)?);
        }
        let mut artifacts = BTreeMap::new();
        for boot in &plan.boots {
            artifacts.insert(boot.name.as_str(), runner.boot(boot, results)?);
        }
        for compare in &plan.compares {
            results.add(compared(compare, &artifacts)?);
        }
        if plan.kunit {
            let patched = provisions.of(Flavour::Patched)?;
            let dir = self.runs.join("kunit.py");
            results.extend(kunit::run(&patched.tree, &patched.build, &dir)?);
        }
        for name in &plan.exits {
            results.add(exits::run(name, &self.runs)?);
        }
        Ok(())
    }
}

/// A comparison as a test. A guest that died early has left no artifact to compare.
fn compared(compare: &Compare, boots: &BTreeMap<&str, Artifacts>) -> Result<TestResult> {
    let name = compare_name(compare);
    let find = |side| -> Result<Option<&String>> {
        let (boot, artifact) = artifact(side)?;
        Ok(boots.get(boot).and_then(|artifacts| artifacts.get(artifact)))
    };
    let (left, right) = match (find(&compare.left)?, find(&compare.right)?) {
        (Some(left), Some(right)) => (left, right),
        (None, _) => return Ok(missing(name, &compare.left)),
        (_, None) => return Ok(missing(name, &compare.right)),
    };
    Ok(match compare::difference(compare, left, right)? {
        None => TestResult::passed(name),
        Some(diff) => TestResult::failed(name, format!("they differ\n{diff}")),
    })
}

fn missing(name: String, side: &str) -> TestResult {
    TestResult::failed(name, format!("the artifact {side} is missing"))
}
