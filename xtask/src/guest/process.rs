// SPDX-License-Identifier: GPL-2.0-only
//! A child that cannot outlive us, however we end.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Signal, set_parent_process_death_signal};

/// Killed when dropped; killed by the kernel when this process dies without a drop.
#[derive(Debug)]
pub struct Killed(Child);

impl Killed {
    #[expect(
        unsafe_code,
        reason = "std offers no safe way to set a child's death signal"
    )]
    pub fn spawn(mut command: Command) -> io::Result<Self> {
        // Ctrl-C is for us to hear; we end the child.
        command.process_group(0);
        // SAFETY: the closure makes one prctl() system call, which is safe between fork and exec:
        // it allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(|| {
                set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)
            });
        }
        command.spawn().map(Self)
    }

    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail only where the child has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
