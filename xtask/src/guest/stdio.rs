// SPDX-License-Identifier: GPL-2.0-only
//! An interactive guest: its stdio port joined to our own input and output.

use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};

use anyhow::{Context, Result};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// Ctrl-]: the way out of a guest that no longer listens.
const ESCAPE: u8 = 0x1d;

/// The socket that QEMU connects to. It is abstract: there is no file to leave behind.
#[derive(Debug)]
pub struct Stdio {
    name: String,
    listener: UnixListener,
    /// Set when the person has had enough.
    pub stop: Arc<AtomicBool>,
}

impl Stdio {
    pub fn listen() -> Result<Self> {
        let name = socket_name();
        let listener = UnixListener::bind_addr(&address(&name)?)
            .with_context(|| format!("listening on the abstract socket {name}"))?;
        let stop = Arc::default();
        Ok(Self {
            name,
            listener,
            stop,
        })
    }

    /// Starts to carry bytes, as soon as QEMU is there. With `raw`, each key of our terminal goes to the
    /// guest, but for the one that ends it.
    pub fn serve(self, raw: bool) -> Result<Serving> {
        let terminal = raw.then(RawTerminal::enter).transpose()?;
        let escape = raw.then_some(self.stop);
        let thread = spawn(move || carry(&self.listener, escape));
        Ok(Serving {
            name: self.name,
            thread: Some(thread),
            _terminal: terminal,
        })
    }
}

/// What QEMU's command line calls the socket of this process.
pub fn socket_name() -> String {
    format!("cpu-isolation-{}", std::process::id())
}

fn address(name: &str) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}

/// Bytes are being carried; the drop waits for the last of them and restores the terminal.
#[derive(Debug)]
pub struct Serving {
    name: String,
    thread: Option<JoinHandle<()>>,
    _terminal: Option<RawTerminal>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // If QEMU never came, the thread still waits for it: come in its place, with nothing to say.
        if let Ok(address) = address(&self.name) {
            drop(UnixStream::connect_addr(&address));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Guest to stdout until QEMU ends; stdin to guest in a thread that may outlive this one.
fn carry(listener: &UnixListener, escape: Option<Arc<AtomicBool>>) {
    let Ok((mut from_guest, _)) = listener.accept() else {
        return;
    };
    if let Ok(to_guest) = from_guest.try_clone() {
        spawn(move || send_input(to_guest, escape));
    }
    let mut buffer = [0; 4096];
    let mut stdout = io::stdout().lock();
    while let Ok(count @ 1..) = from_guest.read(&mut buffer) {
        if stdout
            .write_all(&buffer[..count])
            .and_then(|()| stdout.flush())
            .is_err()
        {
            return;
        }
    }
}

fn send_input(mut guest: UnixStream, stop: Option<Arc<AtomicBool>>) {
    let mut buffer = [0; 4096];
    let mut stdin = io::stdin().lock();
    while let Ok(count @ 1..) = stdin.read(&mut buffer) {
        let input = &buffer[..count];
        if let Some(stop) = stop.as_ref().filter(|_| input.contains(&ESCAPE)) {
            stop.store(true, Ordering::Relaxed);
            return;
        }
        if guest.write_all(input).is_err() {
            return;
        }
    }
}

/// Rows and columns of our terminal, if there is one.
pub fn terminal_size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some((size.ws_row, size.ws_col))
}

/// The terminal passes every key on, until this is dropped.
#[derive(Debug)]
struct RawTerminal(Termios);

impl RawTerminal {
    fn enter() -> Result<Self> {
        let before = tcgetattr(io::stdin()).context("reading the terminal's settings")?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Flush, &raw)
            .context("setting the terminal to raw mode")?;
        Ok(Self(before))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qemu_that_never_came_blocks_nobody() {
        let stdio = Stdio::listen().unwrap();
        let stop = Arc::clone(&stdio.stop);
        drop(stdio.serve(false).unwrap());
        assert!(!stop.load(Ordering::Relaxed));
    }
}
