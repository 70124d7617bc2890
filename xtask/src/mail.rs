// SPDX-License-Identifier: GPL-2.0-only
//! A patch as git-mailinfo takes it apart.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::exit::{Code, Failure};
use crate::git::git;

#[derive(Debug)]
pub struct Mail {
    pub name: String,
    pub email: String,
    pub date: String,
    pub message: PathBuf,
    pub diff: PathBuf,
}

impl Mail {
    pub fn split(repo: &Path, patch: &Path, scratch: &Path) -> Result<Self> {
        let (body, diff) = (scratch.join("body"), scratch.join("diff"));
        let mut command = git(repo);
        command
            .args(["mailinfo", "--encoding=UTF-8"])
            .arg(&body)
            .arg(&diff);
        let mail = fs::File::open(patch)?;
        // Not by `cmd`: the patch is the command's input.
        let output = command
            .stdin(mail)
            .output()
            .context("starting git mailinfo")?;
        ensure!(
            output.status.success(),
            "git mailinfo: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let headers = String::from_utf8(output.stdout)?;
        let header = |name: &str| {
            let start = format!("{name}: ");
            let value = headers.lines().find_map(|line| line.strip_prefix(&start));
            match value {
                Some(value) => Ok(value.to_owned()),
                None => bail!(Failure::new(
                    Code::Patch,
                    format!("it has no header `{name}:`")
                )),
            }
        };
        let message = scratch.join("message");
        fs::write(
            &message,
            format!("{}\n\n{}", header("Subject")?, fs::read_to_string(body)?),
        )?;
        Ok(Self {
            name: header("Author")?,
            email: header("Email")?,
            date: header("Date")?,
            message,
            diff,
        })
    }
}
