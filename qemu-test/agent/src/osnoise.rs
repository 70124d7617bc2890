// SPDX-License-Identifier: GPL-2.0-only
//! The kernel's own counters of what comes between a task and its CPU: the osnoise tracer. The task is
//! its own, a kthread that looks at the clock all the time (Documentation/trace/osnoise-tracer.rst).

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Map, Value};

use crate::trace;

/// What it says a second with, in this order at the end of a line. What comes before them are times.
/// The hardware's count is left out: where the machine is emulated, it is the host's.
const COUNTERS: [&str; 4] = ["NMIs", "interrupts", "softirqs", "threads"];

/// It speaks once a second: when it has surely said what there was to say.
const LAST: Duration = Duration::from_secs(2);

/// What it counts on the CPU while `action` is done, by name. Before, it has time to settle.
pub fn during(
    cpu: u32,
    settles: Duration,
    action: impl FnOnce() -> Result<()>,
) -> Result<Map<String, Value>> {
    trace::write("trace", "")?;
    trace::write("osnoise/cpus", &cpu.to_string())?;
    trace::write("tracing_on", "1")?;
    trace::write("current_tracer", "osnoise")?;
    sleep(settles);
    let before = seconds(cpu)?.len();
    let done = action();
    sleep(LAST);
    let seconds = seconds(cpu);
    trace::write("current_tracer", "nop")?;
    done?;
    let seconds = seconds?;
    ensure!(seconds.len() > before, "osnoise has said nothing");
    let sums = sum(&seconds[before..]).map(Value::from);
    Ok(COUNTERS.map(str::to_owned).into_iter().zip(sums).collect())
}

fn seconds(cpu: u32) -> Result<Vec<[u64; COUNTERS.len()]>> {
    let lines = trace::read(cpu)?;
    Ok(lines.iter().filter_map(|line| second(line)).collect())
}

fn sum(seconds: &[[u64; COUNTERS.len()]]) -> [u64; COUNTERS.len()] {
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
        assert_eq!(sum(&seconds), [2, 250, 81, 12]);
    }
}
