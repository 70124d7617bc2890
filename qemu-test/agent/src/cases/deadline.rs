// SPDX-License-Identifier: GPL-2.0-only
//! Who may be scheduled by deadline: it is up to the CPUs that the task's CPU shares its bandwidth with.
//! The host compares this with what boot parameters lead to.

use std::io;
use std::time::Duration;

use anyhow::Result;
use thread_priority::ThreadPriority;
use thread_priority::unix::{
    DeadlineFlags, RealtimeThreadSchedulePolicy, ThreadSchedulePolicy,
    set_thread_priority_and_policy,
};

use super::three_lines::runs_on;
use super::{CPU, Case, Context};
use crate::cpu;
use crate::workload::Worker;

pub const CASE: Case = Case {
    name: "deadline",
    doc: "asks for SCHED_DEADLINE on CPU 3, isolated by the three lines if not at boot, and beside it",
    run,
};

/// A tenth of the time.
const RUNTIME: Duration = Duration::from_millis(10);
const PERIOD: Duration = Duration::from_millis(100);
/// That is never isolated.
const OTHER: u32 = 2;

fn run(context: &mut Context) -> Result<()> {
    if !cpu::is_isolated(CPU)? {
        cpu::three_lines(CPU, true)?;
    }
    let mut text = String::new();
    for cpu in [CPU, OTHER] {
        let worker = Worker::bound(&[cpu])?;
        let answer = match set_deadline(worker.pid()) {
            Ok(()) => "allowed".to_owned(),
            Err(error) => error.to_string(),
        };
        text += &format!("bound to CPU {cpu}: {answer}\n");
        context.check(
            &format!("the task on CPU {cpu} runs"),
            runs_on(worker.pid(), cpu),
        );
    }
    context.artifact("deadline", &text)
}

/// For this policy alone, what the crate calls a thread is a task's PID, and the reason of an error
/// is left in errno.
fn set_deadline(pid: u32) -> io::Result<()> {
    let priority = ThreadPriority::Deadline {
        runtime: RUNTIME,
        deadline: PERIOD,
        period: PERIOD,
        flags: DeadlineFlags::empty(),
    };
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Deadline);
    set_thread_priority_and_policy(pid.into(), priority, policy)
        .map_err(|_| io::Error::last_os_error())
}
