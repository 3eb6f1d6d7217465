//! `powervm-harness list`

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use crate::scenario::{Capability, Scenario, TempestTest};

use super::arguments::List;
use super::{Ending, Stop, print, selection};

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    tags: &'a [String],
    needs: Vec<Capability>,
    steps: usize,
    follows: &'a [TempestTest],
}

pub(super) fn list(command: &List) -> Result<Ending, Stop> {
    let selected = selection::select(&command.scenarios, &command.selection)?;
    let left = |scenario: &Scenario| !selected.excluded.contains_key(&scenario.name);
    let scenarios: Vec<Scenario> = selected
        .scenarios
        .iter()
        .filter(|scenario| left(scenario))
        .cloned()
        .collect();
    if command.json {
        let listed: Vec<Listed<'_>> = scenarios.iter().map(listed).collect();
        print(&(serde_json::to_string_pretty(&listed)? + "\n"));
        return Ok(Ending::Passed);
    }
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["NAME", "STEPS", "TAGS", "NEEDS", "TITLE"]);
    for scenario in &scenarios {
        let needs: Vec<&str> = scenario.needs.iter().map(|need| need.name()).collect();
        table.add_row([
            scenario.name.clone(),
            scenario.steps.len().to_string(),
            scenario.tags.join(","),
            needs.join(","),
            scenario.title.clone(),
        ]);
    }
    print(&(table.trim_fmt() + "\n"));
    Ok(Ending::Passed)
}

fn listed(scenario: &Scenario) -> Listed<'_> {
    Listed {
        name: &scenario.name,
        title: &scenario.title,
        description: &scenario.description,
        tags: &scenario.tags,
        needs: scenario.needs.iter().copied().collect(),
        steps: scenario.steps.len(),
        follows: &scenario.follows,
    }
}
