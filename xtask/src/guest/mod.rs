// SPDX-License-Identifier: GPL-2.0-only
//! A guest in QEMU: what it is made of, how it is started and watched, and how it ended.

pub mod accel;
pub mod agent;
pub mod artifacts;
pub mod case;
pub mod complaints;
pub mod contents;
pub mod initramfs;
pub mod outcome;
pub mod process;
pub mod provision;
pub mod qemu;
pub mod run;
pub mod selftests;
pub mod shells;
pub mod splats;
pub mod stdio;
pub mod stress;
pub mod tail;
