//! S36: what could panic or be unsound is denied by lints, and nobody lets it in by a back door.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// Each of these in code would be a panic that somebody could reach.
const DENIED: [&str; 8] = [
    "expect_used",
    "indexing_slicing",
    "panic",
    "string_slice",
    "todo",
    "unimplemented",
    "unreachable",
    "unwrap_used",
];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The file without its tests, which stand at its foot (clippy: `items_after_test_module`).
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
    text.get(..tests).unwrap().to_owned()
}

#[test]
fn s36_each_lint_is_denied_in_each_crate() {
    let workspace = fs::read_to_string(root("Cargo.toml")).unwrap();
    for lint in DENIED {
        assert!(
            workspace.contains(&format!("\n{lint} = \"deny\"\n")),
            "{lint}"
        );
    }
    assert!(workspace.contains("\nunsafe_code = \"deny\"\n"));
    for manifest in ["Cargo.toml", "xtask/Cargo.toml"] {
        let manifest = fs::read_to_string(root(manifest)).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true\n"));
    }
}

#[test]
fn s36_no_code_lets_a_denied_lint_pass_or_is_unsafe() {
    let files = sources(&root("src"));
    let runtime = std::fs::read_to_string(root("src/shell/runtime.rs")).unwrap();
    let words = |word| runtime.matches(word).count();
    assert_eq!(
        words("unsafe impl") + words("unsafe {"),
        words("// SAFETY:")
    );
    assert!(files.len() > 50, "{files:?}");
    for path in files {
        let code = code(&path);
        for line in code.lines().map(str::trim) {
            let says = line.split("//").next().unwrap();
            let lets_pass = says.contains("allow(") || says.contains("expect(clippy");
            assert!(
                !lets_pass
                    || !DENIED
                        .iter()
                        .any(|lint| says.contains(&format!("clippy::{lint}"))),
                "{}: {line}",
                path.display()
            );
            let is_unsafe = [
                "unsafe {",
                "unsafe fn",
                "unsafe impl",
                "unsafe extern",
                "unsafe_code",
            ];
            // The client's allocator: the one small module, which says why at each place.
            assert!(
                path.ends_with("src/shell/runtime.rs")
                    || !is_unsafe.iter().any(|word| says.contains(word)),
                "{}: {line}",
                path.display()
            );
        }
    }
}
