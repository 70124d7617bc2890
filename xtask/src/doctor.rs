// SPDX-License-Identifier: GPL-2.0-only
//! `doctor`: what this machine has, what it lacks, and the command that brings it.

use std::process::Command;

use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use crate::cmd;
use crate::deps;
use crate::exit::Code;
use crate::guest::accel::{self, Accel};
use crate::guest::provision::Flavour;
use crate::kernel::Kernel;
use crate::packages::NEEDS;
use crate::project::Project;
use crate::toolchain::{Toolchain, bindgen, llvm, qemu, rust};
use crate::tree::Trees;

/// One line of the diagnosis.
struct Finding {
    what: String,
    needed: String,
    found: Option<String>,
    /// What a person can do about it.
    remedy: String,
    /// Whether the other verbs do that by themselves.
    automatic: bool,
}

/// Says what there is; the exit code.
pub fn run(project: &Project, install: bool) -> Result<u8> {
    if install {
        let lock = project.cache.lock()?;
        deps::ensure(project)?;
        Toolchain::prepare(project)?;
        drop(lock);
        qemu::prepare(project, accel::best())?;
    }
    let findings = findings(project)?;
    println!("{}", table(&findings));
    println!("guests run on {}", acceleration());
    let missing = findings
        .iter()
        .any(|finding| finding.found.is_none() && !finding.automatic);
    let judged = rust_available(project, missing)?;
    println!("kernel source: {}", source(project));
    Ok(match missing || !judged {
        true => Code::Environment.into(),
        false => 0,
    })
}

fn findings(project: &Project) -> Result<Vec<Finding>> {
    let mut findings: Vec<_> = NEEDS
        .iter()
        .map(|need| Finding {
            what: format!("{} ({})", need.name, need.why),
            needed: "any".into(),
            found: need.found(),
            remedy: deps::command(&[need.package.to_owned()]),
            automatic: false,
        })
        .collect();
    let llvm = llvm::find();
    findings.push(Finding {
        what: "clang, lld, llvm (kernel build)".into(),
        needed: format!(">= {}", llvm::MINIMUM),
        found: llvm
            .ok()
            .map(|llvm| format!("{} (LLVM={})", llvm.version, llvm.argument)),
        remedy: deps::llvm_command(),
        automatic: false,
    });
    findings.push(Finding {
        what: "QEMU (guests, as they run here)".into(),
        needed: match accel::best() {
            Accel::Kvm => "any".into(),
            Accel::Tcg | Accel::Counting => format!(">= {}", qemu::MINIMUM),
        },
        found: qemu::find(project, accel::best())
            .map(|qemu| format!("{}, {}", qemu.version, qemu.program.display())),
        remedy: "install it; without backports, the installed one must do, with a warning".into(),
        automatic: true,
    });
    let version = rust::version().ok();
    findings.push(Finding {
        what: "rustc".into(),
        needed: format!(">= {}", rust::MINIMUM),
        found: version
            .filter(|&version| version >= rust::MINIMUM)
            .map(|version| version.to_string()),
        remedy: "rustup update stable".into(),
        automatic: false,
    });
    findings.push(Finding {
        what: "rust-src (the kernel's core library)".into(),
        needed: version.map_or_else(|| "rustc's version".into(), |version| version.to_string()),
        found: rust::find(project)
            .ok()
            .flatten()
            .map(|library| library.display().to_string()),
        remedy: "rustup component add rust-src".into(),
        automatic: true,
    });
    findings.push(Finding {
        what: "bindgen (kernel build)".into(),
        needed: format!(">= {}", bindgen::MINIMUM),
        found: bindgen::find(project)
            .map(|(program, version)| format!("{version}, {}", program.display())),
        remedy: format!(
            "cargo install bindgen-cli --version {} --locked",
            bindgen::PINNED
        ),
        automatic: true,
    });
    Ok(findings)
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["need", "version", "found", "state"]);
    for finding in findings {
        let state = match (&finding.found, finding.automatic) {
            (Some(_), _) => "ok".to_owned(),
            (None, false) => format!("MISSING: {}", finding.remedy),
            (None, true) => format!(
                "comes by itself with the first build, or: {}",
                finding.remedy
            ),
        };
        let found = finding.found.clone().unwrap_or_else(|| "-".into());
        table.add_row([finding.what.clone(), finding.needed.clone(), found, state]);
    }
    table
}

fn acceleration() -> &'static str {
    match accel::best() {
        Accel::Kvm => "KVM",
        Accel::Tcg | Accel::Counting => "TCG (slow: /dev/kvm cannot be used)",
    }
}

fn source(project: &Project) -> String {
    let trees = Trees::of(project);
    match trees.ready() {
        true => trees.stock().display().to_string(),
        false => "comes by itself with the first build, or: cargo xtask fetch".into(),
    }
}

/// The kernel's own judgement, where there is a source to ask and a toolchain to judge.
fn rust_available(project: &Project, missing: bool) -> Result<bool> {
    let kernel = match project.kernel_tree {
        Some(_) => Kernel::of(project, Flavour::Patched)?,
        None => Kernel::of(project, Flavour::Stock)?,
    };
    let unready = rust::find(project).ok().flatten().is_none() || bindgen::find(project).is_none();
    if missing || unready || !kernel.tree.join("Makefile").is_file() {
        println!("make rustavailable: not asked yet, for something of the above is not there");
        return Ok(true);
    }
    let toolchain = Toolchain::prepare(project)?;
    let aside = project.cache.aside()?;
    let mut make: Command = toolchain.make(&kernel.tree, aside.path());
    match cmd::output(make.args(["--silent", "rustavailable"])) {
        Ok(said) => println!("make rustavailable: {said}"),
        Err(error) => {
            println!("make rustavailable: {error}");
            return Ok(false);
        }
    }
    Ok(true)
}
