//! `powervm-harness audit`

use serde::Serialize;

use crate::audit::{Inventory, Policy, compare};
use crate::survey::{Suspicion, VIEW};

use super::arguments::Audit;
use super::run::runtime;
use super::{Ending, Stop, print, say, targets};

#[derive(Serialize)]
struct Found {
    counted: String,
    suspicions: Vec<Suspicion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<crate::audit::Audit>,
}

/// Looks at a host without changing it: what looks left behind, and what differs from an earlier look.
pub(super) fn audit(command: &Audit) -> Result<Ending, Stop> {
    let before = match &command.against {
        Some(file) => Some(Inventory::load(file).map_err(Stop::usage)?),
        None => None,
    };
    let runtime = runtime(targets::is_embedded(&command.target))?;
    let survey = runtime.block_on(async {
        let target = targets::open(&command.target).await?;
        target.survey().await.map_err(Stop::from)
    })?;
    let inventory = survey.inventory();
    if let Some(file) = &command.save {
        inventory.save(file)?;
        say(&format!("wrote {}", file.display()));
    }
    let found = Found {
        counted: inventory.describe(),
        suspicions: survey.suspicions(),
        compared: before.map(|mut before| {
            VIEW.clone_into(&mut before.view);
            compare(&[before], &[inventory], Policy::Ssp)
        }),
    };
    print(&if command.json {
        serde_json::to_string_pretty(&found)? + "\n"
    } else {
        text(&found)
    });
    let clean = found.suspicions.is_empty()
        && found
            .compared
            .as_ref()
            .is_none_or(crate::audit::Audit::is_clean);
    Ok(if clean {
        Ending::Passed
    } else {
        Ending::Failed
    })
}

fn text(found: &Found) -> String {
    let mut lines = vec![found.counted.clone()];
    lines.extend(
        found
            .suspicions
            .iter()
            .map(|suspicion| format!("suspicious: {suspicion}")),
    );
    if found.suspicions.is_empty() {
        lines.push("nothing looks left behind".to_owned());
    }
    if let Some(compared) = &found.compared {
        lines.extend(compared.findings.iter().map(ToString::to_string));
        if compared.is_clean() {
            lines.push("as before".to_owned());
        }
    }
    lines.join("\n") + "\n"
}
