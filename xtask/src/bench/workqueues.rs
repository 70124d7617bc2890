// SPDX-License-Identifier: GPL-2.0-only
//! `bench workqueues`: the cost of a write against the number of workqueues.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use serde::{Deserialize, Serialize};

use super::BenchArgs;
use crate::exit::{Code, Failure};
use crate::guest::case::{Request, Stage};
use crate::guest::provision::Flavour;
use crate::project::Project;

const CASE: &str = "bench-workqueues";
const TOTAL: Duration = Duration::from_secs(900);
/// How much longer than a write to the global file one to ours may take.
const LIMIT: f64 = 1.2;

/// What the agent measured.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    rows: Vec<Row>,
}

/// Writes of the same masks to both files, in turn.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Row {
    members: u64,
    ours_ns: Vec<u64>,
    global_ns: Vec<u64>,
}

impl Row {
    fn ratio(&self) -> Result<f64> {
        Ok(median(&self.ours_ns)? / median(&self.global_ns)?)
    }
}

pub fn run(project: &Project, args: &BenchArgs) -> Result<u8> {
    let machine = args.machine.machine()?;
    let stage = Stage::prepare(
        project,
        &[Flavour::Patched],
        machine.accel,
        args.machine.dry_run,
    )?;
    let found = stage.run::<Measured>(&Request {
        case: CASE,
        kernel: Flavour::Patched,
        machine: &machine,
        total: TOTAL,
        seconds: None,
    })?;
    let Some(measured) = found.artifact else {
        return Ok(found.code);
    };
    args.keep(&measured)?;
    println!("{}", table(&measured.rows)?);
    let worst = worst(&measured.rows)?;
    println!("At worst {worst:.2} times as long as a write to the global file.");
    ensure!(
        worst <= LIMIT,
        Failure::new(Code::TestFailed, format!("that is over {LIMIT}"))
    );
    Ok(found.code)
}

fn table(rows: &[Row]) -> Result<Table> {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header([
        "workqueues",
        "unbound_nosysfs/cpumask, ms",
        "cpumask, ms",
        "ratio",
    ]);
    for row in rows {
        let ms = |times: &[u64]| Ok::<_, anyhow::Error>(format!("{:.2}", median(times)? / 1e6));
        table.add_row([
            row.members.to_string(),
            ms(&row.ours_ns)?,
            ms(&row.global_ns)?,
            format!("{:.2}", row.ratio()?),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(table)
}

fn worst(rows: &[Row]) -> Result<f64> {
    let ratios = rows.iter().map(Row::ratio).collect::<Result<Vec<_>>>()?;
    let worst = ratios.into_iter().reduce(f64::max);
    worst.context("the guest measured nothing")
}

fn median(times: &[u64]) -> Result<f64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let middle = times.get(times.len() / 2);
    let middle = middle.context("the guest measured no write")?;
    Ok(*middle as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: &[u64], global: &[u64]) -> Row {
        Row {
            members: 10,
            ours_ns: ours.to_vec(),
            global_ns: global.to_vec(),
        }
    }

    #[test]
    fn an_outlier_is_not_the_middle() {
        assert!((row(&[1, 900, 2], &[4, 4, 1]).ratio().unwrap() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_worst_row_counts() {
        let rows = [row(&[1], &[2]), row(&[3], &[2]), row(&[1], &[1])];
        assert!((worst(&rows).unwrap() - 1.5).abs() < 1e-9);
    }

    #[test]
    fn nothing_measured_is_no_result() {
        assert!(worst(&[]).is_err());
        assert!(worst(&[row(&[], &[1])]).is_err());
    }
}
