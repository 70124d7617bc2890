// SPDX-License-Identifier: GPL-2.0-only
//! The cases: the list of them, and what runs them. Each leaves the CPUs as it found them.

mod access;
mod accounting;
mod at_boot;
mod callbacks;
mod clocks;
mod cpu_timers;
mod cpuset;
mod deadline;
mod demo;
mod domains;
mod errors;
mod failures;
mod fuzz;
mod global_files;
mod hotplug;
mod kselftest;
mod kunit;
mod last_housekeeping;
mod noise;
mod nosysfs;
mod others;
mod overtaken;
mod partition;
mod perf_events;
mod races;
mod rcutorture;
mod release;
mod replugged;
mod silence;
mod storm;
mod stress;
mod suspend;
mod theirs;
mod three_lines;
mod unused;
mod workers;

use std::fmt::Debug;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::json;

use crate::ktap::{self, Check, Ktap};
use crate::leaks::Leaks;
use crate::ports::{Port, Ports};
use crate::{cpu, init, workload};

/// The CPU that most cases isolate.
pub const CPU: u32 = 3;
/// How often a state is looked at until it is what it should be.
const PATIENCE: u32 = 50;
/// Loading a module from outside of the kernel's tree sets TAINT_OOT_MODULE
/// (Documentation/admin-guide/tainted-kernels.rst), and the cases load the project's own.
const TAINT_OOT_MODULE: u64 = 1 << 12;

/// Something that is tested.
pub struct Case {
    pub name: &'static str,
    /// One line.
    pub doc: &'static str,
    pub run: fn(&mut Context) -> Result<()>,
}

/// All cases there are.
pub const CASES: &[Case] = &[
    three_lines::CASE,
    three_lines::UNDO,
    workers::CASE,
    errors::CASE,
    access::CASE,
    failures::ISOLATED,
    failures::HOTPLUG_MEMORY,
    failures::HOTPLUG_STEPS,
    failures::MODULE,
    fuzz::ISOLATED,
    fuzz::MODULE,
    last_housekeeping::CASE,
    hotplug::CASE,
    storm::CASE,
    storm::ROUNDS,
    overtaken::CASE,
    rcutorture::CASE,
    races::V2,
    races::V1,
    rcutorture::ALONE,
    global_files::CASE,
    at_boot::CASE,
    release::CASE,
    others::CASE,
    others::RELEASE,
    silence::CASE,
    silence::AT_BOOT,
    callbacks::CASE,
    callbacks::AT_BOOT,
    accounting::CASE,
    cpu_timers::CASE,
    clocks::CASE,
    deadline::CASE,
    perf_events::CASE,
    partition::CASE,
    partition::OVER_ISOLATED,
    replugged::CASE,
    replugged::REWRITTEN,
    cpuset::V1,
    cpuset::NO_CGROUP,
    kunit::CASE,
    kunit::MODULE,
    kselftest::CPU_HOTPLUG,
    kselftest::CPUSET_PRS,
    kselftest::CPU_ISOLATION,
    kselftest::CPUSET,
    kselftest::CPUSET_V1,
    kselftest::SCHED,
    kselftest::TIMERS,
    kselftest::TIMERS_LONG,
    stress::CASE,
    demo::CASE,
    nosysfs::WORKERS,
    nosysfs::UNAFFECTED,
    nosysfs::UNLOAD,
    nosysfs::ERRORS,
    nosysfs::RACES,
    nosysfs::TUNED_GLOB,
    nosysfs::BENCH,
    noise::BARE,
    noise::PARTITION,
    noise::AT_BOOT,
    noise::THREE_LINES,
    noise::PRICE,
    unused::CASE,
];

/// What a case has at hand: a place for its findings.
pub struct Context {
    case: String,
    /// For how long the host wants something counted or gone on with.
    count_for: Option<Duration>,
    checks: Vec<Check>,
    data: Port,
}

impl Context {
    /// One subtest. A failed one fails the case but does not end it.
    pub fn check(&mut self, name: &str, result: Result<()>) {
        self.add(Check::new(name, result));
    }

    /// One subtest that this guest has nothing for.
    pub fn skip(&mut self, name: &str, why: &str) {
        let outcome = ktap::Outcome::Skipped(why.to_owned());
        self.add(Check::of(name, outcome));
    }

    /// A text that the host keeps, and may compare with one of another boot.
    pub fn artifact(&mut self, name: &str, text: &str) -> Result<()> {
        let line = json!({"name": name, "text": text});
        writeln!(self.data, "{line}").with_context(|| format!("handing over the artifact {name}"))
    }

    fn add(&mut self, check: Check) {
        let said = match check.outcome {
            ktap::Outcome::Passed => "ok",
            ktap::Outcome::Skipped(_) => "skipped",
            ktap::Outcome::Failed(_) => "failed",
        };
        // The report comes when the case is over. The console shows what it was doing meanwhile.
        eprintln!("agent: {}: {}: {said}", self.case, check.name);
        self.checks.push(check);
    }
}

/// Compares what is with what should be.
pub fn expect<T: PartialEq + Debug>(got: T, expected: T) -> Result<()> {
    ensure!(got == expected, "expected {expected:?}, got {got:?}");
    Ok(())
}

/// Checks that something is so in the end: the kernel does some things a bit later.
pub fn soon(check: impl Fn() -> Result<()>) -> Result<()> {
    for _ in 0..PATIENCE {
        if check().is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    check()
}

/// Runs these cases in this order; the verdict.
pub fn run(names: &[String], count_for: Option<Duration>, ports: &Ports) -> Result<i32> {
    workload::outrank().context("getting a higher priority")?;
    let leaks = Leaks::from_now()?;
    let tests = names.len() + usize::from(leaks.is_some());
    guarded(ports, tests, |ktap| {
        for name in names {
            let mut context = Context {
                case: name.clone(),
                count_for,
                checks: Vec::new(),
                data: ports.data.clone(),
            };
            if let Err(error) = attempt(name, &mut context) {
                context.check("runs to its end", Err(error));
            }
            ktap.case(name, &context.checks)?;
        }
        if let Some(leaks) = leaks {
            ktap.test("leaks", &Check::new("leaks", leaks.none()).outcome)?;
        }
        Ok(())
    })
}

/// One case. One that panics has failed like one that returns an error.
fn attempt(name: &str, context: &mut Context) -> Result<()> {
    let case = CASES
        .iter()
        .find(|case| case.name == name)
        .with_context(|| format!("the agent has no case {name}"))?;
    let state = cpu::State::now()?;
    let result = catch_unwind(AssertUnwindSafe(|| (case.run)(context)))
        .unwrap_or_else(|_| Err(anyhow!("the case panicked; the console has the reason")));
    if let Err(error) = state.restore() {
        context.check("gives the CPUs back", Err(error));
    }
    result
}

/// Has `tests` tests reported, and one more: that they have not tainted the kernel. The verdict.
pub fn guarded(
    ports: &Ports,
    tests: usize,
    report: impl FnOnce(&mut Ktap<Port>) -> Result<()>,
) -> Result<i32> {
    let before = init::taint()?;
    let mut ktap = Ktap::begin(ports.ktap.clone(), tests + 1)?;
    report(&mut ktap)?;
    let after = init::taint()?;
    let outcome = if after & !(before | TAINT_OOT_MODULE) == 0 {
        ktap::Outcome::Passed
    } else {
        ktap::Outcome::Failed(format!(
            "the kernel's taint was {before} and is {after} now"
        ))
    };
    ktap.test("taint", &outcome)?;
    Ok(i32::from(!ktap.is_good()))
}
