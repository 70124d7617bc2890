// SPDX-License-Identifier: GPL-2.0-only
//! What the exit code of this program says, and errors that decide it.

use std::fmt::{self, Display};

/// The exit codes. 0 is success; a command in the guest hands its own status through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    TestFailed = 1,
    /// clap ends with this one by itself.
    Usage = 2,
    /// A patch does not apply, or is not in order.
    Patch = 3,
    Build = 4,
    /// This machine lacks something, or a download failed.
    Environment = 5,
    TimeOut = 6,
    Panicked = 7,
    Lost = 8,
    /// As a shell reports a program that Ctrl-C ended.
    Interrupted = 130,
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        code as Self
    }
}

/// An error, or the context of one, that decides the exit code.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    message: String,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The code of an error. The innermost failure counts: it knows best what went wrong. Where there
/// is none, a file could not be read or a program not be started, so the machine is to blame.
pub fn code(error: &anyhow::Error) -> Code {
    if crate::interrupt::requested() {
        return Code::Interrupted;
    }
    let innermost = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<Failure>())
        .last();
    match innermost.or_else(|| error.downcast_ref::<Failure>()) {
        Some(failure) => failure.code,
        None => Code::Environment,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_failure_decides_the_code_as_error_and_as_context() {
        let failure = || Failure::new(Code::Build, "it does not build");
        assert_eq!(code(&anyhow!(failure())), Code::Build);
        assert_eq!(code(&anyhow!(failure()).context("for stock")), Code::Build);
        let below = Err::<(), _>(anyhow!("make failed")).context(failure());
        assert_eq!(code(&below.context("for stock").unwrap_err()), Code::Build);
    }

    #[test]
    fn other_errors_are_the_environment_s() {
        assert_eq!(code(&anyhow!("no such file")), Code::Environment);
    }
}
