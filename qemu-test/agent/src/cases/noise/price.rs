// SPDX-License-Identifier: GPL-2.0-only
//! What it costs a busy CPU that is isolated already when another one is isolated and released, beside
//! what else an administrator may do to that other one.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::rows::{Sample, rows};
use super::{CPU, Case, Context, EVENTS, SETTLES, expect, of};
use crate::cgroup::Hierarchy;
use crate::trace::Recorder;
use crate::workload::Worker;
use crate::{cpu, osnoise};

pub const CASE: Case = Case {
    name: "bench-price",
    doc: "counts what disturbs isolated CPU 3 while CPU 2 is isolated and released, and otherwise",
    run,
};

/// What is done to, and undone again.
const OTHER: u32 = 2;
/// How often, for each deed.
const CYCLES: u32 = 20;
const GROUP: &str = "other";
/// The kernel does some things a bit later.
const LATER: Duration = Duration::from_secs(1);

/// Its name, and how it is done and undone.
type Deed = (&'static str, fn(&Hierarchy) -> Result<()>);

const DEEDS: [Deed; 4] = [
    ("hotplug", hotplug),
    ("three lines", three_lines),
    ("partition", partition),
    ("cpuset", cpuset),
];

fn run(context: &mut Context) -> Result<()> {
    let hierarchy = Hierarchy::v2()?;
    hierarchy.make(GROUP)?;
    cpu::three_lines(CPU, true)?;
    context.check("it is isolated", expect(cpu::is_isolated(CPU)?, true));
    let mut deeds = Map::new();
    for (name, deed) in DEEDS {
        let cycles = || {
            (0..CYCLES).try_for_each(|_| deed(&hierarchy))?;
            sleep(LATER);
            Ok(())
        };
        let mut counts = by_us(context, name, cycles)?;
        counts.extend(
            osnoise::during(CPU, SETTLES, cycles)?
                .into_iter()
                .map(of("osnoise")),
        );
        deeds.insert(name.into(), counts.into());
    }
    let counted = json!({"cycles": CYCLES, "deeds": deeds});
    let case = context.case.clone();
    context.artifact(&case, &counted.to_string())
}

fn by_us(
    context: &mut Context,
    name: &str,
    cycles: impl Fn() -> Result<()>,
) -> Result<Map<String, Value>> {
    let worker = Worker::bound(&[CPU])?;
    let recorder = Recorder::ready(&EVENTS, CPU)?;
    sleep(SETTLES);
    let ((before, after), trace) = recorder.record(|| {
        let before = Sample::take(&worker)?;
        cycles()?;
        Ok((before, Sample::take(&worker)?))
    })?;
    let case = context.case.clone();
    let name = name.replace(' ', "-");
    context.artifact(&format!("{case}-{name}-trace"), &trace.join("\n"))?;
    Ok(rows(&before, &after, &trace))
}

/// As often as the three lines do it: once to isolate and once to release.
fn hotplug(_: &Hierarchy) -> Result<()> {
    for on in [false, true, false, true] {
        cpu::set_online(OTHER, on)?;
    }
    Ok(())
}

fn three_lines(_: &Hierarchy) -> Result<()> {
    cpu::three_lines(OTHER, true)?;
    cpu::three_lines(OTHER, false)
}

fn partition(hierarchy: &Hierarchy) -> Result<()> {
    hierarchy.partition(GROUP, &OTHER.to_string(), "isolated")?;
    hierarchy.partition(GROUP, &OTHER.to_string(), "member")?;
    Ok(())
}

fn cpuset(hierarchy: &Hierarchy) -> Result<()> {
    for cpus in ["1", "1-2"] {
        hierarchy.write(&format!("{GROUP}/cpuset.cpus"), cpus)?;
    }
    Ok(())
}
