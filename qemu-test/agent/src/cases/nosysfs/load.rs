// SPDX-License-Identifier: GPL-2.0-only
//! The test module wq_load: its workqueues, and what they have executed where.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::cases::expect;
use crate::cpu::{read_trimmed, write_attr};
use crate::mask::Mask;
use crate::module::Module;
use crate::procs::tasks;

const ROOT: &str = "/sys/kernel/debug/wq_load";

/// The members among its workqueues, with the flags that they must be shown with.
pub const MEMBERS: [(&str, &str); 5] = [
    ("wq_load_unbound", "-"),
    ("wq_load_ordered", "ordered"),
    ("wq_load_highpri", "highpri"),
    ("wq_load_mem_reclaim", "mem_reclaim"),
    ("wq_load_freezable", "freezable"),
];
/// The others: one with WQ_SYSFS, and one that has each work item executed where it is queued.
pub const SYSFS: &str = "wq_load_sysfs";
pub const PERCPU: &str = "wq_load_percpu";
/// The kthread that the one with WQ_MEM_RECLAIM has.
const RESCUER: &str = "kworker/R-wq_load_mem_reclaim";

/// So many work items of an epoch tell where a workqueue executes them.
const ITEMS: u64 = 1000;
/// How often the counts are looked at until there are as many, and how long it is between two looks.
const PATIENCE: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// The loaded module.
#[derive(Debug)]
pub struct Load {
    _module: Module,
}

impl Load {
    /// Its workqueues have work all the time.
    pub fn busy() -> Result<Self> {
        Self::with("")
    }

    /// They never have.
    pub fn idle() -> Result<Self> {
        Self::with("busy=0")
    }

    fn with(parameters: &str) -> Result<Self> {
        let _module = Module::load("wq_load", parameters)?;
        Ok(Self { _module })
    }

    /// A new epoch begins. Work items that are queued from here on are told by its number.
    pub fn new_epoch(&self) -> Result<u32> {
        let epoch = 1 + read_trimmed(&path("epoch"))?.parse::<u32>()?;
        write("epoch", epoch)?;
        Ok(epoch)
    }

    /// So many workqueues besides, without any work.
    pub fn set_idle(&self, count: u32) -> Result<()> {
        write("idle", count)
    }

    /// Where each of its workqueues has executed so far, once it has done enough in this epoch.
    pub fn executed(&self, epoch: u32) -> Result<Executed> {
        let mut counts = Counts::read()?;
        for _ in 0..PATIENCE {
            if counts.too_few(epoch).is_empty() {
                return Ok(Executed { counts, epoch });
            }
            thread::sleep(PAUSE);
            counts = Counts::read()?;
        }
        bail!(
            "not {ITEMS} work items in epoch {epoch}: {}",
            counts.too_few(epoch).join(", ")
        )
    }

    /// All work of the members that is queued from here on is executed on those CPUs.
    pub fn keeps_to(&self, mask: Mask) -> Result<()> {
        self.executed(self.new_epoch()?)?.within(mask)
    }
}

/// The rescuer, which helps when memory is short, may run on those CPUs.
pub fn rescuer_has(mask: Mask) -> Result<()> {
    let tasks = tasks()?;
    let rescuer = tasks.iter().find(|task| task.comm.starts_with(RESCUER));
    let rescuer = rescuer.with_context(|| format!("there is no {RESCUER}"))?;
    expect(rescuer.allowed.iter().copied().collect(), mask)
}

fn path(file: &str) -> String {
    format!("{ROOT}/{file}")
}

fn write(file: &str, value: u32) -> Result<()> {
    let path = path(file);
    write_attr(&path, value.to_string().as_bytes())
        .with_context(|| format!("writing {value} to {path}"))
}

/// What was executed in an epoch.
pub struct Executed {
    counts: Counts,
    epoch: u32,
}

impl Executed {
    /// The CPUs that a workqueue had work executed on.
    pub fn on(&self, workqueue: &str) -> Mask {
        let counts = self.counts.of(workqueue, self.epoch);
        counts.map(|count| count.cpu).collect()
    }

    /// All work of the members was executed on those CPUs.
    pub fn within(&self, mask: Mask) -> Result<()> {
        for (workqueue, _) in MEMBERS {
            let on = self.on(workqueue);
            ensure!(on & mask == on, "{workqueue} was executed on {on}");
        }
        Ok(())
    }
}

/// A line of the file.
struct Count {
    workqueue: String,
    epoch: u32,
    cpu: u32,
    count: u64,
}

struct Counts(Vec<Count>);

impl Counts {
    fn read() -> Result<Self> {
        let path = path("counts");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        Self::parse(&text).with_context(|| format!("understanding {path}"))
    }

    fn parse(text: &str) -> Result<Self> {
        let count = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
            [workqueue, epoch, cpu, count] => Ok(Count {
                workqueue: workqueue.into(),
                epoch: epoch.parse()?,
                cpu: cpu.parse()?,
                count: count.parse()?,
            }),
            _ => bail!("a line is {line:?}"),
        };
        Ok(Self(text.lines().map(count).collect::<Result<_>>()?))
    }

    fn of(&self, workqueue: &str, epoch: u32) -> impl Iterator<Item = &Count> {
        let is_meant = move |count: &&Count| count.workqueue == workqueue && count.epoch == epoch;
        self.0.iter().filter(is_meant)
    }

    /// The workqueues that have not done enough in this epoch.
    fn too_few(&self, epoch: u32) -> Vec<String> {
        let names = MEMBERS.map(|(name, _)| name);
        let done = names.iter().chain(&[SYSFS, PERCPU]).map(|name| {
            let items: u64 = self.of(name, epoch).map(|count| count.count).sum();
            (name, items)
        });
        done.filter(|(_, items)| *items < ITEMS)
            .map(|(name, items)| format!("{name} has {items}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_of_a_workqueue_and_an_epoch() {
        let text = "wq_load_unbound 2 1 700\nwq_load_unbound 2 3 300\nwq_load_ordered 2 0 999\n\
                    wq_load_unbound 3 0 1\n";
        let counts = Counts::parse(text).unwrap();
        let few = counts.too_few(2);
        assert_eq!(few[0], "wq_load_ordered has 999");
        assert_eq!(few.len(), MEMBERS.len() + 1);
        let executed = Executed { counts, epoch: 2 };
        assert_eq!(executed.on("wq_load_unbound"), Mask(0b1010));
        assert!(executed.within(Mask(0xb)).is_ok());
        assert!(executed.within(Mask(0xa)).is_err());
    }
}
