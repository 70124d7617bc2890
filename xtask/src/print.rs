// SPDX-License-Identifier: GPL-2.0-only
//! `print`: where things are, for scripts. Nothing is built for it.

use anyhow::{Result, ensure};

use crate::cli::What;
use crate::exit::{Code, Failure};
use crate::guest::provision::Flavour;
use crate::kernel::Kernel;
use crate::project::Project;

pub fn print(project: &Project, what: What, flavour: Flavour) -> Result<()> {
    let kernel = Kernel::of(project, flavour)?;
    let (path, verb) = match what {
        What::Image => (kernel.image(), "build"),
        What::Initramfs => (project.cache.initramfs_of(&kernel.name), "boot -- true"),
        What::Tree => (kernel.tree, "build"),
        What::Build => (kernel.build, "build"),
        What::Config => (kernel.config(), "build"),
        What::Module => {
            let message = || format!("the kernel {} has no place for the module", kernel.name);
            ensure!(kernel.takes_modules(), Failure::new(Code::Usage, message()));
            (kernel.module("unbound_nosysfs"), "build")
        }
    };
    let flavour = match (flavour, verb) {
        (Flavour::Patched, _) | (_, "boot -- true") => "",
        (Flavour::Stock, _) => " stock",
        (Flavour::Debug, _) => " debug",
        (Flavour::Force, _) => " force",
        (Flavour::Kcsan, _) => " kcsan",
    };
    ensure!(
        path.exists(),
        Failure::new(
            Code::Environment,
            format!(
                "{} is not there yet: run `cargo xtask {verb}{flavour}`",
                path.display()
            )
        )
    );
    println!("{}", path.display());
    Ok(())
}
