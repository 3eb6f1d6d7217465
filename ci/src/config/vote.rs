//! What is said in Gerrit.

use serde::Deserialize;

use crate::gerrit::Notify;

/// `[vote]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoteConfig {
    /// The label to vote with; empty for comments without a vote, as OpenStack asks of a CI that is new.
    pub label: String,
    /// The vote when everything passed.
    pub success: i8,
    /// The vote when something failed; 0 leaves that to people.
    pub failure: i8,
    /// The name of the pipeline in the summary line and the tag: letters, digits and `_`.
    pub pipeline: String,
    /// What lines of jobs begin with: `*` as OpenStack's page for third parties has it, or `-` as Zuul writes it, which
    /// Gerrit's plugin for summaries looks for.
    pub bullet: String,
    /// Whom Gerrit writes a mail.
    pub notify: Notify,
}

impl Default for VoteConfig {
    fn default() -> Self {
        Self {
            label: String::new(),
            success: 1,
            failure: -1,
            pipeline: "check".to_owned(),
            bullet: "*".to_owned(),
            notify: Notify::None,
        }
    }
}
