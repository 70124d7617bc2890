// SPDX-License-Identifier: GPL-2.0-only
//! Which objects a patch touches.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Not built with the kernel.
const ELSEWHERE: [&str; 3] = ["tools/", "Documentation/", "samples/"];

/// The objects that the C files among `files` end up in, as make targets.
pub fn of(tree: &Path, files: &[String]) -> Result<BTreeSet<String>> {
    let mut objects = BTreeSet::new();
    for file in files {
        let is_c = file.ends_with(".c") && tree.join(file).is_file();
        if is_c && !ELSEWHERE.iter().any(|folder| file.starts_with(folder)) {
            let unit = unit(tree, Path::new(file))?;
            objects.insert(unit.with_extension("o").display().to_string());
        }
    }
    Ok(objects)
}

/// The file that is compiled for `file`: itself, or one that includes it, as those of kernel/sched
/// are.
fn unit(tree: &Path, file: &Path) -> Result<PathBuf> {
    for folder in file.ancestors().skip(1).take(2) {
        let name = file.strip_prefix(folder)?;
        if let Some(includer) = includer(&tree.join(folder), name)? {
            return unit(tree, &folder.join(includer));
        }
    }
    Ok(file.to_owned())
}

/// The C file of `folder` that includes `name`.
fn includer(folder: &Path, name: &Path) -> Result<Option<PathBuf>> {
    let quoted = format!("\"{}\"", name.display());
    let includes = |line: &str| {
        let directive = line.strip_prefix('#').map(str::trim_start);
        directive
            .and_then(|line| line.strip_prefix("include"))
            .map(str::trim)
            == Some(&quoted)
    };
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "c") {
            continue;
        }
        let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        if String::from_utf8_lossy(&text).lines().any(includes) {
            return Ok(path.file_name().map(PathBuf::from));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_included_file_is_in_the_object_of_its_includer() {
        let tree = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = tree.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "k/build.c",
            "#include \"part.c\"\n# include \"sub/deep.c\"\n",
        );
        write("k/part.c", "#include \"test.c\"\n");
        write("k/test.c", "");
        write("k/sub/deep.c", "");
        write("k/alone.c", "");
        write("tools/x.c", "");
        let files = [
            "k/test.c",
            "k/sub/deep.c",
            "k/alone.c",
            "k/gone.c",
            "tools/x.c",
            "k/h.h",
        ];
        let files = files.map(str::to_owned);
        let objects = of(tree.path(), &files).unwrap();
        assert_eq!(
            objects,
            BTreeSet::from(["k/alone.o".into(), "k/build.o".into()])
        );
    }
}
