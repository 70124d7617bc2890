// SPDX-License-Identifier: GPL-2.0-only
//! `test`: the host's tests, the guests of the matrix, the comparisons between them, and the summary.

mod boots;
mod compare;
mod exits;
mod host;
mod judge;
mod kunit;
pub mod matrix;
mod results;
mod select;
