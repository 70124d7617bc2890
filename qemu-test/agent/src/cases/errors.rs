// SPDX-License-Identifier: GPL-2.0-only
//! The table of the interface: each write that is refused has its errno and changes nothing.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::io::Errno;

use super::three_lines::same;
use super::{CPU, Case, Context, expect};
use crate::cpu::{
    self, attribute, read_trimmed, set_isolated, set_online, three_lines, write_attr,
};
use crate::dump::dump;

pub const CASE: Case = Case {
    name: "errors",
    doc: "every refused write has its errno and changes nothing",
    run,
};

/// What kstrtobool() takes: it looks at the first character, or at two after an "o".
const TRUE: &str = "1 1\n y Y yes t T true e E enabled on oN On ON\n";
const FALSE: &str = "0 0\n n N no\n f F false d D disabled of oF Of OFF off\n";

fn run(context: &mut Context) -> Result<()> {
    context.check("each CPU has the file, with mode 0644", modes());
    unchanged(context, "online", online)?;
    set_online(CPU, false)?;
    unchanged(context, "offline", offline)?;
    spellings(context);
    set_isolated(CPU, true).context("isolating the CPU")?;
    set_online(CPU, true)?;
    unchanged(context, "isolated and online", isolated)?;
    for other in 1..CPU {
        three_lines(other, true)?;
    }
    let all = || {
        expect(
            read_trimmed(&format!("{}/isolated", cpu::ROOT))?,
            "1-3".into(),
        )
    };
    context.check("all but CPU 0 are isolated", all());
    unchanged(context, "all but CPU 0 isolated", last)?;
    Ok(())
}

/// Makes some checks that must not change anything, and checks that as well.
fn unchanged(context: &mut Context, state: &str, checks: fn(&mut Context)) -> Result<()> {
    let before = dump()?;
    checks(context);
    let after = dump()?;
    context.check(
        &format!("{state}: nothing has changed"),
        same(&before, &after),
    );
    Ok(())
}

fn online(context: &mut Context) {
    garbage(context, "online");
    context.check("online: 1 is EBUSY", refused(CPU, b"1\n", Errno::BUSY));
    context.check("online: on is EBUSY", refused(CPU, b"on", Errno::BUSY));
    context.check("online: 0 again is fine", accepted(b"0\n", false));
}

fn offline(context: &mut Context) {
    garbage(context, "offline");
    context.check("offline: 0 again is fine", accepted(b"0\n", false));
}

fn isolated(context: &mut Context) {
    garbage(context, "isolated and online");
    context.check(
        "isolated and online: 0 is EBUSY",
        refused(CPU, b"0\n", Errno::BUSY),
    );
    context.check(
        "isolated and online: 1 again is fine",
        accepted(b"1\n", true),
    );
}

fn last(context: &mut Context) {
    context.check("the last one is EINVAL", refused(0, b"1\n", Errno::INVAL));
    let is = || expect(cpu::is_isolated(0)?, false);
    context.check("the last one is a housekeeping CPU still", is());
}

/// What is no boolean, in any state of the CPU.
fn garbage(context: &mut Context, state: &str) {
    let long = vec![b'x'; 8192];
    for (name, text) in [
        ("an empty line", &b"\n"[..]),
        ("2", b"2\n"),
        ("a sign", b"-1"),
        ("a leading blank", b" 1"),
        ("half a word", b"o\n"),
        ("a word", b"isolated\n"),
        ("a NUL", b"\x001\n"),
        ("something too long", &long),
    ] {
        let name = format!("{state}: {name} is EINVAL");
        context.check(&name, refused(CPU, text, Errno::INVAL));
    }
    // sysfs itself answers a write of nothing, for every file it has.
    context.check(
        &format!("{state}: nothing at all changes nothing"),
        nothing(),
    );
}

fn nothing() -> Result<()> {
    let before = cpu::is_isolated(CPU)?;
    let path = attribute(CPU, "isolated");
    let length = fs::OpenOptions::new().write(true).open(path)?.write(b"")?;
    expect(length, 0)?;
    expect(cpu::is_isolated(CPU)?, before)
}

fn refused(cpu: u32, text: &[u8], errno: Errno) -> Result<()> {
    failed(write_attr(&attribute(cpu, "isolated"), text), errno)
}

/// It failed, and as it should.
pub fn failed(result: io::Result<()>, errno: Errno) -> Result<()> {
    match result {
        Ok(()) => bail!("it was not refused"),
        Err(error) => ensure!(
            error.raw_os_error() == Some(errno.raw_os_error()),
            "expected {errno:?}, got: {error}"
        ),
    }
    Ok(())
}

fn accepted(text: &[u8], value: bool) -> Result<()> {
    write_attr(&attribute(CPU, "isolated"), text)?;
    expect(cpu::is_isolated(CPU)?, value)
}

/// Each spelling is written over the other value, with the CPU offline.
fn spellings(context: &mut Context) {
    for (spellings, value) in [(TRUE, true), (FALSE, false)] {
        for spelling in spellings.split(' ') {
            let result = set_isolated(CPU, !value)
                .map_err(Into::into)
                .and_then(|()| accepted(spelling.as_bytes(), value));
            context.check(
                &format!("offline: {spelling:?} is {}", u8::from(value)),
                result,
            );
        }
    }
}

fn modes() -> Result<()> {
    for cpu in cpu::parse_list(&read_trimmed(&format!("{}/present", cpu::ROOT))?)? {
        mode(&attribute(cpu, "isolated"))?;
    }
    Ok(())
}

/// Everybody may read the file, and root may write it.
pub fn mode(path: &str) -> Result<()> {
    let found = fs::metadata(path).with_context(|| format!("looking at {path}"))?;
    ensure!(
        (found.mode() & 0o7777, found.uid()) == (0o644, 0),
        "{path} has mode {:o} and owner {}",
        found.mode() & 0o7777,
        found.uid()
    );
    Ok(())
}
