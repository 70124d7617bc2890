// SPDX-License-Identifier: GPL-2.0-only
//! The QEMU command line, in one place.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::accel::Accel;
use crate::toolchain::qemu::Qemu;

/// On every command line: the log goes to the serial port, and a panic ends QEMU (with -no-reboot).
const FIXED_APPEND: &str = "console=ttyS0 panic=-1";

/// The machine that a guest runs on.
#[derive(Clone, Debug)]
pub struct Machine {
    pub cpus: u32,
    /// CPUs of a core.
    pub threads: u32,
    /// As QEMU takes it: megabytes, or with a suffix.
    pub memory: String,
    pub accel: Accel,
    /// Added to the kernel's command line.
    pub append: String,
}

/// What one QEMU is started with.
#[derive(Debug)]
pub struct Invocation<'a> {
    pub qemu: &'a Qemu,
    pub machine: &'a Machine,
    pub kernel: &'a Path,
    pub initrd: &'a Path,
    /// Where the streams of the guest go.
    pub streams: &'a Streams,
    /// The abstract socket that carries an interactive guest's input and output.
    pub stdio: Option<&'a str>,
}

/// The files that the guest's streams end in.
#[derive(Debug)]
pub struct Streams {
    pub console: PathBuf,
    pub ktap: PathBuf,
    pub verdict: PathBuf,
    pub data: PathBuf,
}

impl Streams {
    pub fn within(dir: &Path) -> Self {
        Self {
            console: dir.join("console.log"),
            ktap: dir.join("results.ktap"),
            verdict: dir.join("verdict.jsonl"),
            data: dir.join("data.jsonl"),
        }
    }
}

impl Invocation<'_> {
    pub fn arguments(&self) -> Vec<OsString> {
        let mut line = Line::default();
        for folder in &self.qemu.firmware {
            line.words(["-L"]);
            line.word(folder);
        }
        line.words(["-nodefaults", "-no-user-config", "-no-reboot"]);
        line.words([
            "-display",
            "none",
            "-machine",
            "q35",
            "-cpu",
            self.machine.accel.cpu(),
        ]);
        for word in self.machine.accel.arguments() {
            line.word(word);
        }
        let Machine { cpus, threads, .. } = self.machine;
        line.words(["-smp", &format!("{cpus},threads={threads}")]);
        line.words(["-m", &self.machine.memory]);
        line.words(["-device", "virtio-rng-pci"]);
        line.file_chardev("console", &self.streams.console);
        line.words(["-serial", "chardev:console"]);
        line.words(["-device", "virtio-serial-pci"]);
        for (name, path) in [
            ("ktap", &self.streams.ktap),
            ("verdict", &self.streams.verdict),
            ("data", &self.streams.data),
        ] {
            line.file_chardev(name, path);
            line.port(name);
        }
        if let Some(socket) = self.stdio {
            line.words(["-chardev"]);
            line.word(format!("socket,id=stdio,path={socket},abstract=on"));
            line.port("stdio");
        }
        line.words(["-kernel"]);
        line.word(self.kernel);
        line.words(["-initrd"]);
        line.word(self.initrd);
        line.words(["-append"]);
        line.word(format!("{FIXED_APPEND} {}", self.machine.append).trim_end());
        line.0
    }

    /// The command, quoted so that it can be pasted into a shell.
    pub fn shell_line(&self) -> String {
        let arguments = self.arguments();
        std::iter::once(self.qemu.program.to_string_lossy())
            .chain(arguments.iter().map(|word| word.to_string_lossy()))
            .map(|word| shlex::try_quote(&word).map_or(word.to_string(), |quoted| quoted.into()))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[derive(Default)]
struct Line(Vec<OsString>);

impl Line {
    fn word(&mut self, word: impl Into<OsString>) {
        self.0.push(word.into());
    }

    fn words<const N: usize>(&mut self, words: [&str; N]) {
        self.0.extend(words.map(OsString::from));
    }

    fn file_chardev(&mut self, id: &str, path: &Path) {
        self.words(["-chardev"]);
        // QEMU's own quoting: a comma inside a value is doubled.
        let path = path.to_string_lossy().replace(',', ",,");
        self.word(format!("file,id={id},path={path}"));
    }

    fn port(&mut self, chardev: &str) {
        self.words(["-device"]);
        self.word(format!(
            "virtserialport,chardev={chardev},name=cpu-isolation.{chardev}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::qemu::MINIMUM;

    fn line(dir: &str, append: &str, stdio: Option<&str>) -> String {
        let machine = Machine {
            cpus: 4,
            threads: 2,
            memory: "512".into(),
            accel: Accel::Tcg,
            append: append.into(),
        };
        let qemu = Qemu {
            program: "/opt/qemu".into(),
            version: MINIMUM,
            firmware: vec!["/opt/firmware".into()],
        };
        Invocation {
            qemu: &qemu,
            machine: &machine,
            kernel: Path::new("/k/bzImage"),
            initrd: Path::new("/k/initrd"),
            streams: &Streams::within(Path::new(dir)),
            stdio,
        }
        .shell_line()
    }

    #[test]
    fn the_command_line_is_one_quoted_word() {
        let line = line("/run", "isolcpus=domain,3", None);
        assert!(
            line.ends_with("-append 'console=ttyS0 panic=-1 isolcpus=domain,3'"),
            "{line}"
        );
        assert!(line.contains(" -smp '4,threads=2' -m 512 "), "{line}");
        assert!(line.starts_with("/opt/qemu -L /opt/firmware "), "{line}");
    }

    #[test]
    fn an_interactive_guest_has_one_more_port() {
        assert!(!line("/run", "", None).contains("cpu-isolation.stdio"));
        assert!(line("/run", "", Some("x")).contains("name=cpu-isolation.stdio"));
    }

    #[test]
    fn a_comma_in_a_path_is_doubled() {
        assert!(line("/a,b", "", None).contains("path=/a,,b/console.log"));
    }
}
