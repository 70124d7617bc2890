// SPDX-License-Identifier: GPL-2.0-only
//! Ctrl-C: noted in a flag, so that whoever is at work can clean up and leave.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

use crate::exit::{Code, Failure};

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on a signal sets the flag; a second one ends the program on the spot.
pub fn watch() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let flag = Arc::clone(&REQUESTED);
        // The order matters: the first signal finds the flag not set yet.
        register_conditional_shutdown(signal, Code::Interrupted as i32, Arc::clone(&flag))
            .and_then(|_| register(signal, flag))
            .context("watching for signals")?;
    }
    Ok(())
}

pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// An error once the person has had enough.
pub fn check() -> Result<()> {
    if requested() {
        bail!(Failure::new(Code::Interrupted, "interrupted"));
    }
    Ok(())
}
