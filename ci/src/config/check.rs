//! Values that cannot be meant.

use super::Config;

impl Config {
    /// What is wrong, a sentence each.
    pub(super) fn problems(&self) -> Vec<String> {
        let plain = |text: &str| {
            let legal =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
            !text.is_empty() && text.len() <= 64 && text.chars().all(legal)
        };
        let word = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let web = |text: &str| {
            let rest = text
                .strip_prefix("https://")
                .or_else(|| text.strip_prefix("http://"));
            rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('@'))
                && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
        };
        let gerrit = &self.gerrit;
        let run = &self.run;
        let checks = [
            (
                plain(&self.name),
                "name: lower-case letters, digits, - and _, at most 64",
            ),
            (
                web(&self.contact),
                "contact: has to be the http or https address of a page",
            ),
            (
                web(&self.logs_url),
                "logs_url: has to be an http or https address",
            ),
            (
                web(&gerrit.url),
                "gerrit.url: has to be an http or https address, without a user",
            ),
            (
                gerrit.username.is_some() == gerrit.password_file.is_some(),
                "gerrit.username and gerrit.password_file belong together",
            ),
            (
                gerrit
                    .username
                    .as_ref()
                    .is_none_or(|name| !name.is_empty() && !name.contains(':')),
                "gerrit.username: has to be a name without a colon",
            ),
            (
                !gerrit.project.is_empty()
                    && gerrit
                        .project
                        .chars()
                        .all(|c| !c.is_whitespace() && c != '"' && !c.is_control()),
                "gerrit.project: has to be the name of a repository",
            ),
            (!gerrit.branches.is_empty(), "gerrit.branches: names none"),
            (
                (5..=86_400).contains(&gerrit.poll_seconds),
                "gerrit.poll_seconds: 5 to 86400",
            ),
            ((1..=500).contains(&gerrit.page), "gerrit.page: 1 to 500"),
            (
                (1..=1000).contains(&gerrit.pages),
                "gerrit.pages: 1 to 1000",
            ),
            (
                (1..=600).contains(&gerrit.timeout_seconds),
                "gerrit.timeout_seconds: 1 to 600",
            ),
            (
                self.vote
                    .label
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-'),
                "vote.label: letters, digits and -, or nothing",
            ),
            (
                (0..=1).contains(&self.vote.success),
                "vote.success: 0 or 1, for a CI does not gate",
            ),
            (
                (-1..=0).contains(&self.vote.failure),
                "vote.failure: 0 or -1, for a CI does not gate",
            ),
            (
                word(&self.vote.pipeline),
                "vote.pipeline: letters, digits and _",
            ),
            (
                matches!(self.vote.bullet.as_str(), "*" | "-"),
                "vote.bullet: * or -",
            ),
            ((1..=16).contains(&run.parallel), "run.parallel: 1 to 16"),
            ((1..=10).contains(&run.tries), "run.tries: 1 to 10"),
            (
                run.programs.iter().all(|name| plain(name)),
                "run.programs: names of files without .py",
            ),
            (
                !run.git.starts_with('-') && !run.git.is_empty(),
                "run.git: has to be an address or a folder",
            ),
            (
                run.scenarios.iter().all(|name| !name.starts_with('-')),
                "run.scenarios: names, tags or paths, no options",
            ),
        ];
        checks
            .into_iter()
            .filter(|(good, _)| !good)
            .map(|(_, problem)| problem.to_owned())
            .collect()
    }
}
