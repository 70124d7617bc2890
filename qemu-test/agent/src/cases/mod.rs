// SPDX-License-Identifier: GPL-2.0-only
//! The test cases. Each leaves the CPUs as it found them.

mod at_boot;
mod demo;
mod errors;
mod hotplug;
mod kselftest;
mod kunit;
mod last_housekeeping;
mod partition;
mod release;
mod storm;
mod three_lines;
mod without_partitions;
mod workers;

use std::fmt::Debug;
use std::fs::File;
use std::io::Write;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::cpu;
use crate::init::taint;
use crate::ktap::{Check, Ktap, Outcome};
use crate::ports::Ports;

/// The CPU that most cases isolate.
pub const CPU: u32 = 3;

pub struct Case {
    pub name: &'static str,
    pub doc: &'static str,
    run: fn(&mut Context<'_>) -> Result<()>,
}

pub const CASES: &[Case] = &[
    Case {
        name: "three-lines",
        doc: "isolate CPU 3 while 200 tasks fork and exit: who may run there, and who does",
        run: three_lines::isolate,
    },
    Case {
        name: "three-lines-undo",
        doc: "isolate CPU 3 and release it: nothing is different from before",
        run: three_lines::undo,
    },
    Case {
        name: "unbound-workers",
        doc: "unbound kthreads and workqueues leave the isolated CPU and come back",
        run: workers::run,
    },
    Case {
        name: "errors",
        doc: "every refused write has its errno and changes nothing",
        run: errors::run,
    },
    Case {
        name: "last-housekeeping",
        doc: "the last housekeeping CPU stays, with CPU 0 isolated at boot",
        run: last_housekeeping::run,
    },
    Case {
        name: "survives-hotplug",
        doc: "isolation and bound tasks outlive offline and online, and suspend",
        run: hotplug::survives,
    },
    Case {
        name: "global-files",
        doc: "/sys/devices/system/cpu/isolated tells the truth at run time",
        run: hotplug::global_files,
    },
    Case {
        name: "storm",
        doc: "CPUs come and go in random order under load, invariants hold in each round",
        run: storm::run,
    },
    Case {
        name: "at-boot",
        doc: "the dump of an untouched machine",
        run: at_boot::run,
    },
    Case {
        name: "release-boot-isolated",
        doc: "a CPU of isolcpus= is released, and isolated again",
        run: release::run,
    },
    Case {
        name: "v2-partition",
        doc: "cgroup v2 partitions and isolated CPUs respect each other",
        run: partition::run,
    },
    Case {
        name: "v1-cpuset",
        doc: "isolate and release with cpuset mounted as cgroup v1",
        run: without_partitions::v1,
    },
    Case {
        name: "no-cgroup",
        doc: "isolate and release with no cgroup mounted",
        run: without_partitions::no_cgroup,
    },
    Case {
        name: "kunit",
        doc: "the results of the KUnit tests that ran at boot",
        run: kunit::run,
    },
    Case {
        name: "kselftest-cpu-hotplug",
        doc: "the kernel's own selftest cpu-hotplug runs to its end",
        run: kselftest::cpu_hotplug,
    },
    Case {
        name: "kselftest-cpuset-prs",
        doc: "the kernel's own selftest of cpuset partitions runs to its end",
        run: kselftest::cpuset_prs,
    },
    Case {
        name: "kselftest-cpu-isolation",
        doc: "the selftest that comes with the patches",
        run: kselftest::cpu_isolation,
    },
    Case {
        name: "demo",
        doc: "what CPU 3 sees before and after the three lines",
        run: demo::run,
    },
];

/// A case at work: what it has checked, and what it hands to the host.
pub struct Context<'a> {
    checks: Vec<Check>,
    data: &'a File,
}

impl Context<'_> {
    /// One check. A failed one fails the case and does not end it.
    pub fn check(&mut self, name: &str, result: Result<()>) {
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        self.report(name, outcome);
    }

    /// One check that cannot be made here.
    pub fn skip(&mut self, name: &str, why: &str) {
        self.report(name, Outcome::Skipped(why.into()));
    }

    pub fn report(&mut self, name: &str, outcome: Outcome) {
        self.checks.push(Check {
            name: name.into(),
            outcome,
        });
    }

    /// Hands a text to the host.
    pub fn artifact(&mut self, name: &str, text: &str) -> Result<()> {
        let line = json!({"name": name, "text": text});
        writeln!(self.data, "{line}").with_context(|| format!("handing over {name}"))
    }
}

/// Compares what is with what should be.
pub fn expect<T: PartialEq + Debug>(got: T, expected: T) -> Result<()> {
    ensure!(got == expected, "expected {expected:?}, got {got:?}");
    Ok(())
}

/// Runs the cases; the verdict.
pub fn run(names: &[String], ports: &mut Ports) -> Result<i32> {
    guarded(ports, names.len(), |ktap, data| {
        for name in names {
            ktap.case(name, &checks(name, data))?;
        }
        Ok(())
    })
}

/// Writes a document of so many tests, and one more: that they have not tainted the kernel.
pub fn guarded(
    ports: &Ports,
    tests: usize,
    run: impl FnOnce(&mut Ktap<&File>, &File) -> Result<()>,
) -> Result<i32> {
    let before = taint()?;
    let mut ktap = Ktap::begin(&ports.ktap, tests + 1)?;
    run(&mut ktap, &ports.data)?;
    let outcome = match taint()? {
        after if after == before => Outcome::Passed,
        after => Outcome::Failed(format!("the kernel's taint was {before} and is {after}")),
    };
    ktap.test("taint", &outcome)?;
    Ok(i32::from(!ktap.is_good()))
}

fn checks(name: &str, data: &File) -> Vec<Check> {
    let mut context = Context {
        checks: Vec::new(),
        data,
    };
    if let Err(error) = run_case(name, &mut context) {
        context.check("ran to its end", Err(error));
    }
    context.checks
}

fn run_case(name: &str, context: &mut Context<'_>) -> Result<()> {
    let Some(case) = CASES.iter().find(|case| case.name == name) else {
        bail!("the agent has no case {name}");
    };
    let state = cpu::State::now()?;
    let result = (case.run)(context);
    state.restore().context("getting the CPUs back to where they were")?;
    result
}
