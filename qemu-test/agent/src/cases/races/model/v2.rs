// SPDX-License-Identifier: GPL-2.0-only
//! cgroup v2: groups with partitions among them.

use anyhow::{Result, ensure};

use super::Layout;
use crate::mask::Mask;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Root,
    Isolated,
}

#[derive(Clone, Debug)]
pub struct Group {
    /// From the root on.
    pub path: String,
    pub cpus: Mask,
    /// What is left of its exclusive CPUs, online or not.
    pub exclusive: Mask,
    /// If it is a valid partition. Whether it can be one is cpuset's to say.
    pub partition: Option<Kind>,
}

impl Group {
    fn is_below(&self, other: &Self) -> bool {
        let rest = self.path.strip_prefix(&other.path);
        rest.is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Groups come before those below them.
pub fn layout(groups: &[Group], online: Mask) -> Layout {
    let partitions = || groups.iter().filter(|group| group.partition.is_some());
    let exclusive = |mask, group: &Group| mask | group.exclusive;
    let taken = partitions().fold(Mask(0), exclusive);
    let mut layout = Layout {
        taken,
        // A partition in another one has what it has.
        isolated: Some(
            partitions().fold(Mask(0), |mask, group| match group.partition {
                Some(Kind::Isolated) => mask | group.exclusive,
                _ => mask - group.exclusive,
            }),
        ),
        balanced: vec![online - taken],
        ..Layout::default()
    };
    layout.effective.insert(String::new(), online - taken);
    for group in groups {
        let inner = partitions().filter(|other| other.is_below(group));
        let parent = group.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let parent = layout.effective.get(parent).copied().unwrap_or_default();
        let effective = match (group.partition, group.cpus & parent) {
            (Some(_), _) => (group.exclusive & online) - inner.fold(Mask(0), exclusive),
            (None, Mask(0)) => parent,
            (None, cpus) => cpus,
        };
        if group.partition == Some(Kind::Root) {
            layout.balanced.push(effective);
        }
        layout.effective.insert(group.path.clone(), effective);
    }
    layout
}

/// No CPU has two owners, and none is balanced that is isolated by its own file.
pub fn is_sound(groups: &[Group], isolated: Mask) -> Result<()> {
    let partitions: Vec<_> = groups
        .iter()
        .filter(|group| group.partition.is_some())
        .collect();
    for (index, one) in partitions.iter().enumerate() {
        ensure!(
            !one.exclusive.is_empty(),
            "a partition without CPUs: {one:?}"
        );
        ensure!(
            one.partition == Some(Kind::Isolated) || (one.exclusive & isolated).is_empty(),
            "a root partition with isolated CPUs: {one:?}, {isolated} are isolated"
        );
        for other in &partitions[index + 1..] {
            let shared = other.exclusive & one.exclusive;
            let right = match other.is_below(one) {
                true => other.exclusive,
                false => Mask(0),
            };
            ensure!(shared == right, "{one:?} and {other:?} share {shared}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(path: &str, cpus: u64, partition: Option<(Kind, u64)>) -> Group {
        Group {
            path: path.into(),
            cpus: Mask(cpus),
            exclusive: Mask(partition.map_or(0, |(_, cpus)| cpus)),
            partition: partition.map(|(kind, _)| kind),
        }
    }

    #[test]
    fn members_share_what_partitions_leave() {
        let groups = [
            group("a", 0x30, Some((Kind::Isolated, 0x30))),
            group("b", 0x3c, None),
            group("c", 0x30, None),
        ];
        let layout = layout(&groups, Mask(0xef));
        assert_eq!(
            (layout.taken, layout.isolated),
            (Mask(0x30), Some(Mask(0x30)))
        );
        assert_eq!(layout.balanced, [Mask(0xcf)]);
        for (path, cpus) in [("", 0xcf), ("a", 0x20), ("b", 0x0c), ("c", 0xcf)] {
            assert_eq!(layout.effective[path], Mask(cpus), "/{path}");
        }
    }

    #[test]
    fn the_inner_partition_decides() {
        let groups = [
            group("c", 0x3c, Some((Kind::Isolated, 0x3c))),
            group("c/d", 0x0c, Some((Kind::Root, 0x0c))),
        ];
        let layout = layout(&groups, Mask(0xff));
        assert_eq!(
            (layout.taken, layout.isolated),
            (Mask(0x3c), Some(Mask(0x30)))
        );
        assert_eq!(layout.balanced, [Mask(0xc3), Mask(0x0c)]);
        assert_eq!(layout.effective["c"], Mask(0x30));
        is_sound(&groups, Mask(0x30)).unwrap();
    }

    #[test]
    fn a_cpu_has_one_owner() {
        let isolated = |path, cpus| group(path, cpus, Some((Kind::Isolated, cpus)));
        assert!(is_sound(&[isolated("a", 0x30), isolated("b", 0x40)], Mask(0x40)).is_ok());
        assert!(is_sound(&[isolated("a", 0x30), isolated("b", 0x20)], Mask(0)).is_err());
        assert!(is_sound(&[isolated("c", 0x30), isolated("c/d", 0x60)], Mask(0)).is_err());
        assert!(is_sound(&[group("a", 0x30, Some((Kind::Root, 0x30)))], Mask(0x20)).is_err());
        assert!(is_sound(&[isolated("a", 0)], Mask(0)).is_err());
    }

    #[test]
    fn the_beginning_of_a_name_is_no_parent() {
        let all = [
            group("c", 0x3, Some((Kind::Root, 0x3))),
            group("cd", 0x4, None),
        ];
        assert!(!all[1].is_below(&all[0]));
    }
}
