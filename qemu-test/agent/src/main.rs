// SPDX-License-Identifier: GPL-2.0-only
//! The guest's /init. The host calls it to list the cases, and it calls itself for workloads.
//!
//! There is nothing in the guest to load libraries from: it is built for the host's own target with
//! `-C target-feature=+crt-static`.

mod affinity;
mod cases;
mod cgroup;
mod command;
mod companion;
mod cpu;
mod cputime;
mod dump;
mod faults;
mod hooks;
mod init;
mod interrupts;
mod kmsg;
mod ktap;
mod leaks;
mod mask;
mod module;
mod osnoise;
mod ports;
mod procs;
mod random;
mod rtc;
mod shell;
mod slabs;
mod tap;
mod trace;
mod vcpu;
mod workload;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    if std::process::id() == 1 {
        return init::run();
    }
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--list"] => {
            for case in cases::CASES {
                println!("{}\t{}", case.name, case.doc);
            }
            ExitCode::SUCCESS
        }
        [init::OPTION] => init::job(),
        [workload::OPTION, kind] => workload::work(kind),
        _ => {
            eprintln!("usage: agent --list; it does the rest as the /init of a guest");
            ExitCode::from(2)
        }
    }
}
