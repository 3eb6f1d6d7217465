//! Starting programs, with failures that name the command line.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// Keeps from a command what the cargo that runs xtask says of xtask's own package.
///
/// Build scripts look at that (ring's does), and half of the dependencies would be built anew whenever a plain `cargo` and
/// one that is started from here take turns.
pub(crate) fn without_own_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_")
            || told.starts_with("CARGO_MANIFEST_")
            || told == "OUT_DIR"
        {
            command.env_remove(name);
        }
    }
}

/// Runs a command with this process's output, and fails where it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = line(command);
    eprintln!("$ {shown}");
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a command and hands each line of its output to `look` as it comes; how it ended.
pub(crate) fn follow(command: &mut Command, mut look: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start it")?;
    let output = child.stdout.take().context("it has no output")?;
    for line in BufReader::new(output).split(b'\n') {
        look(&String::from_utf8_lossy(
            &line.context("its output broke off")?,
        ));
    }
    child.wait().context("cannot wait for it")
}

/// Runs a command and gives what it printed; its error output goes into the failure.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let shown = line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}` failed ({}):\n{}", output.status, said.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed no UTF-8"))
}

/// The command line as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit(['/', '\\']).next().unwrap_or(&program);
    command
        .get_args()
        .fold(program.to_owned(), |mut line, argument| {
            line.push(' ');
            line.push_str(&argument.to_string_lossy());
            line
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_cannot_start_is_named() {
        let error = run(&mut Command::new("/nowhere/no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program`");
    }

    #[test]
    fn a_command_that_is_followed_gives_its_lines_and_how_it_ended() {
        let mut seen = Vec::new();
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo a; echo b; exit 3"]);
        let status = follow(&mut shell, |line| seen.push(line.to_owned())).unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(seen, ["a", "b"]);
    }

    #[test]
    fn a_failure_carries_what_the_command_said() {
        let mut command = Command::new(env!("CARGO"));
        command.arg("no-such-subcommand");
        let error = stdout(&mut command).unwrap_err().to_string();
        assert!(error.contains("no-such-subcommand"), "{error}");
        assert!(error.contains("failed"), "{error}");
    }
}
