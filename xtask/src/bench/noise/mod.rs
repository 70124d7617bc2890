// SPDX-License-Identifier: GPL-2.0-only
//! `bench noise`: what disturbs a busy task on CPU 3, by the way that the CPU is isolated.

mod plot;
mod verdict;

use std::iter;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{BenchArgs, HARDWARE};
use crate::exit::{Code, Failure};
use crate::guest::case::{Request, Stage};
use crate::guest::provision::Flavour;
use crate::project::Project;

/// Names of the columns, what is added to the kernel's command line, and the agent's cases.
const WAYS: [(&str, &str, &str); 4] = [
    ("nothing", "", "bench-noise-bare"),
    ("cgroup partition", "", "bench-noise-partition"),
    (
        "boot parameters",
        "isolcpus=domain,managed_irq,nohz,3 rcu_nocbs=3",
        "bench-noise-at-boot",
    ),
    ("three lines", "", "bench-noise-three-lines"),
];
/// Of a task, of a vCPU and by the osnoise tracer.
const COUNTS: u32 = 3;
/// What a guest has to do besides.
const BESIDES: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub struct NoiseArgs {
    /// Count for so long
    #[arg(long, value_name = "N", default_value_t = 60)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Draw what was counted into this file, too
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// What the agent counted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    rows: IndexMap<String, u64>,
}

/// What all guests counted in so many seconds, in the order of `ways`.
#[derive(Debug, Serialize)]
struct Measured {
    ways: [&'static str; WAYS.len()],
    seconds: u64,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    counts: [u64; WAYS.len()],
}

impl Row {
    fn is_something(&self) -> bool {
        self.counts.iter().any(|&count| count > 0)
    }
}

pub fn run(project: &Project, args: &BenchArgs, noise: &NoiseArgs) -> Result<u8> {
    let asked = args.machine.machine()?;
    ensure!(
        asked.cpus >= 4,
        Failure::new(
            Code::Usage,
            "the benchmark isolates CPU 3: it needs --cpus 4 or more"
        )
    );
    let stage = Stage::prepare(
        project,
        &[Flavour::Patched],
        asked.accel,
        args.machine.dry_run,
    )?;
    let mut counted = Vec::new();
    for (_, parameters, case) in WAYS {
        let mut machine = asked.clone();
        machine.append = [HARDWARE, parameters, &asked.append].join(" ");
        let found = stage.run::<Counted>(&Request {
            case,
            kernel: Flavour::Patched,
            machine: &machine,
            total: BESIDES + COUNTS * Duration::from_secs(noise.seconds),
            seconds: Some(noise.seconds),
        })?;
        if found.code != 0 {
            return Ok(found.code);
        }
        counted.extend(found.artifact);
    }
    if args.machine.dry_run {
        return Ok(0);
    }
    let counted: Result<_, _> = counted.try_into();
    let counted = counted.map_err(|_| anyhow!("a guest has counted nothing"))?;
    let measured = measured(noise.seconds, &counted)?;
    args.keep(&measured)?;
    let title = format!("CPU 3 with one busy task, in {} s", noise.seconds);
    if let Some(file) = &noise.svg {
        plot::draw(&measured.rows, &title, file)?;
    }
    println!("{}", table(&measured.rows, &title));
    let complaints = verdict::complaints(&measured.rows)?;
    ensure!(
        complaints.is_empty(),
        Failure::new(Code::TestFailed, complaints.join("; "))
    );
    println!("The three lines are equal to the boot parameters in every row.");
    Ok(0)
}

/// Each guest must have counted the same: what one has not, it has not found to be 0.
fn measured(seconds: u64, counted: &[Counted; WAYS.len()]) -> Result<Measured> {
    let [first, ..] = counted;
    let mut rows = Vec::new();
    for name in first.rows.keys() {
        let mut counts = [0; WAYS.len()];
        for (count, guest) in counts.iter_mut().zip(counted) {
            let found = guest.rows.get(name);
            *count = *found.with_context(|| format!("a guest has not counted {name}"))?;
        }
        let name = name.clone();
        rows.push(Row { name, counts });
    }
    ensure!(
        counted.iter().all(|guest| guest.rows.len() == rows.len()),
        "a guest has counted more than another one"
    );
    Ok(Measured {
        ways: WAYS.map(|(name, ..)| name),
        seconds,
        rows,
    })
}

/// All rows but those of softirqs that ran in no guest.
fn table(rows: &[Row], title: &str) -> Table {
    let mut table = Table::new();
    let ways = WAYS.map(|(name, ..)| name);
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_header(iter::once(title).chain(ways));
    let is_shown = |row: &&Row| row.is_something() || !row.name.ends_with(" softirqs");
    for row in rows.iter().filter(is_shown) {
        let cells = row.counts.iter().map(u64::to_string);
        table.add_row(iter::once(row.name.clone()).chain(cells));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(rows: &[(&str, u64)]) -> Counted {
        let rows = rows.iter().map(|&(name, count)| (name.into(), count));
        Counted {
            rows: rows.collect(),
        }
    }

    #[test]
    fn each_guest_is_a_column() {
        let guest = |ticks| counted(&[("ticks", ticks), ("faults", 0)]);
        let measured = measured(1, &[guest(250), guest(251), guest(1), guest(2)]).unwrap();
        assert_eq!(measured.rows[0].name, "ticks");
        assert_eq!(measured.rows[0].counts, [250, 251, 1, 2]);
        assert_eq!(measured.rows[1].counts, [0; 4]);
    }

    #[test]
    fn what_was_not_counted_is_not_none() {
        let (less, more) = (|| counted(&[("a", 0)]), || counted(&[("a", 0), ("b", 0)]));
        assert!(measured(1, &[less(), less(), less(), less()]).is_ok());
        assert!(measured(1, &[more(), more(), more(), less()]).is_err());
        assert!(measured(1, &[less(), less(), less(), more()]).is_err());
    }

    #[test]
    fn softirqs_that_ran_nowhere_are_left_out() {
        let row = |name: &str, counts| Row {
            name: name.into(),
            counts,
        };
        let rows = [
            row("page faults", [0; 4]),
            row("HI softirqs", [0; 4]),
            row("RCU softirqs", [0, 7, 0, 0]),
        ];
        let table = table(&rows, "title").to_string();
        assert!(table.contains("page faults") && table.contains("RCU"));
        assert!(!table.contains("HI"));
    }
}
