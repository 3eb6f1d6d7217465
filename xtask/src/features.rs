//! That no command builds a dependency anew because it asks for other features than `cargo test` does.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

/// What `cargo build` with these arguments would build otherwise than `cargo test --workspace` has: `PACKAGE vVERSION FEATURES`
/// a line.
///
/// # Errors
/// What cargo says.
pub(crate) fn built_otherwise(workspace: &Workspace, build: &[&str]) -> Result<Vec<String>> {
    let tested = packages(workspace, &["--workspace", "--edges", "normal,build,dev"])?;
    let alone = packages(workspace, &[build, &["--edges", "normal,build"]].concat())?;
    let names: BTreeSet<_> = tested.iter().filter_map(|line| name(line)).collect();
    // A package that the tests do not have is built for this command only, and once.
    let differs = |line: &&String| {
        !tested.contains(*line) && name(line).is_some_and(|name| names.contains(name))
    };
    Ok(alone.iter().filter(differs).cloned().collect())
}

fn packages(workspace: &Workspace, arguments: &[&str]) -> Result<BTreeSet<String>> {
    let mut tree = workspace.cargo([
        "tree", "--locked", "--prefix", "none", "--format", "{p} {f}",
    ]);
    let printed = command::stdout(tree.args(arguments))?;
    Ok(printed
        .lines()
        .map(|line| line.trim_end_matches(" (*)").trim_end().to_owned())
        .collect())
}

/// A workspace's own package has its folder instead of features.
fn name(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(' ')?;
    (!rest.contains('/') && !rest.contains('\\')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_alone_is_built_as_the_tests_have_it() {
        let workspace = Workspace::locate().unwrap();
        let programs = ["-p", "powervm-driver", "-p", "powervm-simulator"];
        let nova = ["-p", "powervm-nova", "--features", "python"];
        let builds: [&[&str]; 5] = [
            &["--workspace"],
            &["-p", "powervm-driver"],
            &["-p", "powervm-harness"],
            &programs,
            &nova,
        ];
        for build in builds {
            let differs = built_otherwise(&workspace, build).unwrap();
            assert!(
                differs.is_empty(),
                "features/Cargo.toml lacks for {build:?}: {differs:#?}"
            );
        }
    }

    #[test]
    fn another_set_of_features_is_told() {
        let workspace = Workspace::locate().unwrap();
        // Without the driver, and so without that crate.
        let differs = built_otherwise(&workspace, &["-p", "powervm-schema"]).unwrap();
        assert!(!differs.is_empty());
    }
}
