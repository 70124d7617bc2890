// SPDX-License-Identifier: GPL-2.0-only

//! The file `members` in debugfs: a line for each workqueue that the mask restricts, with the CPUs
//! its work items may run on, its flags, and its name.

use kernel::{
    fmt,
    prelude::*,
    workqueue::nosysfs::{
        self,
        Flag,
        Flags, //
    },
};

/// Writes the whole file.
pub(crate) fn show(_: &(), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    nosysfs::for_each(|workqueue| {
        let (cpumask, flags) = (workqueue.cpumask(), Names(workqueue.flags()));
        f.write_fmt(fmt!("{cpumask} {flags} {}\n", workqueue.name()))?;
        Ok(())
    })
    .map_err(|_| fmt::Error)
}

/// The names of flags with commas between them, or `-` where there is none.
struct Names(Flags);

const NAMES: [(Flag, &str); 6] = [
    (Flag::Ordered, "ordered"),
    (Flag::Highpri, "highpri"),
    (Flag::MemReclaim, "mem_reclaim"),
    (Flag::Freezable, "freezable"),
    (Flag::CpuIntensive, "cpu_intensive"),
    (Flag::PowerEfficient, "power_efficient"),
];

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = NAMES
            .iter()
            .filter(|(flag, _)| self.0.contains(*flag))
            .map(|(_, name)| name);

        f.write_str(names.next().unwrap_or(&"-"))?;
        names.try_for_each(|name| write!(f, ",{name}"))
    }
}

#[kunit_tests(unbound_nosysfs_members)]
mod tests {
    use super::*;
    use kernel::str::CString;

    fn text(flags: Flags) -> Result<CString> {
        CString::try_from_fmt(fmt!("{}", Names(flags)))
    }

    #[test]
    fn flags_have_names() -> Result {
        assert_eq!(text(Flags::default())?.to_bytes(), b"-");
        assert_eq!(text(Flag::Highpri.into())?.to_bytes(), b"highpri");
        assert_eq!(
            text(Flag::Freezable | Flag::Ordered)?.to_bytes(),
            b"ordered,freezable"
        );
        Ok(())
    }

    #[test]
    fn each_flag_has_a_name_of_its_own() -> Result {
        let all = NAMES
            .iter()
            .fold(Flags::default(), |flags, (flag, _)| flags | *flag);

        assert_eq!(
            text(all)?.to_bytes(),
            b"ordered,highpri,mem_reclaim,freezable,cpu_intensive,power_efficient"
        );
        Ok(())
    }

    /// One that every kernel has, made when it booted.
    #[test]
    fn the_system_s_workqueues_are_members() -> Result {
        let mut found = 0;

        nosysfs::for_each(|workqueue| {
            if workqueue.name() == c"events_unbound" {
                assert!(!workqueue.flags().contains(Flag::Ordered));
                assert!(!workqueue.cpumask().empty());
                found += 1;
            }
            Ok(())
        })?;
        assert_ne!(found, 0);
        Ok(())
    }
}
