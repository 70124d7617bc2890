// SPDX-License-Identifier: GPL-2.0-only
//! The machine's real-time clock, which the host drives, beside the kernel's clock.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cpu::read_trimmed;

const PATH: &str = "/sys/class/rtc/rtc0/since_epoch";
/// How often it is looked at: the error of a reading.
const POLL: Duration = Duration::from_millis(10);
/// The part of the time that the clocks may differ by: one in so many.
const PART: u32 = 100;

/// Both clocks at one moment.
pub struct Clocks {
    rtc: u64,
    kernel: Instant,
}

impl Clocks {
    /// When the next second begins: the RTC knows no parts of it.
    pub fn read() -> Result<Self> {
        let now = seconds()?;
        loop {
            let (rtc, kernel) = (seconds()?, Instant::now());
            if rtc != now {
                return Ok(Self { rtc, kernel });
            }
            sleep(POLL);
        }
    }
}

fn seconds() -> Result<u64> {
    Ok(read_trimmed(PATH)?.parse()?)
}

/// Whether both have gone as far.
pub fn in_step(before: &Clocks, after: &Clocks) -> Result<()> {
    let rtc = Duration::from_secs(after.rtc - before.rtc);
    let kernel = after.kernel - before.kernel;
    ensure!(
        rtc.abs_diff(kernel) <= rtc / PART,
        "{kernel:?} have passed on the kernel's clock, {rtc:?} on the machine's"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundredth_is_allowed() {
        let start = Instant::now();
        let at = |rtc, kernel| Clocks {
            rtc,
            kernel: start + Duration::from_millis(kernel),
        };
        assert!(in_step(&at(7, 0), &at(207, 202_000)).is_ok());
        assert!(in_step(&at(7, 0), &at(207, 202_001)).is_err());
        assert!(in_step(&at(7, 0), &at(207, 197_999)).is_err());
    }
}
