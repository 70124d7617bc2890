// SPDX-License-Identifier: GPL-2.0-only

//! One cpumask for every unbound workqueue that was made without `WQ_SYSFS`.
//!
//! - `/sys/devices/virtual/workqueue/unbound_nosysfs/cpumask` restricts them, see [`attribute`].
//! - `unbound_nosysfs/members` in debugfs lists them, see [`members`].
//!
//! Loading the module restricts nothing, and unloading it lifts what was restricted.

#![deny(unsafe_code)]

use kernel::{
    debugfs,
    prelude::*,
    sysfs,
    workqueue::nosysfs, //
};

mod attribute;
mod members;

module! {
    type: UnboundNosysfs,
    name: "unbound_nosysfs",
    authors: ["Runtime CPU isolation maintainers"],
    description: "One cpumask for every unbound workqueue without WQ_SYSFS",
    license: "GPL v2",
    imports_ns: ["WQ_NOSYSFS"],
}

/// The files. Those that only look go first when the module is unloaded.
#[pin_data]
struct UnboundNosysfs {
    #[pin]
    _members: debugfs::File<()>,
    #[pin]
    _device: sysfs::Registration<attribute::Mask>,
}

impl kernel::InPlaceModule for UnboundNosysfs {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let dir = debugfs::Dir::new(c"unbound_nosysfs");

        try_pin_init!(Self {
            _members <- dir.read_callback_file(c"members", (), &members::show),
            _device <- sysfs::Registration::new(
                c"unbound_nosysfs",
                Some(nosysfs::sysfs_root().ok_or(ENODEV)?),
                &attribute::ATTRIBUTES,
                attribute::Mask::claim()?,
            ),
        })
    }
}
