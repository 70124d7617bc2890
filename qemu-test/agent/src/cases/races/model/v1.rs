// SPDX-License-Identifier: GPL-2.0-only
//! cpuset as cgroup v1 has it: no partitions, but flags that say where tasks are balanced.

use super::Layout;
use crate::mask::Mask;

#[derive(Clone, Debug)]
pub struct Group {
    /// From the root on. The root itself is a group, too: "".
    pub path: String,
    pub cpus: Mask,
    /// sched_load_balance.
    pub balanced: bool,
}

impl Group {
    fn is_below(&self, other: &Self) -> bool {
        let rest = self.path.strip_prefix(&other.path);
        rest.is_some_and(|rest| rest.starts_with('/') || other.path.is_empty() && !rest.is_empty())
    }
}

pub fn layout(groups: &[Group]) -> Layout {
    let mut balanced = Vec::new();
    for group in groups.iter().filter(|group| group.balanced) {
        // What a group balances it balances for those below.
        let covered = |other: &Group| other.balanced && group.is_below(other);
        if !group.cpus.is_empty() && !groups.iter().any(covered) {
            balanced = merged(balanced, group.cpus);
        }
    }
    Layout {
        effective: groups
            .iter()
            .map(|group| (group.path.clone(), group.cpus))
            .collect(),
        balanced,
        ..Layout::default()
    }
}

/// One more set. Those that have a CPU in common become one.
fn merged(sets: Vec<Mask>, new: Mask) -> Vec<Mask> {
    let (common, mut apart): (Vec<_>, Vec<_>) =
        sets.into_iter().partition(|&set| !(set & new).is_empty());
    apart.push(common.into_iter().fold(new, |all, set| all | set));
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balanced(groups: &[(&str, u64, bool)]) -> Vec<Mask> {
        let group = |&(path, cpus, balanced): &(&str, u64, bool)| Group {
            path: path.into(),
            cpus: Mask(cpus),
            balanced,
        };
        layout(&groups.iter().map(group).collect::<Vec<_>>()).balanced
    }

    #[test]
    fn the_root_balances_for_all() {
        assert_eq!(
            balanced(&[("", 0xff, true), ("a", 0x3, true)]),
            [Mask(0xff)]
        );
    }

    #[test]
    fn without_it_each_group_is_on_its_own() {
        let sets = balanced(&[
            ("", 0xff, false),
            ("a", 0x03, true),
            ("b", 0x0c, false),
            ("c", 0x30, true),
            ("c/d", 0x10, true),
            ("e", 0, true),
        ]);
        assert_eq!(sets, [Mask(0x03), Mask(0x30)]);
    }

    #[test]
    fn groups_that_overlap_balance_together() {
        let sets = balanced(&[("a", 0x03, true), ("b", 0x30, true), ("c", 0x12, true)]);
        assert_eq!(sets, [Mask(0x33)]);
    }
}
