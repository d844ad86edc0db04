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

/// Groups hold more than one would name: clippy's `restriction` holds all of the above.
const GROUPS: [&str; 12] = [
    "clippy::all",
    "clippy::cargo",
    "clippy::complexity",
    "clippy::correctness",
    "clippy::nursery",
    "clippy::pedantic",
    "clippy::perf",
    "clippy::restriction",
    "clippy::style",
    "clippy::suspicious",
    // By its old name a lint is as good as by its new one.
    "renamed_and_removed_lints",
    "warnings",
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
    let Some((code, tests)) = text.split_once("#[cfg(test)]") else {
        return text;
    };
    let first = tests.trim_start().lines().next().unwrap();
    assert!(
        first.ends_with("mod tests {"),
        "{}: {first}",
        path.display()
    );
    code.to_owned()
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
    // A group that is allowed with a higher priority would let them all in.
    assert!(!workspace.contains("\"allow\""));
    for manifest in ["Cargo.toml", "tests/gloo/Cargo.toml", "xtask/Cargo.toml"] {
        let manifest = fs::read_to_string(root(manifest)).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true\n"));
    }
}

#[test]
fn s36_no_flag_from_outside_the_crates_allows_what_they_deny() {
    // Where cargo is called, which looks for its config there.
    for folder in [".cargo", ".ci"] {
        for entry in fs::read_dir(root(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap().to_lowercase();
            // In any table or variable; and what runs in the compiler's place.
            for word in ["rustflags", "rustc"] {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

/// What `code` lets pass in attributes, over as many lines as they have, of what nobody may.
fn let_pass(code: &str) -> Vec<String> {
    let denied = |name: &str| {
        let is_denied = |lint: &str| DENIED.contains(&lint);
        GROUPS.contains(&name) || name.strip_prefix("clippy::").is_some_and(is_denied)
    };
    let code: String = code
        .lines()
        .filter_map(|line| line.split("//").next())
        .flat_map(|line| [line, " "])
        .collect();
    code.split('#')
        .filter(|rest| rest.trim_start_matches('!').trim_start().starts_with('['))
        // A string that says why may hold a bracket; what it cuts off begins no attribute.
        .filter_map(|rest| rest.split(']').next())
        .filter(|attribute| {
            // `warn` too: it is less than `deny`.
            [
                "allow(", "allow (", "expect(", "expect (", "warn(", "warn (",
            ]
            .iter()
            .any(|word| attribute.contains(word))
        })
        .flat_map(|attribute| attribute.split(|c: char| !c.is_alphanumeric() && !"_:".contains(c)))
        .filter(|name| denied(name))
        .map(str::to_owned)
        .collect()
}

#[test]
fn s36_a_back_door_is_seen_however_it_is_built() {
    for door in [
        "#[allow(clippy::unwrap_used)]",
        "#![allow(clippy::unwrap_used)]",
        "#[expect(clippy::panic)]",
        "#[allow(clippy::restriction)]",
        "#[allow(dead_code, clippy::all)]",
        "#[allow(warnings)]",
        "#[allow(\n    dead_code,\n    clippy::indexing_slicing,\n    reason = \"x\"\n)]",
        "#[cfg_attr(target_arch = \"wasm32\", allow(clippy::todo))]",
        "#[warn(clippy::unreachable)]",
        "# [allow (clippy::string_slice)]",
        "fn f() { #[allow(clippy::expect_used)] g() }",
        "#[allow(renamed_and_removed_lints, clippy::option_unwrap_used)]",
    ] {
        assert_eq!(let_pass(door).len(), 1, "{door}");
    }
    for honest in [
        "#[allow(clippy::too_many_arguments)]",
        "#[derive(Debug)] // allow(clippy::panic)",
        "#[deny(clippy::unwrap_used)]",
        "let known = list[0].expect(\"clippy::panic\");",
        "#[allow(unsafe_code, reason = \"an allocator is unsafe by its trait\")]",
    ] {
        assert_eq!(let_pass(honest), [""; 0], "{honest}");
    }
}

#[test]
fn s36_no_code_lets_a_denied_lint_pass_or_is_unsafe() {
    let crates = ["src", "tests/gloo/src", "xtask/src"];
    let files = crates.map(|folder| sources(&root(folder))).concat();
    let runtime = std::fs::read_to_string(root("src/shell/runtime.rs")).unwrap();
    let words = |word| runtime.matches(word).count();
    assert_eq!(
        words("unsafe impl") + words("unsafe {"),
        words("// SAFETY:")
    );
    assert!(files.len() > 50, "{files:?}");
    for path in files {
        let code = code(&path);
        assert_eq!(let_pass(&code), [""; 0], "{}", path.display());
        for line in code.lines().map(str::trim) {
            let says = line.split("//").next().unwrap();
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
