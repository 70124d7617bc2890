// SPDX-License-Identifier: GPL-2.0-only
//! The kernel modules that the guest has.

use std::ffi::CString;
use std::fs::File;

use anyhow::{Context, Result};
use rustix::fs::OFlags;
use rustix::system::{delete_module, finit_module};

const ROOT: &str = "/modules";

/// A loaded module. It is unloaded with it.
#[derive(Debug)]
pub struct Module(CString);

impl Module {
    /// Loads it, with parameters such as "a=1 b=0".
    pub fn load(name: &str, parameters: &str) -> Result<Self> {
        let path = format!("{ROOT}/{name}.ko");
        let file = File::open(&path).with_context(|| format!("opening {path}"))?;
        finit_module(&file, &CString::new(parameters)?, 0)
            .with_context(|| format!("loading {path}"))?;
        Ok(Self(CString::new(name)?))
    }

    /// Unloads it, for those who want to know whether that goes well.
    pub fn unload(self) -> Result<()> {
        self.delete()
            .with_context(|| format!("unloading {:?}", self.0))
    }

    /// Without waiting for somebody who may never be done with it, as rmmod.
    fn delete(&self) -> rustix::io::Result<()> {
        delete_module(&self.0, OFlags::NONBLOCK.bits() as i32)
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        let _ = self.delete();
    }
}
