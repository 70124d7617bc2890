// SPDX-License-Identifier: GPL-2.0-only
//! What the host tells the guest to do, in /job.json, and what the guest answers.

use serde::{Deserialize, Serialize};

/// The one thing that a boot is for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase", deny_unknown_fields)]
pub enum Job {
    /// Run these cases in this order. Those that count something do so for `seconds`.
    Cases {
        cases: Vec<String>,
        seconds: Option<u64>,
    },
    /// Run a command on the stdio port; the verdict is its exit status.
    Command { argv: Vec<String> },
    /// A shell on the stdio port, on a terminal of this size.
    Shell { rows: u16, cols: u16 },
    /// Misbehave, so that the host can show that it notices.
    Selftest { fault: Fault },
}

/// A way for a guest to go wrong.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    Panic,
    Hang,
    Splat,
    Exit7,
    NoVerdict,
    TwoVerdicts,
    ZeroTests,
    Taint,
}

/// The guest's last word: the exit status of a command, or 0 if all cases passed and 1 if not.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    pub exit: i32,
}

/// The names of the virtio-serial ports.
pub mod port {
    pub const KTAP: &str = "cpu-isolation.ktap";
    pub const VERDICT: &str = "cpu-isolation.verdict";
    pub const DATA: &str = "cpu-isolation.data";
    pub const STDIO: &str = "cpu-isolation.stdio";
}
