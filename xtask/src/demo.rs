// SPDX-License-Identifier: GPL-2.0-only
//! `demo`: CPU 3 of 4 before and after the three lines, side by side.

use std::time::Duration;

use anyhow::{Result, ensure};
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::MachineArgs;
use crate::exit::{Code, Failure};
use crate::guest::case::{Request, Stage};
use crate::guest::provision::Flavour;
use crate::project::Project;

const CASE: &str = "demo";
const TOTAL: Duration = Duration::from_secs(180);

pub fn run(project: &Project, args: &MachineArgs) -> Result<u8> {
    let machine = args.machine()?;
    ensure!(
        machine.cpus >= 4,
        Failure::new(
            Code::Usage,
            "the demo isolates CPU 3: it needs --cpus 4 or more"
        )
    );
    let found = Stage::prepare(project, &[Flavour::Patched], machine.accel, args.dry_run)?.run(
        &Request {
            case: CASE,
            kernel: Flavour::Patched,
            machine: &machine,
            total: TOTAL,
            seconds: None,
        },
    )?;
    if let Some(seen) = found.artifact {
        println!("{}", render(&seen));
    }
    Ok(found.code)
}

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
