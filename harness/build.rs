//! Lists the scenario files of the repository, so that the binary carries them and works from any folder.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let folder = manifest.join("..").join("scenarios");
    println!("cargo:rerun-if-changed={}", folder.display());

    // One folder a group; what lies beside the folders is about them.
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let group = entry?.path();
        if !group.is_dir() {
            continue;
        }
        println!("cargo:rerun-if-changed={}", group.display());
        for entry in fs::read_dir(&group)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push(path.canonicalize()?);
            }
        }
    }
    files.sort_by(|one, other| one.file_name().cmp(&other.file_name()));

    let mut list = String::from("&[\n");
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
        let group = file.parent().and_then(|group| group.file_name());
        let group = group.unwrap_or_default().to_string_lossy();
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(
            list,
            "    ({group:?}, {stem:?}, include_str!({:?})),",
            file.display().to_string()
        )?;
    }
    list.push_str("]\n");
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("scenarios.rs"),
        list,
    )?;
    Ok(())
}
