// SPDX-License-Identifier: GPL-2.0-only
//! Misbehaviour on demand: what the host must notice.

use std::fs;
use std::io::Write;
use std::thread;

use agent::Fault;
use anyhow::{Context, Result};

use crate::ktap::{Ktap, Outcome};
use crate::ports::Ports;
use crate::{cases, init};

/// What the kernel says when it warns, as far as a reader of the log can tell.
const SPLAT: &str = "<4>------------[ cut here ]------------\n\
                     <4>WARNING: made up by the agent's self-test\n\
                     <4>---[ end trace 0000000000000000 ]---\n";
/// TAINT_USER, of Documentation/admin-guide/tainted-kernels.rst.
const TAINT_USER: &str = "64";

/// Goes wrong in this way; the verdict that is left to say, if any.
pub fn commit(fault: Fault, ports: &Ports) -> Result<Option<i32>> {
    match fault {
        Fault::Panic => {
            fs::write("/proc/sysrq-trigger", "c").context("asking the kernel to panic")?;
            hang()
        }
        Fault::Hang => hang(),
        Fault::Splat => {
            for line in SPLAT.lines() {
                fs::write("/dev/kmsg", line).context("writing to the kernel's log")?;
            }
            one_test(ports)?;
            Ok(Some(0))
        }
        Fault::Exit7 => {
            one_test(ports)?;
            Ok(Some(7))
        }
        Fault::NoVerdict => {
            one_test(ports)?;
            Ok(None)
        }
        Fault::TwoVerdicts => {
            one_test(ports)?;
            init::say(ports, 0)?;
            Ok(Some(0))
        }
        Fault::ZeroTests => {
            writeln!(ports.ktap.clone(), "KTAP version 1\n1..0")?;
            Ok(Some(0))
        }
        Fault::Taint => cases::guarded(ports, 1, |ktap| {
            fs::write("/proc/sys/kernel/tainted", TAINT_USER).context("tainting the kernel")?;
            Ok(ktap.test("selftest", &Outcome::Passed)?)
        })
        .map(Some),
    }
}

fn one_test(ports: &Ports) -> Result<()> {
    let mut ktap = Ktap::begin(ports.ktap.clone(), 1)?;
    Ok(ktap.test("selftest", &Outcome::Passed)?)
}

fn hang() -> ! {
    loop {
        thread::park();
    }
}
