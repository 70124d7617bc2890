// SPDX-License-Identifier: GPL-2.0-only
use anyhow::{Result, bail};

use super::{Case, Context, Outcome};

pub const CASE: Case = Case {
    name: "errors",
    doc: "",
    run,
};

fn run(_: &mut Context) -> Result<Outcome> {
    bail!("not written")
}
