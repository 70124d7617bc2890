// SPDX-License-Identifier: GPL-2.0-only
//! Running other programs: short ones for their output, long ones with progress and a log.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::interrupt;
use crate::progress::Progress;

const POLL: Duration = Duration::from_millis(50);
/// How long an interrupted program may take to clean up.
const GRACE: Duration = Duration::from_secs(3);
/// What the error shows of a log.
const LAST_LINES: usize = 25;

/// The standard output of a short command, without the last newline. An error has its words.
pub fn output(command: &mut Command) -> Result<String> {
    let line = shell_line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting `{line}`"))?;
    interrupt::check()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "`{line}`: {}\n{}",
        output.status,
        said.trim_end()
    );
    let text = String::from_utf8(output.stdout).with_context(|| format!("reading `{line}`"))?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// Runs a short command for what it does.
pub fn run(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Runs a long command under a progress line; what it says is kept in `log`. Its whole process
/// group ends with it, also when the person interrupts.
pub fn long(title: &str, mut command: Command, log: &Path) -> Result<()> {
    interrupt::check()?;
    let line = shell_line(&command);
    let output = create_log(log)?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0);
    let mut progress = Progress::start(title);
    let mut group = Group(
        command
            .spawn()
            .with_context(|| format!("starting `{line}`"))?,
    );
    let mut tail = LastLine::of(log)?;
    let status = loop {
        if let Some(status) = group.0.try_wait()? {
            break status;
        }
        interrupt::check()?;
        if let Some(line) = tail.newest()? {
            progress.line(&line);
        }
        progress.tick();
        sleep(POLL);
    };
    if !status.success() {
        drop(progress);
        bail!(complaint(&line, status, log));
    }
    progress.done();
    Ok(())
}

fn create_log(log: &Path) -> Result<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    File::create(log).with_context(|| format!("making the log {}", log.display()))
}

fn complaint(line: &str, status: ExitStatus, log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    format!(
        "`{line}`: {status}; its last lines:\n{last}\nall of it: {}",
        log.display()
    )
}

/// The command as a person would type it, without its environment.
pub fn shell_line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .map(|word| shlex::try_quote(&word).map_or(word.to_string(), |quoted| quoted.into()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A child that leads a process group, which does not outlive this value.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) else {
            return;
        };
        let _ = kill_process_group(group, Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < GRACE && matches!(self.0.try_wait(), Ok(None)) {
            sleep(POLL);
        }
        // Also where the leader has ended: one of its children may not have listened.
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.0.wait();
    }
}

/// The last line of a log that grows.
struct LastLine {
    file: File,
    pending: String,
}

impl LastLine {
    fn of(log: &Path) -> Result<Self> {
        let file = File::open(log).with_context(|| format!("reading {}", log.display()))?;
        let pending = String::new();
        Ok(Self { file, pending })
    }

    /// The newest complete line since the last call. curl and git end a line of theirs with a
    /// return.
    fn newest(&mut self) -> Result<Option<String>> {
        let mut fresh = Vec::new();
        let here = self.file.stream_position()?;
        self.file.seek(SeekFrom::Start(here))?;
        self.file.read_to_end(&mut fresh)?;
        self.pending.push_str(&String::from_utf8_lossy(&fresh));
        let Some(end) = self.pending.rfind(['\n', '\r']) else {
            return Ok(None);
        };
        let rest = self.pending.split_off(end + 1);
        let complete = std::mem::replace(&mut self.pending, rest);
        let newest = complete
            .split(['\n', '\r'])
            .rfind(|line| !line.trim().is_empty());
        Ok(newest.map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn an_error_has_the_command_and_its_words() {
        let error = output(&mut shell("echo no luck >&2; exit 3"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no luck") && error.contains("sh -c"),
            "{error}"
        );
    }

    #[test]
    fn a_failed_long_command_shows_the_end_of_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("logs/step.log");
        let error = long("trying", shell("seq 100; exit 1"), &log)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("\n100\n") && !error.contains("\n50\n"),
            "{error}"
        );
        assert!(error.contains("step.log"), "{error}");
    }

    #[test]
    fn a_group_ends_with_its_leader_s_guard() {
        let mut child = shell("sleep 1000 & echo $!; wait");
        let child = child
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut group = Group(child);
        let mut pid = String::new();
        let mut buffer = [0; 1];
        let stdout = group.0.stdout.as_mut().unwrap();
        while stdout.read(&mut buffer).unwrap() == 1 && buffer[0] != b'\n' {
            pid.push(buffer[0].into());
        }
        drop(group);
        // The signal has been sent; its work may take a moment.
        let lives = || {
            let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !state.is_empty() && !state.contains(") Z ")
        };
        let since = Instant::now();
        while lives() && since.elapsed() < GRACE {
            sleep(POLL);
        }
        assert!(!lives());
    }

    #[test]
    fn the_newest_line_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        fs::write(&log, "one\ntwo\r\nthr").unwrap();
        let mut tail = LastLine::of(&log).unwrap();
        assert_eq!(tail.newest().unwrap().as_deref(), Some("two"));
        assert_eq!(tail.newest().unwrap(), None);
    }
}
