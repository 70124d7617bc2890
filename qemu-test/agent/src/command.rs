// SPDX-License-Identifier: GPL-2.0-only
//! Programs: one on the stdio port, or others for what they say.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

use agent::port;
use anyhow::{Context, Result};

use crate::ports;

/// As shells have it: the command is not there.
const NOT_FOUND: i32 = 127;

/// Runs it; its exit status.
pub fn run(argv: &[String]) -> Result<i32> {
    let stdio = ports::open(port::STDIO)?;
    let (program, args) = argv.split_first().context("the job has an empty command")?;
    let child = environment(&mut Command::new(program))
        .args(args)
        .stdin(stdio.try_clone()?)
        .stdout(stdio.try_clone()?)
        .stderr(stdio.try_clone()?)
        .spawn();
    match child {
        Ok(mut child) => Ok(status(child.wait().context("waiting for the command")?)),
        Err(error) => {
            use std::io::Write;
            writeln!(&stdio, "{program}: {error}")?;
            Ok(NOT_FOUND)
        }
    }
}

/// What a program said and how it ended, as shells have it.
pub struct Said {
    pub text: String,
    pub exit: i32,
}

/// Where programs say it: in a pipe, one that they leave behind would keep us waiting.
const SAID: &str = "/tmp/said";

/// Runs a program and listens to it.
pub fn said(command: &mut Command) -> Result<Said> {
    let file = File::create(SAID).with_context(|| format!("making {SAID}"))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("running {command:?}"))?;
    let text = fs::read(SAID).with_context(|| format!("reading {SAID}"))?;
    Ok(Said {
        text: String::from_utf8_lossy(&text).into_owned(),
        exit: self::status(status),
    })
}

/// What programs of the guest find set.
pub fn environment(command: &mut Command) -> &mut Command {
    command
        .env("PATH", "/bin")
        .env("HOME", "/root")
        .env("TERM", "linux")
        .current_dir("/root")
}

/// As shells have it: 128 and the signal for those that were killed.
pub fn status(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
