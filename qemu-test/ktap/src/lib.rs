// SPDX-License-Identifier: GPL-2.0-only
//! Reads KTAP (Documentation/dev-tools/ktap.rst of the kernel), from KUnit and from the guest agent.
//!
//! It is pessimistic: a test that does not report has crashed, and no tests at all are an error.
//! What counts as what follows the kernel's own tools/testing/kunit/kunit.py, so that both say the
//! same of one log; tests/oracle.rs holds them together.

mod junit;
mod line;
mod parse;
mod tree;

pub use junit::junit;
pub use parse::{parse, parse_result};
pub use tree::{Status, Summary, Test, Tree};

/// The tests as JSON.
pub fn json(tree: &Tree) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(tree)? + "\n")
}
