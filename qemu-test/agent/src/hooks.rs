// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel asks the security modules: each hook is a function whose name begins with security_
//! (security/security.c), and has a kprobe here.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;

use anyhow::{Context, Result, ensure};
use rustix::io::Errno;
use rustix::thread::gettid;

use crate::companion;
use crate::trace::{self, Recorder};

const HOOK: &str = "security_";
const SYMBOLS: &str = "/proc/kallsyms";
const PROBES: &str = "/sys/kernel/tracing/kprobe_events";
const EVENTS: &str = "hooks";
const FILTER: &str = "events/hooks/filter";
/// Where the thread runs that is watched.
const CPU: u32 = 0;

/// Probes, for as long as it lives.
pub struct Hooks;

impl Hooks {
    pub fn watch() -> Result<Self> {
        let symbols = fs::read_to_string(SYMBOLS);
        let names = functions(&symbols.with_context(|| format!("reading {SYMBOLS}"))?);
        ensure!(!names.is_empty(), "{SYMBOLS} has no function {HOOK}*");
        let mut probes = File::options()
            .append(true)
            .open(PROBES)
            .with_context(|| format!("opening {PROBES}"))?;
        let hooks = Self;
        for name in names {
            let probe = format!("p:{EVENTS}/{name} {name}\n");
            match probes.write_all(probe.as_bytes()) {
                // It was for boot alone, and is not there any more.
                Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => {}
                probed => probed.with_context(|| format!("probing {name}"))?,
            }
        }
        Ok(hooks)
    }

    /// The hooks that are asked when a thread does this.
    pub fn asked(&self, act: impl FnOnce() -> Result<()> + Send) -> Result<BTreeSet<String>> {
        let work = |_: companion::Over<'_>| {
            let thread = gettid().as_raw_nonzero();
            let recorder = Recorder::ready(&[EVENTS], CPU)?;
            trace::write(FILTER, &format!("common_pid == {thread}"))?;
            let ((), lines) = recorder.record(act)?;
            Ok(lines)
        };
        let lines = companion::run(CPU, work, || Ok(()))?;
        Ok(lines.iter().filter_map(|line| hook(line)).collect())
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        // To open it for anything but appending is to empty it.
        let _ = fs::write(PROBES, "");
    }
}

/// The functions of kallsyms: "ffffffff81000000 T security_file_open".
fn functions(symbols: &str) -> BTreeSet<String> {
    let function = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let is_text = words.next()?.eq_ignore_ascii_case("t");
        let name = words.next()?;
        (is_text && name.starts_with(HOOK)).then(|| name.to_owned())
    };
    symbols.lines().filter_map(function).collect()
}

/// The hook of a line of the trace: "... 1.0: security_file_open: (security_file_open+0x0/0x40)".
fn hook(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let name = words.find(|word| word.starts_with(HOOK))?;
    Some(name.strip_suffix(':')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_functions() {
        let symbols = "ffff T security_file_open\nffff D security_ops\nffff t do_security_x\n";
        assert_eq!(functions(symbols), ["security_file_open".to_owned()].into());
    }

    #[test]
    fn a_line_names_its_hook() {
        let line = "  init-93 [000] d..1. 2.5: security_file_open: (security_file_open+0x0/0x40)";
        assert_eq!(hook(line).as_deref(), Some("security_file_open"));
        assert_eq!(hook("  init-93 [000] d..1. 2.5: sched_switch: x"), None);
    }
}
