// SPDX-License-Identifier: GPL-2.0-only
//! A guest of this guest: one vCPU, with one instruction.
#![expect(unsafe_code, reason = "KVM takes memory by its address")]

use anyhow::{Context, Result, bail};
use kvm_bindings::kvm_userspace_memory_region;
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};

const SIZE: usize = 4096;

#[repr(align(4096))]
struct Page([u8; SIZE]);

/// A jump to itself.
const CODE: [u8; 2] = [0xeb, 0xfe];
/// The one bit that is always set (Intel's manual, volume 1, 3.4.3).
const RFLAGS: u64 = 1 << 1;

/// A vCPU that has not run yet.
pub struct Vcpu {
    vcpu: VcpuFd,
    /// To close it is to end the vCPU.
    _vm: VmFd,
}

impl Vcpu {
    /// In real mode, where the code is.
    pub fn ready() -> Result<Self> {
        let vm = Kvm::new()
            .context("opening /dev/kvm")?
            .create_vm()
            .context("making a virtual machine")?;
        add_memory(&vm).context("giving a virtual machine its memory")?;
        let vcpu = vm.create_vcpu(0).context("making a vCPU")?;
        let mut segments = vcpu.get_sregs()?;
        (segments.cs.base, segments.cs.selector) = (0, 0);
        vcpu.set_sregs(&segments)?;
        let mut registers = vcpu.get_regs()?;
        (registers.rip, registers.rflags) = (0, RFLAGS);
        vcpu.set_regs(&registers)?;
        Ok(Self { vcpu, _vm: vm })
    }

    /// Runs it in this thread, for ever. It has no reason to stop.
    pub fn spin<T>(mut self) -> Result<T> {
        loop {
            match self.vcpu.run() {
                Ok(VcpuExit::Intr) => {}
                Err(error) if error.errno() == nix::libc::EINTR => {}
                Ok(exit) => bail!("the vCPU has stopped: {exit:?}"),
                Err(error) => return Err(error).context("running a vCPU"),
            }
        }
    }
}

fn add_memory(vm: &VmFd) -> Result<()> {
    let mut page = Box::new(Page([0; SIZE]));
    page.0[..CODE.len()].copy_from_slice(&CODE);
    let region = kvm_userspace_memory_region {
        slot: 0,
        flags: 0,
        guest_phys_addr: 0,
        memory_size: SIZE as u64,
        userspace_addr: Box::leak(page).0.as_ptr() as u64,
    };
    // SAFETY: the page is there until the process ends, whole and aligned. Nobody else knows it.
    unsafe { vm.set_user_memory_region(region) }?;
    Ok(())
}
