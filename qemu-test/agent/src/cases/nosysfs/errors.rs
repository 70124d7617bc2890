// SPDX-License-Identifier: GPL-2.0-only
//! Each write to the mask's file that is refused has its errno and changes nothing.

use std::fs::{self, OpenOptions};
use std::io::Write;

use anyhow::{Context as _, Result, ensure};
use rustix::io::Errno;

use super::{GLOBAL, MEMBERS, OURS, all_have, write};
use crate::cases::access::forbidden;
use crate::cases::errors::{failed, mode};
use crate::cases::{Case, Context, expect};
use crate::cpu::write_attr;
use crate::mask::Mask;

pub const CASE: Case = Case {
    name: "module-errors",
    doc: "every refused write of a mask has its errno and changes nothing",
    run,
};

/// What is no mask at all, or one of no CPU.
const INVALID: [(&str, &str); 15] = [
    ("an empty line", "\n"),
    ("blanks", "  \n"),
    ("no CPU", "0\n"),
    ("no CPU, at length", "00000000\n"),
    ("garbage", "x\n"),
    ("garbage behind a mask", "3 x\n"),
    ("0x in front of a mask", "0x3\n"),
    ("a sign", "-1\n"),
    ("a sign in front of eight digits", "-00000003\n"),
    ("a letter in front of eight digits", "x00000003\n"),
    ("a list", "0-1\n"),
    ("a word", "all\n"),
    ("a NUL", "\0"),
    ("a NUL in front of a mask", "\x003\n"),
    ("a NUL behind a mask", "3\0\n"),
];

fn run(context: &mut Context) -> Result<()> {
    let _module = super::load()?;
    context.check("everybody may read it, root may write it", mode(OURS));
    context.check(
        "it looks like the global file",
        expect(text(OURS)?, text(GLOBAL)?),
    );
    refused(context, "before the first write");
    write(OURS, Mask(0x5))?;
    context.check("the members have a mask", all_have(Mask(0x5)));
    refused(context, "with a mask");
    context.check("not for anybody but root", forbidden(OURS, "3"));
    Ok(())
}

fn refused(context: &mut Context, state: &str) {
    let pages = "f".repeat(8192);
    // A guest has no impossible CPU but beyond the last possible one, where its masks end.
    let too_much = [
        ("an impossible CPU", "10\n"),
        ("impossible CPUs", "fffffff0\n"),
        ("more digits than a group has", "000000003\n"),
        ("more groups than there are CPUs", "00000000,00000003\n"),
        ("4 KiB of f", &pages[..4096]),
        ("8 KiB of f, which sysfs cuts at 4", &pages),
    ];
    let invalid = INVALID.map(|(name, text)| (name, text, Errno::INVAL, "EINVAL"));
    let too_much = too_much.map(|(name, text)| (name, text, Errno::OVERFLOW, "EOVERFLOW"));
    for (name, text, errno, errno_name) in invalid.into_iter().chain(too_much) {
        let result = unchanged(|| failed(write_attr(OURS, text.as_bytes()), errno));
        context.check(&format!("{state}: {name} is {errno_name}"), result);
    }
    // These two are up to sysfs, for every file it has.
    context.check(
        &format!("{state}: nothing at all is ignored"),
        unchanged(|| taken(b"", 0)),
    );
    let mut long = text(OURS).unwrap_or_default().into_bytes();
    long.resize(8192, b'x');
    context.check(
        &format!("{state}: of 8 KiB, sysfs takes the first 4, where the mask is"),
        unchanged(|| taken(&long, 4096)),
    );
}

/// It is successful, and takes this much.
fn taken(text: &[u8], length: usize) -> Result<()> {
    let mut file = OpenOptions::new().write(true).open(OURS)?;
    expect(file.write(text)?, length)
}

/// Neither the file nor the list of members is different after.
fn unchanged(action: impl FnOnce() -> Result<()>) -> Result<()> {
    let state = || -> Result<_> { Ok((text(OURS)?, text(MEMBERS)?)) };
    let before = state()?;
    ensure!(!before.1.is_empty(), "there are no members");
    action()?;
    expect(state()?, before)
}

fn text(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {path}"))
}
