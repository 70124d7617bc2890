// SPDX-License-Identifier: GPL-2.0-only
//! The kernel's own counters of what comes between a task and its CPU: the osnoise tracer. The task is
//! its own, a kthread that looks at the clock all the time (Documentation/trace/osnoise-tracer.rst).

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::trace;

/// What it says a second with, in this order at the end of a line. What comes before them are times.
/// The hardware's count is left out: where the machine is emulated, it is the host's.
pub const COUNTERS: [&str; 4] = ["NMIs", "interrupts", "softirqs", "threads"];

/// The sums of so many seconds, after others that do not count.
pub fn count(cpu: u32, settles: Duration, time: Duration) -> Result<[u64; COUNTERS.len()]> {
    let (skipped, counted) = (settles.as_secs(), time.as_secs());
    trace::write("osnoise/cpus", &cpu.to_string())?;
    trace::write("tracing_on", "1")?;
    trace::write("current_tracer", "osnoise")?;
    // What it calls a second is a bit longer, as the first one is that it begins with.
    sleep(settles + time + time / 100 + Duration::from_secs(1));
    let lines = trace::read(cpu);
    trace::write("current_tracer", "nop")?;
    let seconds: Vec<_> = lines?.iter().filter_map(|line| second(line)).collect();
    let seconds = seconds.iter().skip(skipped as usize).take(counted as usize);
    ensure!(
        seconds.len() as u64 == counted,
        "osnoise has said {} s of {counted} s",
        seconds.len()
    );
    Ok(sum(seconds))
}

fn sum<'a>(seconds: impl Iterator<Item = &'a [u64; 4]>) -> [u64; 4] {
    let mut sum = [0; COUNTERS.len()];
    for second in seconds {
        for (total, count) in sum.iter_mut().zip(second) {
            *total += count;
        }
    }
    sum
}

/// The counters in a line of the trace.
fn second(line: &str) -> Option<[u64; COUNTERS.len()]> {
    let words: Vec<_> = line.rsplit_once(": ")?.1.split_whitespace().collect();
    let [
        _runtime,
        _noise,
        _available,
        _longest,
        _hardware,
        counters @ ..,
    ] = &words[..]
    else {
        return None;
    };
    let counters: Vec<_> = counters
        .iter()
        .map_while(|word| word.parse().ok())
        .collect();
    counters.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 3] = [
        "       osnoise/3-60      [003] .....    25.120093: 1000000      60123  93.98770    1200     31      0    250     81     12",
        "       osnoise/3-60      [003] .....    26.130093: 1000003          0 100.00000       0      0      2      0      0      0",
        "            busy-51      [003] d..2.    12.65: sched_switch: prev_comm=a b c d e f g h i",
    ];

    #[test]
    fn counters_are_added_up() {
        let seconds: Vec<_> = LINES.iter().filter_map(|line| second(line)).collect();
        assert_eq!(seconds, [[0, 250, 81, 12], [2, 0, 0, 0]]);
        assert_eq!(sum(seconds.iter()), [2, 250, 81, 12]);
    }
}
