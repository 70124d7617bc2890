// SPDX-License-Identifier: GPL-2.0-only
//! What tuned does: it writes a mask to each cpumask file below /sys/devices/virtual/workqueue.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{OURS, all_have};
use crate::cases::{Case, Context, expect};
use crate::command;
use crate::mask::Mask;

pub const CASE: Case = Case {
    name: "module-tuned-glob",
    doc: "a shell loop over /sys/devices/virtual/workqueue/*/cpumask sets and reads our mask, too",
    run,
};

const GLOB: &str = "/sys/devices/virtual/workqueue/*/cpumask";
const MASK: Mask = Mask(0x3);

fn run(context: &mut Context) -> Result<()> {
    let _module = super::load()?;
    let before = shell(&format!(
        "for file in {GLOB}; do echo $file $(cat $file); done"
    ))?;
    let after = shell(&format!(
        "for file in {GLOB}; do echo {MASK} > $file && echo $file $(cat $file); done"
    ))?;
    let expected: Vec<_> = before
        .iter()
        .map(|(file, _)| (file.clone(), MASK))
        .collect();
    context.check("each file has what was written", expect(after, expected));
    let ours = before.iter().any(|(file, _)| file == OURS);
    context.check("ours is among them", expect(ours, true));
    context.check("the members have it", all_have(MASK));
    for (file, mask) in before {
        super::write(&file, mask)?;
    }
    Ok(())
}

/// The files that a script tells of, each with its mask.
fn shell(script: &str) -> Result<Vec<(String, Mask)>> {
    let output = command::environment(&mut Command::new("/bin/sh"))
        .args(["-c", script])
        .output()
        .context("starting a shell")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && said.is_empty(),
        "the shell says: {said}"
    );
    let text = String::from_utf8(output.stdout)?;
    let told = |line: &str| {
        let (file, mask) = line
            .split_once(' ')
            .with_context(|| format!("it says {line:?}"))?;
        Ok((file.to_owned(), mask.parse()?))
    };
    text.lines().map(told).collect()
}
