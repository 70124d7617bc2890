// SPDX-License-Identifier: GPL-2.0-only
//! CPU hotplug that fails, at each of its steps.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use rustix::io::Errno;

use super::is;
use crate::cases::errors::failed;
use crate::cpu::{ROOT, attribute, set_online, write_attr};
use crate::dump;

/// Has hotplug fail at each step that can fail on the way: it has failed then, nothing has changed,
/// and the next try succeeds. How many such steps there are.
pub fn fail_in_turn(cpu: u32, online: bool) -> Result<usize> {
    let before = dump::at_once()?;
    let mut failures = 0;
    for (number, name) in steps()? {
        if !can_fail(cpu, number)? {
            continue;
        }
        let verdict = match set_online(cpu, online) {
            // It has nothing to do in this direction. What it was told is still there.
            Ok(()) => forget(cpu),
            Err(error) => {
                failures += 1;
                failed(Err(error), Errno::AGAIN)
                    .and_then(|()| is(&before))
                    .and_then(|()| set_online(cpu, online).context("the next try"))
            }
        };
        verdict.with_context(|| format!("step {number}, {name}"))?;
        set_online(cpu, !online).context("the way back")?;
    }
    is(&before).context("in the end")?;
    Ok(failures)
}

/// All steps, with their numbers and names, from lines such as "169: cpu:teardown".
fn steps() -> Result<Vec<(u32, String)>> {
    let path = format!("{ROOT}/hotplug/states");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let steps: Option<Vec<_>> = text.lines().map(step).collect();
    let steps = steps.with_context(|| format!("{path} has a line that is no step:\n{text}"))?;
    ensure!(!steps.is_empty(), "{path} is empty");
    Ok(steps)
}

fn step(line: &str) -> Option<(u32, String)> {
    let (number, name) = line.split_once(':')?;
    Some((number.trim().parse().ok()?, name.trim().to_owned()))
}

/// Has the next hotplug of the CPU fail there, if the kernel lets it.
fn can_fail(cpu: u32, step: u32) -> Result<bool> {
    match write_attr(&attribute(cpu, "hotplug/fail"), step.to_string().as_bytes()) {
        Ok(()) => Ok(true),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("having step {step} fail")),
    }
}

fn forget(cpu: u32) -> Result<()> {
    let path = attribute(cpu, "hotplug/fail");
    write_attr(&path, b"-1").with_context(|| format!("writing -1 to {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_a_number_and_a_name() {
        assert_eq!(
            step(" 39: smpcfd:prepare"),
            Some((39, "smpcfd:prepare".into()))
        );
        assert_eq!(step("smpcfd"), None);
    }
}
