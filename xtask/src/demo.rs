// SPDX-License-Identifier: GPL-2.0-only
//! `demo`: CPU 3 of 4 before and after the three lines, side by side.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::MachineArgs;
use crate::exit::{Code, Failure};
use crate::guest::artifacts;
use crate::guest::outcome::{Problem, Report, Trouble};
use crate::guest::provision::{Flavour, Provisions};
use crate::guest::run::{Guest, Limits};
use crate::guest::splats::Splats;
use crate::project::Project;

/// The agent's case, and the artifact that it hands over.
const CASE: &str = "demo";
const LIMITS: Limits = Limits {
    total: Some(Duration::from_secs(180)),
    silence: Some(Duration::from_secs(60)),
};

/// Boots the guest, lets it isolate the CPU, and shows what it saw; the exit code.
pub fn run(project: &Project, args: &MachineArgs) -> Result<u8> {
    let machine = args.machine()?;
    ensure!(
        machine.cpus >= 4,
        Failure::new(
            Code::Usage,
            "the demo isolates CPU 3: it needs --cpus 4 or more"
        )
    );
    let provisions = Provisions::prepare(project, &[Flavour::Patched])?;
    let provision = provisions.of(Flavour::Patched)?;
    let splats = Splats::of(project)?;
    let guest = Guest {
        machine: &machine,
        kernel: &provision.image,
        initramfs: &provision.initramfs,
        job: json!({"mode": "cases", "cases": [CASE]}).to_string(),
        dir: project.runs().join("demo"),
        limits: LIMITS,
        splats: &splats,
        stdio: None,
        stop: Arc::default(),
    };
    if args.dry_run {
        println!("{}", guest.shell_line());
        return Ok(0);
    }
    eprintln!("Booting: {}", guest.shell_line());
    let report = guest.run(&mut |_| {})?;
    let artifacts = artifacts::parse(&report.data)?;
    artifacts::keep(&artifacts, &guest.dir)?;
    if let Some(seen) = artifacts.get(CASE) {
        let seen = serde_json::from_str(seen).context("reading what the guest saw")?;
        println!("{}", render(&seen));
    }
    Ok(conclude(&report))
}

/// Says what went wrong, if anything did.
fn conclude(report: &Report) -> u8 {
    let problem = match (report.death(), report.exit(), report.splat()) {
        (Some(problem), _, _) | (None, Err(problem), _) | (None, Ok(_), Some(problem)) => problem,
        (None, Ok(0), None) => return 0,
        (None, Ok(_), None) => {
            let failed: Vec<_> = report
                .ktap
                .lines()
                .filter(|line| line.contains("not ok"))
                .collect();
            Problem::new(
                Trouble::Failed,
                format!("the demo failed: {}", failed.join(", ")),
            )
        }
    };
    eprintln!("error: {problem}\n{}", report.console_tail());
    problem.code().into()
}

/// The artifact of the agent's case `demo`: what it saw, row by row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    before: Map<String, Value>,
    after: Map<String, Value>,
    verdict: String,
}

/// The table and the verdict under it.
fn render(seen: &Seen) -> String {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["CPU 3", "before", "after"]);
    let only_after = seen
        .after
        .keys()
        .filter(|row| !seen.before.contains_key(*row));
    for row in seen.before.keys().chain(only_after) {
        let cell = |side: &Map<String, Value>| side.get(row).map(text).unwrap_or_default();
        table.add_row([row.clone(), cell(&seen.before), cell(&seen.after)]);
    }
    format!("{table}\n{}", seen.verdict)
}

/// A list has one line an entry.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(entries) if entries.is_empty() => "-".into(),
        Value::Array(entries) => entries.iter().map(text).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_and_after_stand_side_by_side() {
        let seen = serde_json::from_str(
            r#"{"before": {"may run here": ["a", "b"], "sched domains": "MC"},
                "after": {"may run here": [], "isolated": 1}, "verdict": "CPU 3 is isolated."}"#,
        )
        .unwrap();
        let text = render(&seen);
        let row = |name: &str| {
            text.lines()
                .find(|line| line.contains(name))
                .unwrap()
                .to_owned()
        };
        assert!(row("may run here").contains(" a ") && row("may run here").contains(" - "));
        assert!(row("sched domains").contains("MC"));
        assert!(row("isolated").contains('1'));
        assert!(text.ends_with("\nCPU 3 is isolated."));
    }
}
