// SPDX-License-Identifier: GPL-2.0-only
//! The state of a machine that nobody has touched, for the host to compare with others.

use anyhow::Result;

use super::{Case, Context};
use crate::dump;

pub const CASE: Case = Case {
    name: "at-boot",
    doc: "dumps the state of an untouched machine",
    run,
};

fn run(context: &mut Context) -> Result<()> {
    let state = dump::dump();
    if let Ok(text) = &state {
        context.artifact("at-boot", text)?;
    }
    context.check("the dump has all its sections", state.map(drop));
    Ok(())
}
