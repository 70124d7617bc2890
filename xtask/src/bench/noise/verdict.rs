// SPDX-License-Identifier: GPL-2.0-only
//! What must be so: the three lines do all that the boot parameters do, and the tick is gone.

use anyhow::{Context, Result};

use super::Row;

/// Rows that have a meaning here, as the agent calls them: of each of these tasks.
const TASKS: [&str; 2] = ["task", "vCPU"];
const TICKS: &str = "local timer interrupts";
const FAULTS: &str = "page faults";

/// What is not as it must be. Where nothing is isolated there are ticks, or they are not seen.
pub fn complaints(rows: &[Row]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for task in TASKS {
        // One that does nothing but burn time has none. Then what was counted is not its noise.
        if counts(rows, task, FAULTS)? != [0; 4] {
            complaints.push(format!("the {task} had page faults"));
        }
        let [bare, .., ticks] = counts(rows, task, TICKS)?;
        if bare == 0 {
            complaints.push(format!("{task}: no {TICKS} on a CPU that is not isolated"));
        }
        if ticks > 0 {
            complaints.push(format!("{task}: {ticks} {TICKS} after the three lines"));
        }
    }
    for row in rows {
        let [.., boot, lines] = row.counts;
        if boot != lines {
            let name = &row.name;
            complaints.push(format!(
                "{name}: {boot} with the boot parameters, {lines} after the three lines"
            ));
        }
    }
    Ok(complaints)
}

fn counts(rows: &[Row], task: &str, what: &str) -> Result<[u64; 4]> {
    let name = format!("{task}: {what}");
    let row = rows.iter().find(|row| row.name == name);
    let row = row.with_context(|| format!("nobody has counted {name}"))?;
    Ok(row.counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Complaints about these two rows of the task and one more.
    fn about(ticks: [u64; 4], faults: [u64; 4], other: [u64; 4]) -> Vec<String> {
        let rows = [
            ("task: local timer interrupts", ticks),
            ("task: page faults", faults),
            ("vCPU: local timer interrupts", [1, 1, 0, 0]),
            ("vCPU: page faults", [0; 4]),
            ("work items", other),
        ];
        let rows = rows.map(|(name, counts)| Row {
            name: name.into(),
            counts,
        });
        complaints(&rows).unwrap()
    }

    #[test]
    fn only_the_last_two_must_be_equal() {
        assert!(about([250, 251, 0, 0], [0; 4], [7, 8, 9, 9]).is_empty());
        let said = about([250, 250, 0, 0], [0; 4], [9, 9, 9, 8]);
        assert_eq!(
            said,
            ["work items: 9 with the boot parameters, 8 after the three lines"]
        );
        assert_eq!(about([250, 250, 0, 0], [0; 4], [9, 9, 8, 9]).len(), 1);
    }

    #[test]
    fn no_tick_is_allowed_even_if_the_boot_parameters_leave_some() {
        let said = about([250, 250, 2, 2], [0; 4], [0; 4]);
        assert_eq!(
            said,
            ["task: 2 local timer interrupts after the three lines"]
        );
        assert_eq!(about([250, 0, 0, 1], [0; 4], [0; 4]).len(), 2);
    }

    #[test]
    fn ticks_are_seen_where_they_must_be() {
        let said = about([0; 4], [0; 4], [0; 4]);
        assert_eq!(
            said,
            ["task: no local timer interrupts on a CPU that is not isolated"]
        );
    }

    #[test]
    fn the_task_is_the_one_that_was_meant() {
        let said = about([1, 0, 0, 0], [0, 3, 0, 0], [0; 4]);
        assert_eq!(said, ["the task had page faults"]);
    }

    #[test]
    fn rows_that_are_missing_are_no_success() {
        assert!(complaints(&[]).is_err());
    }
}
