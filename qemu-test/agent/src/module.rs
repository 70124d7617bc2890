// SPDX-License-Identifier: GPL-2.0-only
//! The kernel modules that the guest has.

use std::ffi::CString;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::OFlags;
use rustix::system::{delete_module, finit_module};

const ROOT: &str = "/modules";

/// Loads a module, with parameters such as "a=1 b=0".
pub fn load(name: &str, parameters: &str) -> Result<()> {
    let path = format!("{ROOT}/{name}.ko");
    let file = File::open(&path).with_context(|| format!("opening {path}"))?;
    finit_module(&file, &CString::new(parameters)?, 0).with_context(|| format!("loading {path}"))
}

/// Unloads a module, without waiting for somebody who may never be done with it, as rmmod.
pub fn unload(name: &str) -> Result<()> {
    let flags = OFlags::NONBLOCK.bits() as i32;
    delete_module(&CString::new(name)?, flags).with_context(|| format!("unloading {name}"))
}

pub fn is_loaded(name: &str) -> bool {
    Path::new("/sys/module").join(name).exists()
}

/// A loaded module. It is unloaded with it.
#[derive(Debug)]
pub struct Module(String);

impl Module {
    pub fn load(name: &str, parameters: &str) -> Result<Self> {
        load(name, parameters)?;
        Ok(Self(name.into()))
    }

    /// One that others load and unload.
    pub fn of_others(name: &str) -> Self {
        Self(name.into())
    }

    /// For those who want to know whether that goes well.
    pub fn unload(self) -> Result<()> {
        unload(&self.0)
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        let _ = unload(&self.0);
    }
}
