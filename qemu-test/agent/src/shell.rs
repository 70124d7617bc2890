// SPDX-License-Identifier: GPL-2.0-only
//! A shell on the stdio port, with a terminal of its own so that job control works.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::process::Command;
use std::thread;

use agent::port;
use anyhow::{Context, Result};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::{command, ports};

/// Runs the shell to its end; its exit status.
pub fn run(rows: u16, cols: u16) -> Result<i32> {
    let port = ports::open(port::STDIO)?;
    rustix::fs::mkdir("/dev/pts", 0o755.into()).context("making /dev/pts")?;
    rustix::mount::mount(
        "devpts",
        "/dev/pts",
        "devpts",
        rustix::mount::MountFlags::empty(),
        None,
    )
    .context("mounting devpts")?;
    let (terminal, shell_end) = terminal(rows, cols).context("making a terminal")?;

    // setsid -c makes the terminal the shell's controlling one.
    let mut shell = command::environment(&mut Command::new("/bin/setsid"))
        .args(["-c", "/bin/sh", "-l"])
        .env("PS1", "guest:\\w# ")
        .stdin(shell_end.try_clone()?)
        .stdout(shell_end.try_clone()?)
        .stderr(shell_end)
        .spawn()
        .context("starting the shell")?;
    let keyboard = (port.try_clone()?, terminal.try_clone()?);
    thread::spawn(move || relay(keyboard.0, keyboard.1));
    let screen = thread::spawn(move || relay(terminal, port));
    let status = shell.wait().context("waiting for the shell")?;
    // The terminal reads as closed once the shell's end is.
    let _ = screen.join();
    Ok(command::status(status))
}

fn terminal(rows: u16, cols: u16) -> Result<(File, File)> {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&terminal)?;
    unlockpt(&terminal)?;
    tcsetwinsize(
        &terminal,
        Winsize {
            ws_row: rows,
            ws_col: cols,
            ws_xpixel: 0,
            ws_ypixel: 0,
        },
    )?;
    let name = ptsname(&terminal, Vec::new())?.into_string()?;
    let other = OpenOptions::new().read(true).write(true).open(name)?;
    Ok((terminal.into(), other))
}

/// Copies until one side is gone.
fn relay(mut from: File, mut to: File) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            length => to.write_all(&buffer[..length])?,
        }
    }
}
