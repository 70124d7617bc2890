// SPDX-License-Identifier: GPL-2.0-only
//! How a guest ended, and whether that is good.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::exit::Code;

/// Why QEMU is no longer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The guest switched itself off.
    PoweredOff,
    /// The console says that the kernel panicked: the line that said it.
    Panicked(String),
    /// The guest will not end by itself: why we think so.
    Lost(String),
    /// It was still running when its time was over.
    TimedOut(Duration),
    /// QEMU itself failed: what it said.
    QemuFailed(String),
    /// The person at the keyboard ended it.
    Stopped,
}

/// A kind of trouble, as the self-tests name it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    QemuFailed,
    Panicked,
    Lost,
    TimedOut,
    NoVerdict,
    TwoVerdicts,
    BadVerdict,
    ZeroTests,
    BadKtap,
    Contradiction,
    Splat,
    /// The verdict is honest, and it is not 0.
    Failed,
}

/// One thing that is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub trouble: Trouble,
    pub text: String,
}

impl Problem {
    pub fn new(trouble: Trouble, text: impl Into<String>) -> Self {
        Self {
            trouble,
            text: text.into(),
        }
    }

    /// How a command ends that has no verdict to go by.
    pub fn code(&self) -> Code {
        match self.trouble {
            Trouble::Panicked => Code::Panicked,
            Trouble::TimedOut => Code::TimeOut,
            Trouble::QemuFailed => Code::Environment,
            Trouble::Failed | Trouble::Splat => Code::TestFailed,
            _ => Code::Lost,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// All that came out of a guest.
#[derive(Debug)]
pub struct Report {
    pub end: End,
    /// The lines of the verdict port.
    pub verdicts: Vec<String>,
    /// The text of the KTAP port.
    pub ktap: String,
    /// The lines of the data port.
    pub data: Vec<String>,
    /// The complaints on the console.
    pub splats: Vec<String>,
    /// What the console ended with.
    pub last_lines: Vec<String>,
    pub console: PathBuf,
    pub took: Duration,
}

impl Report {
    /// What ended the guest before its time, if that is how it went.
    pub fn death(&self) -> Option<Problem> {
        match &self.end {
            End::PoweredOff => None,
            End::Stopped => Some(Problem::new(
                Trouble::Lost,
                "the guest was stopped from the keyboard",
            )),
            End::Panicked(line) => Some(Problem::new(
                Trouble::Panicked,
                format!("the guest panicked: {line}"),
            )),
            End::Lost(why) => Some(Problem::new(
                Trouble::Lost,
                format!("the guest is lost: {why}"),
            )),
            End::TimedOut(limit) => Some(Problem::new(
                Trouble::TimedOut,
                format!("the guest was still running after {} s", limit.as_secs()),
            )),
            End::QemuFailed(message) => Some(Problem::new(
                Trouble::QemuFailed,
                format!("QEMU failed: {message}"),
            )),
        }
    }

    /// The one verdict, or what is wrong with it.
    pub fn exit(&self) -> Result<i32, Problem> {
        match self.verdicts.as_slice() {
            [] => Err(Problem::new(
                Trouble::NoVerdict,
                "the guest gave no verdict",
            )),
            [line] => parse_verdict(line),
            lines => Err(Problem::new(
                Trouble::TwoVerdicts,
                format!(
                    "the guest gave {} verdicts: {}",
                    lines.len(),
                    lines.join(" ")
                ),
            )),
        }
    }

    /// The complaints of the kernel as one problem.
    pub fn splat(&self) -> Option<Problem> {
        let first = self.splats.first()?;
        let text = match self.splats.len() {
            1 => format!("the kernel complained: {first}"),
            more => format!("the kernel complained ({more} lines), first: {first}"),
        };
        Some(Problem::new(Trouble::Splat, text))
    }

    /// The console's end and where all of it is, for a person to read.
    pub fn console_tail(&self) -> String {
        let mut text = String::new();
        for line in &self.last_lines {
            text.push_str("  | ");
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&format!("  the whole console: {}", self.console.display()));
        text
    }
}

fn parse_verdict(line: &str) -> Result<i32, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Verdict {
        exit: i32,
    }
    serde_json::from_str::<Verdict>(line)
        .map(|verdict| verdict.exit)
        .map_err(|_| {
            Problem::new(
                Trouble::BadVerdict,
                format!("the guest's verdict cannot be read: {line}"),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: &[&str]) -> Report {
        Report {
            end: End::PoweredOff,
            verdicts: verdicts.iter().map(|&line| line.to_owned()).collect(),
            ktap: String::new(),
            data: Vec::new(),
            splats: Vec::new(),
            last_lines: Vec::new(),
            console: PathBuf::new(),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn exactly_one_verdict_counts() {
        let trouble = |verdicts: &[&str]| report(verdicts).exit().map_err(|p| p.trouble);
        assert_eq!(trouble(&[r#"{"exit":0}"#]), Ok(0));
        assert_eq!(trouble(&[r#"{"exit":7}"#]), Ok(7));
        assert_eq!(trouble(&[]), Err(Trouble::NoVerdict));
        assert_eq!(
            trouble(&[r#"{"exit":0}"#, r#"{"exit":0}"#]),
            Err(Trouble::TwoVerdicts)
        );
        assert_eq!(trouble(&["ok"]), Err(Trouble::BadVerdict));
        assert_eq!(trouble(&[r#"{"exit":0,"x":1}"#]), Err(Trouble::BadVerdict));
    }
}
