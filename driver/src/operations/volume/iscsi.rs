//! iSCSI volumes: Virtual I/O Servers log on to their targets and off again (`docs/protocol/iscsi.md`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::find::Device;
use super::stale;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::device_jobs;
use crate::operations::driver::Driver;
use crate::rest::Job;
use crate::volume::connection::{Chap, Iscsi, IscsiWay};
use crate::volume::discovery::is_device_name;

/// The job that logs on.
pub(super) const DISCOVERY: &str = "ISCSIDiscovery";
/// The job that removes a disk and logs off.
pub(super) const REMOVAL: &str = "ISCSIRemove";
/// How long a job may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The session was there already, which is as good.
const SESSION_EXISTS: i32 = 15;
/// There is nothing of the kind.
const NO_OBJECTS: i32 = 21;
/// The server still knows another disk at the address.
const STALE: i32 = 27;
/// The server has no iSCSI.
const NOT_SUPPORTED: i32 = 127;

/// The volume's disk on a Virtual I/O Server, after it has logged on; none if there is none.
///
/// # Errors
/// Those of the requests.
pub(super) async fn find(
    driver: &Driver,
    vios: &Vios,
    volume: &Iscsi,
    control: &Control,
) -> Result<Option<Device>> {
    let ways: Vec<&[IscsiWay]> = if is_multipath(driver, volume) {
        vec![&volume.ways]
    } else {
        volume.ways.chunks(1).collect()
    };
    // The first way that leads to the disk will do.
    for ways in ways {
        if let Some(device) = log_on(driver, vios, volume, ways, control).await? {
            return Ok(Some(device));
        }
    }
    Ok(None)
}

fn is_multipath(driver: &Driver, volume: &Iscsi) -> bool {
    driver.config().volumes.volume_use_multipath && volume.ways.len() > 1
}

async fn log_on(
    driver: &Driver,
    vios: &Vios,
    volume: &Iscsi,
    ways: &[IscsiWay],
    control: &Control,
) -> Result<Option<Device>> {
    let job = discovery(driver, vios, volume, ways);
    let mut answer = run(driver, vios, &job).await?;
    if answer.code == STALE {
        stale::clear(driver, vios).await?;
        remove_ways(driver, vios, volume, ways).await?;
        answer = run(driver, vios, &job).await?;
    }
    match answer.code {
        0 | SESSION_EXISTS => {
            let device = answer.device(ways);
            if device.is_none() {
                // The target has no such disk, and the session is of no use.
                remove_ways(driver, vios, volume, ways).await?;
            }
            Ok(device)
        }
        NOT_SUPPORTED | NO_OBJECTS => Ok(None),
        // The server has answered: it has no disk of it.
        code => {
            let what = format!(
                "{} could not log on to the target: return code {code}; check the portal, the credentials \
                 and that the target lets the initiator in",
                vios.name
            );
            control.warn(what);
            Ok(None)
        }
    }
}

fn discovery(driver: &Driver, vios: &Vios, volume: &Iscsi, ways: &[IscsiWay]) -> Job {
    let job = addressed(
        driver,
        Job::new(vios.path(), DISCOVERY),
        "hostIP",
        volume,
        ways,
    );
    let job = with_chap(job, ["auth", "user", "password"], volume.chap.as_ref());
    if ways.len() > 1 {
        with_chap(
            job,
            ["discoveryAuth", "discoveryUser", "discoveryPassword"],
            volume.discovery_chap.as_ref(),
        )
    } else {
        job
    }
}

fn addressed(driver: &Driver, job: Job, portal: &str, volume: &Iscsi, ways: &[IscsiWay]) -> Job {
    let iface = if volume.is_iser {
        "iser"
    } else {
        &driver.config().volumes.iscsi_iface
    };
    let multipath = if ways.len() > 1 { "true" } else { "false" };
    job.timeout(TIMEOUT)
        .parameter("ifaceName", iface)
        .parameter("targetIQN", list(ways, |way| way.iqn.clone()))
        .parameter(portal, list(ways, |way| way.portal.clone()))
        .parameter("targetLUN", list(ways, |way| way.lun.to_string()))
        .parameter("multipath", multipath)
}

/// Several values in brackets, a single one bare.
fn list(ways: &[IscsiWay], value: impl Fn(&IscsiWay) -> String) -> String {
    let values: Vec<String> = ways.iter().map(value).collect();
    match values.as_slice() {
        [one] => one.clone(),
        values => format!("[{}]", values.join(",")),
    }
}

fn with_chap(job: Job, names: [&str; 3], chap: Option<&Chap>) -> Job {
    let Some(chap) = chap else { return job };
    let [method, user, password] = names;
    job.parameter(method, &chap.method)
        .parameter(user, &chap.user)
        .secret(password, chap.password.clone())
}

/// Removes the volume's disk from a Virtual I/O Server, and logs off from its target.
///
/// # Errors
/// Those of the requests, and a disk that stays.
pub(super) async fn remove(driver: &Driver, vios: &Vios, volume: &Iscsi) -> Result<()> {
    if is_multipath(driver, volume) {
        return remove_ways(driver, vios, volume, &volume.ways).await;
    }
    for way in volume.ways.chunks(1) {
        remove_ways(driver, vios, volume, way).await?;
    }
    Ok(())
}

async fn remove_ways(
    driver: &Driver,
    vios: &Vios,
    volume: &Iscsi,
    ways: &[IscsiWay],
) -> Result<()> {
    let job = addressed(
        driver,
        Job::new(vios.path(), REMOVAL),
        "targetPORTAL",
        volume,
        ways,
    );
    match run(driver, vios, &job).await?.code {
        0 | NO_OBJECTS | NOT_SUPPORTED => Ok(()),
        code => Err(Error::operation(
            ErrorKind::JobFailed,
            format!(
                "{} did not let the disk of the target go: return code {code}",
                vios.name
            ),
            "see what uses the disk",
        )),
    }
}

/// What a job said: its return code, and the disks that it made.
struct Answer {
    code: i32,
    output: String,
}

impl Answer {
    fn of(results: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            code: results.get("RETURN_CODE")?.trim().parse().ok()?,
            output: results.get("DEV_OUTPUT").cloned().unwrap_or_default(),
        })
    }

    /// The disk of the first of these targets that has one. A line is `IQN disk UDID`.
    fn device(&self, ways: &[IscsiWay]) -> Option<Device> {
        let text = self
            .output
            .trim()
            .trim_start_matches('[')
            .trim_end_matches(']');
        text.split(',').find_map(|line| {
            let mut words = line.trim().trim_matches('"').split_whitespace();
            let (iqn, name, udid) = (words.next()?, words.next()?, words.next());
            let is_ours = ways.iter().any(|way| way.iqn == iqn) && is_device_name(name);
            is_ours.then(|| Device::Disk {
                name: name.to_owned(),
                udid: udid.map(str::to_owned),
                was_in_use: false,
            })
        })
    }
}

/// A job that failed with a return code has said what it had to say.
async fn run(driver: &Driver, vios: &Vios, job: &Job) -> Result<Answer> {
    let outcome = device_jobs::run(driver.session(), &vios.path(), job).await;
    let results = match &outcome {
        Ok(outcome) => &outcome.results,
        Err(Error::Job(failure)) => &failure.results,
        Err(error) => return Err(error.clone()),
    };
    match (Answer::of(results), outcome) {
        (Some(answer), _) => Ok(answer),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Err(Error::operation(
            ErrorKind::BadAnswer,
            format!("{} does not tell how its iSCSI job ended", vios.name),
            "see the log of the Virtual I/O Server",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(iqn: &str) -> IscsiWay {
        IscsiWay {
            portal: "[2001:db8::1]:3260".to_owned(),
            iqn: iqn.to_owned(),
            lun: 1,
        }
    }

    #[test]
    fn several_values_stand_in_brackets() {
        assert_eq!(list(&[way("a")], |way| way.iqn.clone()), "a");
        assert_eq!(list(&[way("a"), way("b")], |way| way.iqn.clone()), "[a,b]");
    }

    #[test]
    fn disks_are_read_from_lists_of_lines() {
        let answer = |output: &str| Answer {
            code: 0,
            output: output.to_owned(),
        };
        let found = answer("[\"iqn.b hdisk3 01B\", \"iqn.a hdisk4 01A\"]")
            .device(&[way("iqn.a")])
            .unwrap();
        assert_eq!((found.name(), found.udid()), ("hdisk4", Some("01A")));
        for nothing in [
            "[]",
            "",
            "[\"iqn.a\"]",
            "[\"iqn.a hd;isk 01\"]",
            "[\"iqn.c hdisk1 01\"]",
        ] {
            assert_eq!(answer(nothing).device(&[way("iqn.a")]), None, "{nothing}");
        }
    }
}
