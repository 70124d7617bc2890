// SPDX-License-Identifier: GPL-2.0-only
//! The kernel's own test of RCU, by itself and while CPUs are isolated and released. It has RCU
//! callbacks offloaded and taken back as well, of any CPU at any time.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::storm::Isolator;
use super::theirs::Theirs;
use super::{Case, Context};
use crate::kmsg::Log;
use crate::ktap::Check;
use crate::module::Module;

pub const CASE: Case = Case {
    name: "rcutorture",
    doc: "CPUs are isolated and released while rcutorture runs, which toggles offloading",
    run,
};

pub const ALONE: Case = Case {
    name: "rcutorture-alone",
    doc: "runs rcutorture, which takes CPUs offline and toggles offloading",
    run: alone,
};

/// Times are in milliseconds here, and in seconds (Documentation/admin-guide/kernel-parameters.txt).
const PARAMETERS: &str = "nocbs_nthreads=2 nocbs_toggle=200 stat_interval=30";
/// What tools/testing/selftests/rcutorture has for kernels with CPU hotplug and offloading, but that the
/// first CPU goes offline after three seconds. The next ones follow after so many jiffies.
const ALONE_PARAMETERS: &str = "n_barrier_cbs=4 stat_interval=15 test_no_idle_hz=1 \
                                nocbs_nthreads=8 nocbs_toggle=1000 onoff_interval=200 onoff_holdoff=3";
const ALONE_TIME: Duration = Duration::from_secs(30);
/// How the line begins that has the result.
const RESULT: &str = "rcu-torture:--- End of test: ";
const SUCCESS: &str = "SUCCESS";

fn run(context: &mut Context) -> Result<()> {
    let time = context.count_for;
    let time = time.context("the job does not say for how long to go on")?;
    let mut log = Log::from_now()?;
    let _torture = Module::load("torture", "")?;
    let rcutorture = Module::load("rcutorture", PARAMETERS)?;
    let (start, mut isolator) = (Instant::now(), Isolator::default());
    let mut steps = 0;
    while start.elapsed() < time {
        isolator.step().1?;
        steps += 1;
        if steps % 50 == 0 {
            eprintln!("agent: {steps} times isolated or released");
        }
    }
    rcutorture.unload()?;
    context.check("it has found nothing", result(&log.lines()?));
    Ok(())
}

fn alone(context: &mut Context) -> Result<()> {
    let mut log = Log::from_now()?;
    let _torture = Module::load("torture", "")?;
    let rcutorture = Module::load("rcutorture", ALONE_PARAMETERS)?;
    thread::sleep(ALONE_TIME);
    rcutorture.unload()?;
    let mut theirs = Theirs::default();
    theirs.add(
        "rcutorture",
        vec![Check::new("success", result(&log.lines()?))],
    );
    theirs.hand_over(context, ALONE.name)
}

fn result(lines: &[String]) -> Result<()> {
    let mut results = lines.iter().filter_map(|line| line.strip_prefix(RESULT));
    match results.next() {
        Some(result) if result.starts_with(SUCCESS) => Ok(()),
        Some(result) => bail!("{result}"),
        None => bail!("it has said nothing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_is_one() {
        let line = |text: &str| ["rcu: other".into(), format!("{RESULT}{text}")];
        assert!(result(&line("SUCCESS: nreaders=3")).is_ok());
        assert!(result(&line("FAILURE: nreaders=3")).is_err());
        assert!(result(&[]).is_err());
    }
}
