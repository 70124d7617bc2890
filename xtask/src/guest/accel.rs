// SPDX-License-Identifier: GPL-2.0-only
//! Whether this machine can run guests on its own CPU.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Result, ensure};

/// What the guest's instructions run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    Kvm,
    Tcg,
    /// Emulation by one thread, in which a nanosecond of the guest is an instruction of it.
    Counting,
}

impl Accel {
    /// How QEMU is told. Each virtual CPU has a thread of its own, unless instructions are counted.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Kvm => &["-accel", "kvm"],
            Self::Tcg => &["-accel", "tcg,thread=multi"],
            Self::Counting => &[
                "-accel",
                "tcg,thread=single",
                "-icount",
                "shift=0,sleep=off",
            ],
        }
    }

    /// The CPU with all features there are, that of running guests among them.
    pub fn cpu(self) -> &'static str {
        match self {
            Self::Kvm => "max",
            Self::Tcg | Self::Counting => "max,+svm",
        }
    }
}

/// KVM where it works, else emulation.
pub fn best() -> Accel {
    if kvm_works() { Accel::Kvm } else { Accel::Tcg }
}

/// KVM, because the person asked for it: an error when it is not there.
pub fn require_kvm() -> Result<Accel> {
    ensure!(
        kvm_works(),
        "--accel kvm: /dev/kvm cannot be opened, or the CPU has neither vmx nor svm; \
         use --accel tcg, or give this user access to /dev/kvm"
    );
    Ok(Accel::Kvm)
}

/// The device alone proves nothing: inside a container it may open and then hang every guest.
fn kvm_works() -> bool {
    let opens = File::options()
        .read(true)
        .write(true)
        .open(Path::new("/dev/kvm"))
        .is_ok();
    opens && fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| has_virtualization(&text))
}

fn has_virtualization(cpuinfo: &str) -> bool {
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("flags"))
        .flat_map(str::split_whitespace)
        .any(|flag| flag == "vmx" || flag == "svm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_a_whole_word() {
        assert!(has_virtualization(
            "processor : 0\nflags\t\t: fpu vmx sse\n"
        ));
        assert!(has_virtualization("flags : svm"));
        assert!(!has_virtualization(
            "flags : fpu svm_lock\nmodel name : vmx"
        ));
    }
}
