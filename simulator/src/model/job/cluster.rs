//! Jobs of clusters: they come and go, and so do the logical units of their pools (`docs/protocol/storage.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::Job;
use super::catalogue::Operation;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::command::{CreateCluster, CreateLogicalUnit, Outcome, UpdateLogicalUnit};
use crate::model::names::LogicalUnitKind;
use crate::model::pool::Tier;
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::units::Gigabytes;
use crate::model::world::World;

/// Why a job comes to nothing: what it was given makes no sense, or it was refused.
enum Trouble {
    Parameters(String),
    Refused(Refusal),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<String> for Trouble {
    fn from(what: String) -> Self {
        Self::Parameters(what)
    }
}

impl World {
    pub(super) fn run_cluster_job(&mut self, now: Millis, operation: Operation, job: &Job) -> End {
        let before = self.clone();
        let done = match operation {
            Operation::CreateCluster => self.make_cluster(now, job),
            Operation::DeleteCluster => self.remove_cluster(now, job),
            Operation::CreateLogicalUnit => self.make_unit(now, job),
            Operation::DeleteLogicalUnit => self.remove_unit(now, job),
            Operation::GrowLogicalUnit => self.grow_unit(now, job),
            _ => self.clone_unit(now, job),
        };
        match done {
            Ok(result) => End::Ok(vec![("result".to_owned(), result)]),
            Err(trouble) => {
                *self = before;
                match trouble {
                    Trouble::Parameters(what) => End::Exception(what),
                    Trouble::Refused(refusal) => End::Failed(refusal.message),
                }
            }
        }
    }

    fn make_cluster(&mut self, now: Millis, job: &Job) -> Result<String, Trouble> {
        let request = CreateCluster::read(needed(job, "clusterXml")?, needed(job, "sspXml")?)?;
        self.create_cluster(now, request)?;
        Ok(String::new())
    }

    fn remove_cluster(&mut self, now: Millis, job: &Job) -> Result<String, Trouble> {
        self.delete_cluster(now, job.target.uuid().unwrap_or_default())?;
        Ok(String::new())
    }

    /// `result` is the unit's `UniqueDeviceID`: what the other jobs want to know of it.
    fn make_unit(&mut self, now: Millis, job: &Job) -> Result<String, Trouble> {
        let tiers = self.tiers_of_target(job);
        let wished = optional(job, "TierUDID");
        let tier = tiers.iter().find(|tier| match wished {
            Some(udid) => tier.udid == udid,
            None => tier.is_default,
        });
        let tier = tier.ok_or_else(|| "There is no such tier in the pool.".to_owned())?;
        let kind = match optional(job, "DeviceType") {
            None => None,
            Some(name) => Some(
                LogicalUnitKind::parse(name)
                    .ok_or_else(|| format!("The value {name} of DeviceType is not valid."))?,
            ),
        };
        let thin = match optional(job, "LUType") {
            None => None,
            Some("THIN") => Some(true),
            Some("THICK") => Some(false),
            Some(other) => return Err(format!("The value {other} of LUType is not valid.").into()),
        };
        let made = self.create_logical_unit(
            now,
            CreateLogicalUnit {
                tier: tier.uuid,
                name: needed(job, "LUName")?.to_owned(),
                capacity: gigabytes(job, "LUSize")?,
                thin,
                kind,
                cloned_from: optional(job, "ClonedFrom").map(str::to_owned),
            },
        )?;
        let Outcome::Written(Resource::LogicalUnit { tier, unit }) = made else {
            return Ok(String::new());
        };
        let unit = self.logical_unit(tier, unit);
        Ok(unit.map_or_else(String::new, |unit| unit.udid.clone()))
    }

    fn remove_unit(&mut self, now: Millis, job: &Job) -> Result<String, Trouble> {
        let (tier, unit) = self.unit_of_target(job)?;
        self.delete_logical_unit(now, tier, unit)?;
        Ok(String::new())
    }

    fn grow_unit(&mut self, now: Millis, job: &Job) -> Result<String, Trouble> {
        let (tier, unit) = self.unit_of_target(job)?;
        let capacity = Some(gigabytes(job, "Capacity")?);
        self.update_logical_unit(
            now,
            UpdateLogicalUnit {
                tier,
                unit,
                name: None,
                thin: None,
                capacity,
            },
        )?;
        Ok(String::new())
    }

    fn clone_unit(&mut self, now: Millis, job: &Job) -> Result<String, Trouble> {
        let (source, destination) = (needed(job, "SourceUDID")?, needed(job, "DestinationUDID")?);
        self.link_clone(now, source, destination)?;
        Ok(String::new())
    }

    fn tiers_of_target(&self, job: &Job) -> Vec<Arc<Tier>> {
        let cluster = job.target.uuid().and_then(|uuid| self.clusters.get(&uuid));
        let pool = cluster.map(|cluster| cluster.pool);
        pool.into_iter()
            .flat_map(|pool| self.tiers_of(pool))
            .map(Arc::clone)
            .collect()
    }

    /// The unit that `LogicalUnitUDID` names.
    fn unit_of_target(&self, job: &Job) -> Result<(Uuid, Uuid), Trouble> {
        let udid = needed(job, "LogicalUnitUDID")?;
        let tiers = self.tiers_of_target(job);
        let found = tiers
            .iter()
            .find_map(|tier| Some((tier.uuid, tier.unit(udid)?.uuid)));
        Ok(found.ok_or_else(|| format!("There is no logical unit {udid} in the pool."))?)
    }
}

fn optional<'j>(job: &'j Job, name: &str) -> Option<&'j str> {
    let value = job.parameter(name).map(str::trim);
    value.filter(|value| !value.is_empty())
}

fn needed<'j>(job: &'j Job, name: &str) -> Result<&'j str, String> {
    optional(job, name).ok_or_else(|| format!("The parameter {name} is missing."))
}

fn gigabytes(job: &Job, name: &str) -> Result<Gigabytes, String> {
    let value = needed(job, name)?;
    Gigabytes::parse(value).ok_or_else(|| format!("The value of {name} is no number of gigabytes."))
}
