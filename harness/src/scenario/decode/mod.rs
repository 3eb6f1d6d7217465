//! From the raw file to a checked scenario.

mod amounts;
mod expect;
mod verbs;
mod work;

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use uuid::Uuid;

use super::error::Source;
use super::raw::{RawFlavor, RawScenario, RawServer, RawStep};
use super::{
    Action, Capability, Deed, Disk, FORMAT, Scenario, ScenarioError, ServerSpec, Step, TempestTest,
    Work,
};

pub(super) fn scenario(name: &str, origin: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let source = Source { origin, text };
    let raw: RawScenario = toml::from_str(text).map_err(|error| source.syntax(&error))?;

    if *raw.format.get_ref() != FORMAT {
        let message = format!(
            "this version reads format {FORMAT}, the file has {}",
            raw.format.get_ref()
        );
        return Err(source.error(&raw.format.span(), "format", message));
    }
    let disk = disk(&source, &raw.disk)?;
    let mut needs = needs(&source, &raw.needs)?;
    needs.extend(
        raw.step
            .iter()
            .flat_map(|step| verbs::needs(step.get_ref())),
    );
    needs.insert(match disk {
        Disk::Ssp => Capability::Ssp,
        Disk::Localdisk => Capability::Localdisk,
    });
    let follows = raw
        .follows
        .iter()
        .enumerate()
        .map(|(index, test)| {
            let id = Uuid::parse_str(test.id.get_ref()).map_err(|error| {
                source.error(
                    &test.id.span(),
                    format!("follows[{}].id", index + 1),
                    format!("not a UUID: {error}"),
                )
            })?;
            Ok(TempestTest {
                name: test.name.clone(),
                id,
            })
        })
        .collect::<Result<Vec<_>, ScenarioError>>()?;

    if raw.step.is_empty() {
        return Err(source.error(
            &(text.len()..text.len()),
            "step",
            "a scenario needs one [[step]] or more",
        ));
    }
    let default = default_server(&source, raw.server)?;
    let mut steps: Vec<Step> = Vec::with_capacity(raw.step.len());
    for (index, step) in raw.step.into_iter().enumerate() {
        let span = step.span();
        let reader = StepReader {
            source,
            key: format!("step[{}]", index + 1),
            span,
            default: &default,
            earlier: &steps,
        };
        let step = reader.step(step.into_inner())?;
        steps.push(step);
    }

    if shelves_a_disk(&steps) {
        needs.insert(Capability::Capture);
    }
    Ok(Scenario {
        name: name.to_owned(),
        path: None,
        title: raw.title,
        description: raw.description.trim().to_owned(),
        follows,
        tags: raw.tags,
        needs,
        disk,
        steps,
    })
}

/// Whether a server is shelved that has a boot disk, which is copied then.
fn shelves_a_disk(steps: &[Step]) -> bool {
    let work = || steps.iter().flat_map(|step| &step.work);
    let has_disk = |server: &String| {
        work().any(|other| match &other.action {
            Action::Create(spec) => spec.boot_volume.is_none() && other.servers().contains(server),
            _ => false,
        })
    };
    work()
        .filter(|work| matches!(work.action, Action::Do(Deed::Shelve(_))))
        .flat_map(Work::servers)
        .any(|server| has_disk(&server))
}

fn disk(source: &Source<'_>, disk: &Spanned<String>) -> Result<Disk, ScenarioError> {
    match disk.get_ref().as_str() {
        "ssp" => Ok(Disk::Ssp),
        "localdisk" => Ok(Disk::Localdisk),
        other => Err(source.error(
            &disk.span(),
            "disk",
            format!("{other:?} is neither \"ssp\" nor \"localdisk\""),
        )),
    }
}

fn needs(
    source: &Source<'_>,
    needs: &[Spanned<String>],
) -> Result<BTreeSet<Capability>, ScenarioError> {
    needs
        .iter()
        .map(|need| {
            Capability::from_name(need.get_ref()).ok_or_else(|| {
                let known = Capability::ALL.map(Capability::name).join(", ");
                let message = format!("unknown capability {:?}; known are {known}", need.get_ref());
                source.error(&need.span(), "needs", message)
            })
        })
        .collect()
}

fn default_server(
    source: &Source<'_>,
    raw: Option<RawServer>,
) -> Result<ServerSpec, ScenarioError> {
    let raw = raw.unwrap_or_default();
    let mut spec = ServerSpec::default();
    if let Some(flavor) = &raw.flavor {
        amounts::flavor(source, "server.flavor", flavor, &mut spec.flavor)?;
    }
    if let Some(networks) = &raw.networks {
        spec.networks = amounts::networks(source, "server.networks", networks)?;
    }
    spec.config_drive = raw.config_drive.unwrap_or(spec.config_drive);
    spec.power_on = raw.power_on.unwrap_or(spec.power_on);
    Ok(spec)
}

/// Reads one step; knows where it stands and what came before it.
struct StepReader<'a> {
    source: Source<'a>,
    key: String,
    span: Range<usize>,
    default: &'a ServerSpec,
    earlier: &'a [Step],
}

impl StepReader<'_> {
    fn error(&self, at: &Range<usize>, key: &str, message: impl Into<String>) -> ScenarioError {
        self.source
            .error(at, format!("{}.{key}", self.key), message)
    }

    fn step(&self, raw: RawStep) -> Result<Step, ScenarioError> {
        let name = raw.name.get_ref().clone();
        if name.trim().is_empty() {
            return Err(self.error(&raw.name.span(), "name", "a step needs a name"));
        }
        if self.earlier.iter().any(|step| step.name == name) {
            return Err(self.error(
                &raw.name.span(),
                "name",
                format!("there is a step {name:?} already"),
            ));
        }
        let work = self.work(&raw)?;
        let mut step = Step {
            name,
            work,
            expect: super::Expect::default(),
        };
        if let Some(expect) = &raw.expect {
            step.expect = self.expect(&step, expect)?;
        }
        Ok(step)
    }

    /// The servers that steps up to here have named in a `create`.
    fn known_servers(&self) -> BTreeSet<String> {
        self.earlier
            .iter()
            .flat_map(|step| &step.work)
            .filter(|work| matches!(work.action, Action::Create(_)))
            .flat_map(Work::servers)
            .collect()
    }
}

impl RawFlavor {
    fn is_empty(&self) -> bool {
        self.vcpus.is_none()
            && self.memory_mb.is_none()
            && self.root_gb.is_none()
            && self.extra_specs.is_empty()
    }
}

#[cfg(test)]
mod tests;
