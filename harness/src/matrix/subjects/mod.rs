//! The operations: one entry each, and a new one joins all matrices with it.

mod bridges;
mod deploy;
mod devices;
mod images;
mod kept;
mod meters;
mod migration;
mod power;
pub(super) mod rebuild;
mod rescue;
mod resize;
pub(super) mod snapshot;
mod suspension;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::future::BoxFuture;
use powervm_driver::Result;
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, DestroyRequest, Driver, SpawnRequest};
use powervm_driver::partition;
use powervm_driver::storage::image::{Image, ImageSource};
use powervm_driver::storage::media::ConfigDrive;
use powervm_simulator::Simulator;
use uuid::Uuid;

use super::furniture::Furniture;
use crate::image;
use crate::scenario::Disk;
use crate::target::Flavor;

/// Something done through the driver.
pub(super) type Act = for<'a> fn(&'a Driver, &'a Control) -> BoxFuture<'a, Result<()>>;

/// What a failed operation leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// The host as it was.
    AsBefore,
    /// The host as it was, before this step; after it, the operation goes on to its end.
    AsBeforeUntil(&'static str),
    /// The host as it was, or on the way: the operation repeated brings it to its end.
    Repeatable,
}

/// An operation as the matrices know it.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// Its name.
    pub name: &'static str,
    /// Where boot disks lie.
    pub disk: Disk,
    /// Which product the simulator is.
    pub flavor: Flavor,
    pub(super) work: Work,
    /// What volumes there are.
    pub(super) furniture: Furniture,
}

/// An operation of one host, or of two.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    /// With one driver.
    One(&'static Entry),
    /// With a driver on each of two systems of one machine room.
    Two(&'static Pair),
}

impl Subject {
    /// Whether it has two hosts.
    pub(super) fn has_two_hosts(&self) -> bool {
        matches!(self.work, Work::Two(_))
    }

    /// What befalls the first of two hosts before the operation, if anything does.
    pub(super) fn befalls(&self) -> Option<Befalls> {
        match self.work {
            Work::One(_) => None,
            Work::Two(pair) => pair.befalls,
        }
    }

    /// What takes it back, where that can be.
    pub(super) fn reverse(&self) -> Option<Act> {
        match self.work {
            Work::One(entry) => entry.reverse,
            Work::Two(_) => None,
        }
    }

    /// The step after which nothing is taken back any more, if there is one.
    pub(super) fn no_return(&self) -> Option<&'static str> {
        match self.work {
            Work::One(entry) => match entry.failed {
                Failed::AsBeforeUntil(step) => Some(step),
                Failed::AsBefore | Failed::Repeatable => None,
            },
            Work::Two(pair) => Some(pair.no_return),
        }
    }

    /// What a failed one leaves.
    pub(super) fn failed(&self) -> Failed {
        match self.work {
            Work::One(entry) => entry.failed,
            Work::Two(_) => Failed::AsBefore,
        }
    }

    /// The longest that it may take, in simulated time.
    pub(super) fn limit(&self) -> Duration {
        match self.work {
            Work::One(entry) => entry.limit,
            Work::Two(pair) => pair.limit,
        }
    }

    /// Its name with everything that tells it from the others.
    #[must_use]
    pub fn full_name(&self) -> String {
        let way = match self.furniture {
            Furniture::Bare => "",
            Furniture::Disks => " over Fibre Channel",
            Furniture::Iscsi => " over iSCSI",
            Furniture::Ports => " through NPIV",
            Furniture::Kept => " with its slots kept",
        };
        format!("{}{way}, {}, {}", self.name, self.disk, self.flavor)
    }
}

/// One operation.
#[derive(Debug)]
pub(super) struct Entry {
    name: &'static str,
    disks: &'static [Disk],
    /// Makes what the operation needs to be there.
    pub(super) prepare: Act,
    /// The operation.
    pub(super) run: Act,
    /// Takes it back, where that can be.
    pub(super) reverse: Option<Act>,
    pub(super) failed: Failed,
    /// The longest that it may take, whatever happens, in simulated time. The longest single wait is the half hour
    /// that a job may take.
    pub(super) limit: Duration,
}

/// Something done with the drivers of two hosts, which share their storage.
pub(super) type ActOnBoth =
    for<'a> fn(&'a Driver, &'a Driver, &'a Control) -> BoxFuture<'a, Result<()>>;

/// What befalls a machine room without anybody's doing.
pub(super) type Befalls = fn(&Simulator) -> anyhow::Result<()>;

/// An operation of two hosts. A failed one leaves both as they were; one that is repeated after it was done succeeds.
#[derive(Debug)]
pub(super) struct Pair {
    name: &'static str,
    flavors: &'static [Flavor],
    /// Makes what the operation needs to be there.
    pub(super) prepare: ActOnBoth,
    /// What befalls the first host then: it may be gone, with its driver.
    pub(super) befalls: Option<Befalls>,
    /// The operation.
    pub(super) run: ActOnBoth,
    /// The step after which nothing is taken back any more.
    no_return: &'static str,
    limit: Duration,
}

/// Disks on which operations with storage are tried.
pub(super) const BOTH: &[Disk] = &[Disk::Ssp, Disk::Localdisk];
/// The disk for operations that do not touch it.
pub(super) const POOL: &[Disk] = &[Disk::Ssp];
/// The usual limit of an operation.
pub(super) const LIMIT: Duration = Duration::from_secs(75 * 60);

/// What there is, a family a file.
const FAMILIES: &[&[Entry]] = &[
    bridges::ENTRIES,
    deploy::ENTRIES,
    images::ENTRIES,
    power::ENTRIES,
    meters::ENTRIES,
    devices::ENTRIES,
    rebuild::ENTRIES,
    rescue::ENTRIES,
    resize::ENTRIES,
];

/// The same, with volumes for the server.
const WITH_VOLUMES: &[(Furniture, &[Entry])] = &[
    (Furniture::Disks, devices::SERVED),
    (Furniture::Iscsi, devices::SERVED),
    (Furniture::Ports, devices::THROUGH_PORTS),
    (Furniture::Disks, rebuild::FROM_VOLUME),
    (Furniture::Ports, rebuild::FROM_VOLUME),
    (Furniture::Disks, resize::WITH_VOLUMES),
    (Furniture::Iscsi, resize::WITH_VOLUMES),
    (Furniture::Kept, kept::ENTRIES),
];

/// What only one of the products can do.
const ONLY: &[(Flavor, &[Entry])] = &[
    (Flavor::NovaLink, snapshot::ON_NOVALINK),
    (Flavor::Hmc, suspension::ON_HMC),
];

/// What there is for two hosts.
const PAIRS: &[&[Pair]] = &[migration::PAIRS];

/// Every operation, on every kind of disk and product that it is on.
#[must_use]
pub fn all() -> Vec<Subject> {
    let mut all = Vec::new();
    let mut add = |entry: &'static Entry, flavor, furniture| {
        for disk in entry.disks {
            all.push(Subject {
                name: entry.name,
                disk: *disk,
                flavor,
                work: Work::One(entry),
                furniture,
            });
        }
    };
    for entry in FAMILIES.iter().copied().flatten() {
        add(entry, Flavor::NovaLink, Furniture::Bare);
        add(entry, Flavor::Hmc, Furniture::Bare);
    }
    for (flavor, entries) in ONLY {
        let own = entries.iter();
        own.for_each(|entry| add(entry, *flavor, Furniture::Bare));
    }
    for (furniture, entries) in WITH_VOLUMES {
        for entry in *entries {
            add(entry, Flavor::NovaLink, *furniture);
            // Behind a console the Virtual I/O Servers have no iSCSI initiator that could be told of.
            if *furniture != Furniture::Iscsi {
                add(entry, Flavor::Hmc, *furniture);
            }
        }
    }
    for pair in PAIRS.iter().copied().flatten() {
        all.extend(pair.flavors.iter().map(|flavor| Subject {
            name: pair.name,
            disk: Disk::Ssp,
            flavor: *flavor,
            work: Work::Two(pair),
            furniture: Furniture::Bare,
        }));
    }
    all
}

/// Bytes of the image that they boot from: more than one piece on its way, and few, since every case takes checksums of
/// it several times.
const IMAGE: usize = 96 << 10;

/// The image, made once: cases are many.
pub(super) fn image() -> &'static image::Image {
    static MADE: OnceLock<image::Image> = OnceLock::new();
    MADE.get_or_init(|| image::Image::noise(IMAGE))
}

/// The instance that the operations are about; others have other numbers.
pub(super) const SUBJECT: u32 = 1;

/// An instance's UUID. The last digit group tells them apart, as do the first eight, which names of disks hold.
pub(super) fn instance(number: u32) -> Uuid {
    Uuid::from_u128(
        0x5a6a_0000_0000_4000_8000_0000_0000_0000 | u128::from(number) << 96 | u128::from(number),
    )
}

fn name(number: u32) -> String {
    format!("matrix-{number}")
}

/// The image, as the driver takes it.
pub(super) fn made_image() -> Image {
    let made = image().clone();
    let source = match &made.origin {
        image::Origin::Memory(bytes) => ImageSource::Bytes(bytes.clone()),
        image::Origin::File(path) => ImageSource::File(path.clone()),
        image::Origin::Temporary(path) => ImageSource::File(path.to_path_buf()),
    };
    Image {
        id: made.uuid,
        name: made.name,
        checksum: made.md5,
        size: made.bytes,
        source,
    }
}

/// What makes the server of that number.
fn request(number: u32, power_on: bool) -> SpawnRequest {
    SpawnRequest {
        instance: instance(number),
        name: name(number),
        flavor: partition::Flavor {
            vcpus: 1,
            memory_mb: 1024,
            root_gb: 1,
            extra_specs: BTreeMap::new(),
        },
        image: Some(made_image()),
        volumes: Vec::new(),
        metadata: BTreeMap::new(),
        networks: vec![NetworkInterface::on_vlan(1)],
        config_drive: Some(ConfigDrive::default()),
        power_on,
    }
}

/// Makes the server of that number.
pub(super) async fn spawn(
    driver: &Driver,
    control: &Control,
    number: u32,
    power_on: bool,
) -> Result<()> {
    let request = request(number, power_on);
    driver.spawn(request, control).await.map(drop)
}

/// Removes it.
pub(super) async fn destroy(
    driver: &Driver,
    control: &Control,
    number: u32,
    destroy_disks: bool,
) -> Result<()> {
    let request = DestroyRequest {
        name: Some(name(number)),
        destroy_disks,
        ..DestroyRequest::of(instance(number))
    };
    driver.destroy(request, control).await
}
