// SPDX-License-Identifier: GPL-2.0-only
//! stress-ng, as the distribution has it: its stressors of CPU hotplug, affinity, the scheduler and
//! timers.

use std::process::Command;

use anyhow::{Result, ensure};

use super::theirs::Theirs;
use super::{Case, Context};
use crate::command::{self, Said};
use crate::ktap::{Check, Outcome};

pub const CASE: Case = Case {
    name: "stress-ng",
    doc: "runs stressors of CPU hotplug, affinity, the scheduler and timers",
    run,
};

const PROGRAM: &str = "/bin/stress-ng";
const STRESSORS: [&str; 14] = [
    "cpu-online",
    "affinity",
    "cpu-sched",
    "schedmix",
    "schedpolicy",
    "race-sched",
    "resched",
    "prio-inv",
    "cyclic",
    "switch",
    "workload",
    "timer",
    "hrtimers",
    "cgroup",
];
/// How many of each, and for how many seconds.
const INSTANCES: &str = "2";
const SECONDS: &str = "2";

/// Of core-exit-codes.h: a stressor that lacks something, or that this machine has nothing for.
const NO_RESOURCE: i32 = 3;
const NOT_IMPLEMENTED: i32 = 4;

fn run(context: &mut Context) -> Result<()> {
    let known = command::said(stress_ng().arg("--stressors"))?;
    ensure!(known.exit == 0, "--stressors: {}", known.text);
    let mut theirs = Theirs::default();
    for name in STRESSORS {
        if !known.text.split_whitespace().any(|known| known == name) {
            let outcome = Outcome::Skipped("this version of stress-ng has no such stressor".into());
            theirs.add(name, vec![check(outcome)]);
            continue;
        }
        let mut command = stress_ng();
        command.args([&format!("--{name}"), INSTANCES, "--timeout", SECONDS]);
        // Which cpu-online asks for: a machine may not survive it.
        command.args(["--pathological", "--verify", "--temp-path", "/tmp"]);
        theirs.run(name, &mut command, |said| vec![check(outcome(said))])?;
    }
    theirs.hand_over(context, CASE.name)
}

fn stress_ng() -> Command {
    let mut command = Command::new(PROGRAM);
    command::environment(&mut command);
    command
}

fn check(outcome: Outcome) -> Check {
    Check::of("exit status", outcome)
}

/// Stressors that have nothing to do are no failure for stress-ng, but they have not passed either.
fn outcome(said: &Said) -> Outcome {
    let line = |text: &str| {
        let line = said.text.lines().find(|line| line.contains(text));
        line.map(str::to_owned)
    };
    let none_passed = line(" passed: 0").is_some() && line(" failed: 0").is_some();
    match said.exit {
        0 if !none_passed => Outcome::Passed,
        0 | NO_RESOURCE | NOT_IMPLEMENTED => Outcome::Skipped(line("skip").unwrap_or_default()),
        exit => Outcome::Failed(format!("{exit}\n{}", said.text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, exit: i32) -> Outcome {
        outcome(&Said {
            text: text.into(),
            exit,
        })
    }

    #[test]
    fn what_was_skipped_has_not_passed() {
        let lines = |passed| {
            format!("x will be skipped\nx: skipped: 1\nx: passed: {passed}\nx: failed: 0\n")
        };
        let skipped = Outcome::Skipped("x will be skipped".into());
        assert_eq!(of(&lines(0), 0), skipped);
        assert_eq!(of(&lines(0), NO_RESOURCE), skipped);
        assert_eq!(of(&lines(2), 0), Outcome::Passed);
        assert_eq!(of("x: successful run completed\n", 0), Outcome::Passed);
    }

    #[test]
    fn what_failed_says_why() {
        let failed = Outcome::Failed("2\nx: fail: no\n".into());
        assert_eq!(of("x: fail: no\n", 2), failed);
    }
}
