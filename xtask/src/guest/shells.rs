// SPDX-License-Identifier: GPL-2.0-only
//! busybox and bash for the guest: the distribution's static builds, unpacked in the cache.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::apt::Apt;
use crate::exit::{Code, Failure};
use crate::project::Project;

/// A program and the package that has it.
struct Shell {
    package: &'static str,
    /// Where the package has it, in older and newer releases.
    places: [&'static str; 2],
}

const BUSYBOX: Shell = Shell {
    package: "busybox-static",
    places: ["usr/bin/busybox", "bin/busybox"],
};

const BASH: Shell = Shell {
    package: "bash-static",
    places: ["usr/bin/bash-static", "bin/bash-static"],
};

pub fn busybox(project: &Project) -> Result<PathBuf> {
    BUSYBOX.prepare(project)
}

pub fn bash(project: &Project) -> Result<PathBuf> {
    BASH.prepare(project)
}

impl Shell {
    /// Finds it in the cache, or brings it there.
    fn prepare(&self, project: &Project) -> Result<PathBuf> {
        let home = project.cache.tools().join(self.package);
        if let Some(program) = self.within(&home) {
            return Ok(program);
        }
        let _lock = project.cache.lock()?;
        self.download(project, &home).with_context(|| {
            let message = format!("bringing {} for the guest", self.package);
            Failure::new(Code::Environment, message)
        })?;
        self.within(&home)
            .with_context(|| format!("the package {} has no {}", self.package, self.places[0]))
    }

    fn within(&self, home: &Path) -> Option<PathBuf> {
        let places = self.places.iter().map(|place| home.join(place));
        places.into_iter().find(|program| program.is_file())
    }

    fn download(&self, project: &Project, home: &Path) -> Result<()> {
        let package = Apt::open(project)?.download(self.package)?;
        let aside = project.cache.aside()?;
        package.unpack(aside.path())?;
        fs::create_dir_all(project.cache.tools())?;
        let _ = fs::remove_dir_all(home);
        fs::rename(aside.keep(), home).with_context(|| format!("making {}", home.display()))
    }
}
