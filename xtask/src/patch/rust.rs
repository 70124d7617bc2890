// SPDX-License-Identifier: GPL-2.0-only
//! What is in Rust in a patch: whether it is formatted as the kernel's rustfmt configuration says.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use similar::TextDiff;

use crate::toolchain::in_path;

/// Whether the patch that has these files changes what Rust code is built from.
pub fn concerns(files: &[String]) -> bool {
    files.iter().any(|file| file.starts_with("rust/"))
}

/// Fails with a diff where a file is not formatted. Each is looked at by itself: rustfmt would go on
/// to all the modules that it declares.
pub fn formatted(tree: &Path, files: &[String]) -> Result<()> {
    let is_rust = |file: &&String| file.ends_with(".rs") && tree.join(file).is_file();
    if in_path("rustfmt").is_none() {
        return Ok(());
    }
    for file in files.iter().filter(is_rust) {
        let path = tree.join(file);
        let reading = || format!("reading {}", path.display());
        let mut rustfmt = Command::new("rustfmt");
        rustfmt
            .args(["--edition", "2021", "--config-path"])
            .arg(tree)
            .stdin(File::open(&path).with_context(reading)?);
        let output = rustfmt.output().context("running rustfmt")?;
        ensure!(
            output.status.success(),
            "rustfmt cannot read {file}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let formatted = String::from_utf8(output.stdout)?;
        let text = fs::read_to_string(&path).with_context(reading)?;
        let diff = TextDiff::from_lines(&text, &formatted);
        ensure!(
            diff.ratio() == 1.0,
            "{file} is not as rustfmt has it:\n{}",
            diff.unified_diff()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_formatted_or_its_name_is_told() {
        let tree = tempfile::tempdir().unwrap();
        fs::write(tree.path().join(".rustfmt.toml"), "").unwrap();
        fs::write(tree.path().join("good.rs"), "mod gone;\n\nfn f() {}\n").unwrap();
        fs::write(tree.path().join("bad.rs"), "fn  f(){}\n").unwrap();
        let check = |files: &[&str]| {
            let files: Vec<_> = files.iter().map(|file| (*file).to_owned()).collect();
            formatted(tree.path(), &files)
        };
        check(&["good.rs", "removed.rs", "a.c"]).unwrap();
        let error = check(&["good.rs", "bad.rs"]).unwrap_err().to_string();
        assert!(error.contains("bad.rs is not as rustfmt has it"), "{error}");
    }
}
