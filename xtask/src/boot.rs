// SPDX-License-Identifier: GPL-2.0-only
//! `boot`: a shell in the guest, or one command with its exit status.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::MachineArgs;
use crate::exit::Code;
use crate::guest::outcome::{End, Report};
use crate::guest::provision::{Flavour, Provision, Provisions};
use crate::guest::qemu::Machine;
use crate::guest::run::{Guest, Limits};
use crate::guest::splats::Splats;
use crate::guest::stdio::{self, Stdio};
use crate::project::Project;
use crate::toolchain::qemu::Qemu;

/// Boots the patched kernel; the exit code for the shell that called us.
pub fn run(
    project: &Project,
    args: &MachineArgs,
    timeout: Option<u64>,
    command: &[String],
) -> Result<u8> {
    let machine = args.machine()?;
    let provisions = Provisions::prepare(project, &[Flavour::Patched].into(), machine.accel)?;
    let request = Request {
        qemu: &provisions.qemu,
        provision: provisions.of(Flavour::Patched)?,
        machine: &machine,
        splats: &Splats::of(project)?,
        command,
        timeout: timeout.map(Duration::from_secs),
        dir: project.runs().join("boot"),
    };
    if args.dry_run {
        println!("{}", request.dry_run());
        return Ok(0);
    }
    request.run()
}

struct Request<'a> {
    qemu: &'a Qemu,
    provision: &'a Provision,
    machine: &'a Machine,
    splats: &'a Splats,
    /// Empty for a shell.
    command: &'a [String],
    timeout: Option<Duration>,
    /// Where the logs go.
    dir: PathBuf,
}

impl Request<'_> {
    /// The exact QEMU line.
    fn dry_run(&self) -> String {
        self.guest(Arc::default()).shell_line()
    }

    fn run(&self) -> Result<u8> {
        let stdio = Stdio::listen()?;
        let guest = self.guest(Arc::clone(&stdio.stop));
        let is_shell = self.command.is_empty() && io::stdin().is_terminal();
        if is_shell {
            let console = self.dir.join("console.log");
            eprintln!(
                "`exit` or Ctrl-] ends the guest; kernel log: {}",
                console.display()
            );
        }
        let serving = stdio.serve(is_shell)?;
        let report = guest.run(&mut |_| {});
        // The terminal is our own again before anything is said on it.
        drop(serving);
        Ok(conclude(&report?))
    }

    fn guest(&self, stop: Arc<std::sync::atomic::AtomicBool>) -> Guest<'_> {
        Guest {
            qemu: self.qemu,
            machine: self.machine,
            kernel: &self.provision.image,
            initramfs: vec![&self.provision.initramfs],
            job: job(self.command).to_string(),
            dir: self.dir.clone(),
            // A person or a command may be silent for as long as it likes.
            limits: Limits {
                total: self.timeout,
                silence: None,
            },
            splats: self.splats,
            stdio: Some(stdio::socket_name()),
            stop,
        }
    }
}

fn job(command: &[String]) -> Value {
    if !command.is_empty() {
        return json!({"mode": "command", "argv": command});
    }
    let (rows, cols) = stdio::terminal_size().unwrap_or((24, 80));
    json!({"mode": "shell", "rows": rows, "cols": cols})
}

/// Says what went wrong, and makes the exit code.
fn conclude(report: &Report) -> u8 {
    if let Some(splat) = report.splat() {
        eprintln!("warning: {splat}");
    }
    if report.end == End::Stopped {
        return Code::Interrupted.into();
    }
    let outcome = match report.death() {
        Some(death) => Err(death),
        None => report.exit(),
    };
    match outcome {
        // The guest's own status, as a shell would have it.
        Ok(status) => u8::try_from(status).unwrap_or(u8::MAX),
        Err(problem) => {
            eprintln!("error: {problem}\n{}", report.console_tail());
            problem.code().into()
        }
    }
}
