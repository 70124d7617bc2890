// SPDX-License-Identifier: GPL-2.0-only

//! The file `cpumask`: the CPUs that the workqueues are restricted to, in hexadecimal.

use core::fmt::Write;

use kernel::{
    cpumask::CpumaskVar,
    prelude::*,
    str::Formatter,
    sysfs,
    workqueue::nosysfs, //
};

/// What the file shows and changes.
pub(crate) struct Mask(nosysfs::Restriction);

impl Mask {
    /// Fails with `EBUSY` where another module restricts the workqueues already.
    pub(crate) fn claim() -> Result<Self> {
        Ok(Self(nosysfs::Restriction::claim()?))
    }
}

#[vtable]
impl sysfs::AttributeOperations for Mask {
    fn show(&self, f: &mut Formatter<'_>) -> Result {
        f.write_fmt(fmt!("{}\n", &*self.0.cpumask()?))?;
        Ok(())
    }

    fn store(&self, text: &CStr) -> Result {
        self.0.set(&*CpumaskVar::parse(text, GFP_KERNEL)?)
    }
}

pub(crate) static ATTRIBUTES: [sysfs::Attribute<Mask>; 1] =
    [sysfs::Attribute::new::<0>(c"cpumask", 0o644)];

#[kunit_tests(unbound_nosysfs_attribute)]
mod tests {
    use super::*;

    /// The tests run when the module has the one restriction that there can be.
    #[test]
    fn there_is_one_restriction() {
        assert_eq!(Mask::claim().err(), Some(EBUSY));
    }
}
