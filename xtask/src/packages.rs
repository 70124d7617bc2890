// SPDX-License-Identifier: GPL-2.0-only
//! What the machine itself must have, and the Debian packages that bring it.

use std::process::{Command, Stdio};

use crate::toolchain::in_path;
use crate::version::Version;

/// How something is found.
#[derive(Clone, Copy, Debug)]
pub enum Find {
    /// A program in PATH that says its version with this option.
    Program(&'static str, &'static str),
    /// A header that the C compiler finds.
    Header(&'static str),
    /// A static library that the C compiler links.
    StaticC,
}

/// One thing that is needed.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    pub name: &'static str,
    pub find: Find,
    pub package: &'static str,
    pub why: &'static str,
}

const fn program(name: &'static str, package: &'static str, why: &'static str) -> Need {
    let find = Find::Program(name, "--version");
    Need {
        name,
        find,
        package,
        why,
    }
}

const fn header(name: &'static str, package: &'static str, why: &'static str) -> Need {
    let find = Find::Header(name);
    Need {
        name,
        find,
        package,
        why,
    }
}

/// LLVM and Rust have rules of their own and are not here.
pub const NEEDS: [Need; 15] = [
    program("git", "git", "kernel source and series"),
    program("make", "make", "kernel build"),
    program("gcc", "gcc", "the programs of the kernel build"),
    Need {
        name: "libc.a",
        find: Find::StaticC,
        package: "libc6-dev",
        why: "programs for the guest",
    },
    header("libelf.h", "libelf-dev", "objtool"),
    header("openssl/opensslv.h", "libssl-dev", "kernel build"),
    program("flex", "flex", "kconfig"),
    program("bison", "bison", "kconfig"),
    program("bc", "bc", "kernel build"),
    program("perl", "perl", "kernel build and checkpatch"),
    program("python3", "python3", "kunit.py"),
    program("tar", "tar", "kernel source"),
    program("xz", "xz-utils", "kernel source"),
    Need {
        name: "qemu-system-x86_64",
        find: Find::Program("qemu-system-x86_64", "--version"),
        package: "qemu-system-x86",
        why: "guests",
    },
    program("curl", "curl", "kernel.org"),
];

impl Need {
    /// What is there: the program's version, or just that it is there.
    pub fn found(&self) -> Option<String> {
        match self.find {
            Find::Program(program, option) => {
                in_path(program)?;
                let output = Command::new(program)
                    .arg(option)
                    .stdin(Stdio::null())
                    .output()
                    .ok()?;
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                Some(Version::word(&text).unwrap_or("found").to_owned())
            }
            Find::Header(header) => compiles(&["-E"], &format!("#include <{header}>\n")),
            Find::StaticC => compiles(
                &["-static", "-o", "/dev/null"],
                "int main(void){return 0;}\n",
            ),
        }
    }
}

/// Whether the C compiler takes this text.
fn compiles(options: &[&str], text: &str) -> Option<String> {
    use std::io::Write;
    let mut child = Command::new("gcc")
        .args(options)
        .args(["-x", "c", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // Dropped at the end of the statement, which ends gcc's input.
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    child.wait().ok()?.success().then(|| "found".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_and_what_is_not_is_not() {
        assert!(program("sh", "dash", "").found().is_some());
        assert!(program("no-such-program", "none", "").found().is_none());
        assert!(header("stddef.h", "gcc", "").found().is_some());
        assert!(header("no/such/header.h", "none", "").found().is_none());
    }
}
