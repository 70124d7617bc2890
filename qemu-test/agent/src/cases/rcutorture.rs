// SPDX-License-Identifier: GPL-2.0-only
//! The kernel's own test of RCU, while CPUs are isolated and released. It has RCU callbacks offloaded
//! and taken back as well, of any CPU at any time.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::storm::Isolator;
use super::{Case, Context};
use crate::kmsg::Log;
use crate::module::Module;

pub const CASE: Case = Case {
    name: "rcutorture",
    doc: "CPUs are isolated and released while rcutorture runs, which toggles offloading",
    run,
};

/// Times are in milliseconds here, and in seconds (Documentation/admin-guide/kernel-parameters.txt).
const PARAMETERS: &str = "nocbs_nthreads=2 nocbs_toggle=200 stat_interval=30";
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
