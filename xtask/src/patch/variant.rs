// SPDX-License-Identifier: GPL-2.0-only
//! The configurations that patches are built in.

/// What differs from the fragments, and where it is built.
pub struct Variant {
    pub name: &'static str,
    /// Of its O= folder.
    pub folder: &'static str,
    pub arch: &'static str,
    pub off: &'static [&'static str],
    /// What takes the place of something in `off` that is one of a choice.
    pub on: &'static [&'static str],
    /// Files that are not part of such a kernel.
    pub without: &'static [&'static str],
}

/// What touched files need besides the fragments.
pub const NEEDED: [&str; 3] = ["HYPERV", "HYPERV_VMBUS", "PERF_EVENTS"];

impl Variant {
    /// Whether a file is part of such a kernel.
    pub fn has(&self, file: &str) -> bool {
        let arch = file
            .strip_prefix("arch/")
            .and_then(|rest| rest.split('/').next());
        let own = if self.arch == "x86_64" {
            "x86"
        } else {
            self.arch
        };
        arch.is_none_or(|arch| arch == own) && !self.without.contains(&file)
    }
}

/// What each patch is built in.
pub const NORMAL: Variant = Variant {
    name: "check",
    folder: "check-x86_64",
    arch: "x86_64",
    off: &[],
    on: &[],
    without: &[],
};

/// For the patches that have Rust in them.
pub const RUST: Variant = Variant {
    name: "Rust",
    folder: "check-rust",
    arch: "x86_64",
    // They are built with the whole kernel.
    off: &["RUST_KERNEL_DOCTESTS"],
    on: &["RUST"],
    without: &[],
};

/// What the whole series must build in as well.
pub const VARIANTS: [Variant; 4] = [
    Variant {
        name: "CPUSETS=n",
        folder: "check-x86_64",
        arch: "x86_64",
        off: &["CPUSETS", "CPUSETS_V1"],
        on: &[],
        without: &["kernel/cgroup/cpuset.c"],
    },
    Variant {
        name: "CPU_ISOLATION=n",
        folder: "check-x86_64",
        arch: "x86_64",
        // Both of the others select it.
        off: &["CPU_ISOLATION", "NO_HZ_FULL", "CPUSETS", "CPUSETS_V1"],
        on: &["NO_HZ_IDLE"],
        without: &["kernel/cgroup/cpuset.c"],
    },
    Variant {
        name: "CPU_ISOLATION_RUNTIME=n",
        folder: "check-x86_64",
        arch: "x86_64",
        off: &["CPU_ISOLATION_RUNTIME"],
        on: &[],
        without: &[],
    },
    Variant {
        name: "HOTPLUG_CPU=n, arm64",
        folder: "check-arm64",
        arch: "arm64",
        // Suspend selects it.
        off: &["HOTPLUG_CPU", "SUSPEND", "PM_DEBUG"],
        on: &[],
        without: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_has_the_files_of_its_architecture() {
        assert!(NORMAL.has("kernel/cpu.c") && NORMAL.has("arch/x86/kernel/tsc.c"));
        assert!(!NORMAL.has("arch/arm64/kernel/topology.c"));
        let [cpusets, .., arm64] = VARIANTS;
        assert!(arm64.has("arch/arm64/kernel/topology.c"));
        assert!(!arm64.has("arch/x86/kernel/tsc.c"));
        assert!(!cpusets.has("kernel/cgroup/cpuset.c"));
    }
}
