//! What a PUT, POST or DELETE means: documents become commands.
//!
//! A body is parsed within limits, checked against what the schema demands, and read leniently otherwise: prefixes,
//! attributes, order, unknown and read-only elements do not matter, and what is missing is unchanged
//! (`docs/protocol/resources.md`). Whether the change may be made is the model's business.

mod body;
mod bridge;
mod job;
mod link;
mod mappings;
mod network;
mod partition;
mod sriov;
mod storage;
mod storage_options;
mod system;
mod volume_group;

use http::Method;
use powervm_schema::xml::{Element, Namespace};
use uuid::Uuid;

pub use body::parse;
pub(crate) use job::job_target;

use crate::http::group::Group;
use crate::http::kind::Kind;
use crate::http::problem::Problem;
use crate::http::target::{Action, Service, Target};
use crate::model::command::{UpdateNetworkAdapter, UpdatePartition, UpdateScsiBus, UpdateVios};
use crate::model::{Command, Owner, Refusal, World};
use partition::Settings;

/// The namespace of partition templates.
const TEMPLATES: &str = "http://www.ibm.com/xmlns/systems/power/firmware/templates/mc/2012_10/";

/// A change that a request asks for, as far as it tells without the world.
#[derive(Clone, Debug)]
pub struct Request {
    meaning: Meaning,
}

#[derive(Clone, Debug)]
enum Meaning {
    Command(Box<Command>),
    Partition(Box<UpdatePartition>, Box<Settings>),
    Vios(Box<UpdateVios>, Box<Settings>),
    VolumeGroup(volume_group::Change),
    Adapter(Box<UpdateNetworkAdapter>),
    Keys(Option<Vec<String>>),
}

/// Reads what a PUT, POST or DELETE of this URL asks for.
///
/// # Errors
/// 400 `REST0001` for a body that is no such document, 413 for one over the limits, 400 `REST0006` for an unknown
/// operation, 405 for a change that the resource does not have.
pub fn request(method: &Method, target: &Target, bytes: &[u8]) -> Result<Request, Refusal> {
    let meaning = match (&target.action, method) {
        (Action::Document, &Method::PUT) => create(target, bytes)?,
        (Action::Document, &Method::POST) => update(target, bytes)?,
        (Action::Document, &Method::DELETE) => command(delete(target)?),
        (Action::Operation(operation), &Method::PUT) => {
            let root = parse(bytes, &Namespace::Web, "JobRequest")?;
            command(Command::SubmitJob(job::submit(
                &root,
                job_target(target)?,
                operation,
            )?))
        }
        (Action::Monitoring(monitored), &Method::POST) => command(Command::UpdateMonitoring(
            system::monitoring(monitored, bytes)?,
        )),
        (Action::CancelJob(job), &Method::POST) => command(Command::CancelJob(*job)),
        (Action::Job(job), &Method::DELETE) => command(Command::DeleteJob(*job)),
        _ => return Err(not_offered(target, method)),
    };
    Ok(Request { meaning })
}

impl Request {
    /// The command that the request means in this world.
    ///
    /// # Errors
    /// 404 if a resource on the way to what the URL names is not there.
    pub fn command(&self, target: &Target, world: &World) -> Result<Command, Problem> {
        if !target.steps.is_empty() {
            crate::render::require(world, target)?;
        }
        Ok(match &self.meaning {
            Meaning::Command(command) => (**command).clone(),
            Meaning::Partition(update, settings) => {
                Command::UpdatePartition(Box::new(with_settings(update, settings, world)))
            }
            Meaning::Vios(update, settings) => {
                let base = update
                    .base
                    .as_ref()
                    .map(|base| with_settings(base, settings, world));
                Command::UpdateVios(Box::new(UpdateVios {
                    base,
                    ..(**update).clone()
                }))
            }
            Meaning::VolumeGroup(change) => {
                let (vios, group) = (target.id_of(Kind::VirtualIoServer), target.id());
                let present = vios
                    .zip(group)
                    .and_then(|(vios, group)| world.volume_group(vios, group));
                Command::UpdateVolumeGroup(change.complete(present.map(|group| &**group)))
            }
            Meaning::Adapter(update) => {
                let present = world.network_adapter(update.owner, update.adapter);
                let present = present.map(|adapter| &**adapter);
                Command::UpdateNetworkAdapter(network::complete((**update).clone(), present))
            }
            Meaning::Keys(keys) => {
                let authorized_keys = keys
                    .clone()
                    .unwrap_or_else(|| world.console.authorized_keys.clone());
                Command::UpdateConsole {
                    console: target.id().unwrap_or(world.console.uuid),
                    authorized_keys,
                }
            }
        })
    }
}

fn command(command: Command) -> Meaning {
    Meaning::Command(Box::new(command))
}

/// Settings that the body does not name stay as they are.
fn with_settings(update: &UpdatePartition, given: &Settings, world: &World) -> UpdatePartition {
    let settings = world.partition(update.owner).map(|partition| {
        let mut settings = partition.settings.clone();
        given.apply(&mut settings);
        settings
    });
    UpdatePartition {
        settings,
        ..update.clone()
    }
}

fn document(target: &Target, bytes: &[u8]) -> Result<Element, Refusal> {
    let kind = target
        .kind()
        .ok_or_else(|| body::invalid("The URL names no resource type."))?;
    let namespace = match kind.service() {
        Service::Uom => Namespace::Uom,
        Service::Web => Namespace::Web,
        Service::Pcm => Namespace::Pcm,
        Service::Templates => Namespace::Other(TEMPLATES.into()),
    };
    parse(bytes, &namespace, kind.name())
}

fn create(target: &Target, bytes: &[u8]) -> Result<Meaning, Refusal> {
    if target.is_entry() {
        return Err(not_offered(target, &Method::PUT));
    }
    let system = target.id_of(Kind::ManagedSystem);
    let created = match (target.kind(), system) {
        (Some(Kind::LogicalPartition), Some(system)) => Command::CreatePartition(Box::new(
            partition::create(&document(target, bytes)?, system)?,
        )),
        (Some(Kind::VirtualIoServer), Some(system)) => Command::CreateVios(Box::new(
            partition::create_vios(&document(target, bytes)?, system)?,
        )),
        (Some(Kind::VolumeGroup), _) => {
            let vios = needed(target, Kind::VirtualIoServer)?;
            Command::CreateVolumeGroup(volume_group::create(&document(target, bytes)?, vios)?)
        }
        (Some(Kind::VirtualScsiBus), _) => {
            let vios = needed(target, Kind::VirtualIoServer)?;
            Command::CreateScsiBus(mappings::create_bus(&document(target, bytes)?, vios)?)
        }
        (Some(Kind::LogicalPartitionProfile), _) => {
            let owner = owner(target)?;
            let request = system::profile(&document(target, bytes)?, owner)?;
            Command::CreateProfile(Box::new(request))
        }
        (Some(Kind::SharedMemoryPool), Some(uuid)) => {
            Command::CreateMemoryPool(system::memory_pool(&document(target, bytes)?, uuid)?)
        }
        (Some(Kind::LogicalUnit), _) => {
            let tier = needed(target, Kind::Tier)?;
            Command::CreateLogicalUnit(storage::create_unit(&document(target, bytes)?, tier)?)
        }
        (Some(Kind::ClientNetworkAdapter), _) => {
            let owner = owner(target)?;
            Command::CreateNetworkAdapter(network::create_adapter(
                &document(target, bytes)?,
                owner,
            )?)
        }
        (Some(Kind::VirtualSwitch), Some(system)) => {
            network::create_switch(&document(target, bytes)?, system)?
        }
        (Some(Kind::VirtualNetwork), Some(system)) => {
            Command::CreateNetwork(network::create_network(&document(target, bytes)?, system)?)
        }
        (Some(Kind::NetworkBridge), Some(system)) => {
            Command::CreateNetworkBridge(bridge::create(&document(target, bytes)?, system)?)
        }
        (Some(Kind::SriovEthernetLogicalPort), _) => {
            let owner = owner(target)?;
            Command::CreateLogicalPort(sriov::create_port(&document(target, bytes)?, owner)?)
        }
        (Some(Kind::VirtualNicDedicated), _) => {
            let partition = needed(target, Kind::LogicalPartition)?;
            Command::CreateVnic(sriov::create_vnic(&document(target, bytes)?, partition)?)
        }
        (Some(Kind::File), _) => {
            Command::CreateFile(storage::create_file(&document(target, bytes)?)?)
        }
        (Some(Kind::Event), _) => event(&document(target, bytes)?),
        _ => return Err(not_offered(target, &Method::PUT)),
    };
    Ok(command(created))
}

fn update(target: &Target, bytes: &[u8]) -> Result<Meaning, Refusal> {
    let Some(id) = target.id() else {
        return Err(not_offered(target, &Method::POST));
    };
    let system = target.id_of(Kind::ManagedSystem);
    Ok(match (target.kind(), system) {
        (Some(Kind::LogicalPartition), _) => {
            let root = document(target, bytes)?;
            let (mut update, settings) =
                partition::update(&root, Owner::Partition(id), target.query.force)?;
            update.reset_serial_number = target.query.reset_auto_assign;
            drop_nvram(&mut update, target);
            Meaning::Partition(Box::new(update), Box::new(settings))
        }
        (Some(Kind::VirtualIoServer), _) => {
            let root = document(target, bytes)?;
            let (mut base, settings) =
                partition::update(&root, Owner::Vios(id), target.query.force)?;
            drop_nvram(&mut base, target);
            let asked = target.groups.contains(Group::ViosScsiMapping);
            let mappings = root
                .child("VirtualSCSIMappings")
                .filter(|_| asked)
                .map(mappings::scsi)
                .transpose()?;
            let fc_mappings = root
                .child("VirtualFibreChannelMappings")
                .filter(|_| target.groups.contains(Group::ViosFcMapping))
                .map(mappings::fibre_channel)
                .transpose()?;
            let update = UpdateVios {
                vios: id,
                base: Some(base),
                scsi_mappings: mappings,
                fc_mappings,
            };
            Meaning::Vios(Box::new(update), Box::new(settings))
        }
        (Some(Kind::VolumeGroup), _) => {
            let vios = needed(target, Kind::VirtualIoServer)?;
            Meaning::VolumeGroup(volume_group::Change::read(
                &document(target, bytes)?,
                vios,
                id,
            )?)
        }
        (Some(Kind::VirtualScsiBus), _) => {
            let devices = mappings::bus_devices(&document(target, bytes)?)?;
            command(Command::UpdateScsiBus(UpdateScsiBus {
                vios: needed(target, Kind::VirtualIoServer)?,
                bus: id,
                devices: devices.ok_or_else(|| {
                    body::invalid("A VirtualSCSIBus that is updated has AssociatedMappings.")
                })?,
            }))
        }
        (Some(Kind::ClientNetworkAdapter), _) => {
            let owner = owner(target)?;
            Meaning::Adapter(Box::new(network::update_adapter(
                &document(target, bytes)?,
                owner,
                id,
            )?))
        }
        (Some(Kind::VirtualSwitch), Some(system)) => command(network::update_switch(
            &document(target, bytes)?,
            system,
            id,
        )?),
        (Some(Kind::VirtualNetwork), Some(system)) => command(Command::UpdateNetwork {
            system,
            network: id,
            name: body::text(&document(target, bytes)?, "NetworkName").map(str::to_owned),
        }),
        (Some(Kind::NetworkBridge), Some(system)) => {
            let update = bridge::update(&document(target, bytes)?, system, id)?;
            command(Command::UpdateNetworkBridge(update))
        }
        (Some(Kind::ManagedSystem), _) => {
            let update = sriov::update_system(&document(target, bytes)?, id)?;
            command(Command::UpdateSystem(update))
        }
        (Some(Kind::SriovEthernetLogicalPort), _) => {
            let update = sriov::update_port(&document(target, bytes)?, owner(target)?, id)?;
            command(Command::UpdateLogicalPort(update))
        }
        (Some(Kind::VirtualNicDedicated), _) => {
            let partition = needed(target, Kind::LogicalPartition)?;
            let update = sriov::update_vnic(&document(target, bytes)?, partition, id)?;
            command(Command::UpdateVnic(update))
        }
        (Some(Kind::LogicalPartitionProfile), _) => {
            let owner = owner(target)?;
            let request = system::profile(&document(target, bytes)?, owner)?;
            command(Command::UpdateProfile {
                profile: id,
                request: Box::new(request),
            })
        }
        (Some(Kind::SharedProcessorPool), Some(uuid)) => {
            let root = document(target, bytes)?;
            let update = system::update_processor_pool(&root, uuid, id)?;
            command(Command::UpdateProcessorPool(update))
        }
        (Some(Kind::SharedMemoryPool), Some(uuid)) => {
            let request = system::memory_pool(&document(target, bytes)?, uuid)?;
            command(Command::UpdateMemoryPool(request))
        }
        (Some(Kind::Cluster), _) => command(Command::UpdateCluster(storage::update_cluster(
            &document(target, bytes)?,
            id,
        ))),
        (Some(Kind::SharedStoragePool), _) => command(Command::UpdatePool(storage::update_pool(
            &document(target, bytes)?,
            id,
        )?)),
        (Some(Kind::LogicalUnit), _) => {
            let tier = needed(target, Kind::Tier)?;
            let update = storage::update_unit(&document(target, bytes)?, tier, id)?;
            command(Command::UpdateLogicalUnit(update))
        }
        (Some(Kind::ManagementConsole), _) => Meaning::Keys(keys(&document(target, bytes)?)),
        _ => return Err(not_offered(target, &Method::POST)),
    })
}

/// NVRAM belongs to a group of its own and is replaced only if the URL names it.
fn drop_nvram(update: &mut UpdatePartition, target: &Target) {
    if !target.groups.contains(Group::Nvram) {
        update.nvram = None;
    }
}

fn delete(target: &Target) -> Result<Command, Refusal> {
    let refused = || not_offered(target, &Method::DELETE);
    let id = target.id().ok_or_else(refused)?;
    let system = target.id_of(Kind::ManagedSystem);
    match (target.kind(), system) {
        (Some(Kind::LogicalPartition), _) => Ok(Command::DeletePartition {
            partition: id,
            reset_serial_number: target.query.reset_auto_assign,
        }),
        (Some(Kind::VirtualIoServer), _) => Ok(Command::DeleteVios(id)),
        (Some(Kind::LogicalUnit), _) => Ok(Command::DeleteLogicalUnit {
            tier: needed(target, Kind::Tier)?,
            unit: id,
        }),
        (Some(Kind::VirtualScsiBus), _) => Ok(Command::DeleteScsiBus {
            vios: needed(target, Kind::VirtualIoServer)?,
            bus: id,
        }),
        (Some(Kind::ClientNetworkAdapter), _) => Ok(Command::DeleteNetworkAdapter {
            owner: owner(target)?,
            adapter: id,
        }),
        (Some(Kind::VirtualSwitch), Some(system)) => {
            Ok(Command::DeleteSwitch { system, switch: id })
        }
        (Some(Kind::VirtualNetwork), Some(system)) => Ok(Command::DeleteNetwork {
            system,
            network: id,
        }),
        (Some(Kind::LogicalPartitionProfile), _) => Ok(Command::DeleteProfile {
            owner: owner(target)?,
            profile: id,
        }),
        (Some(Kind::SharedMemoryPool), Some(system)) => Ok(Command::DeleteMemoryPool(system)),
        (Some(Kind::NetworkBridge), Some(system)) => {
            Ok(Command::DeleteNetworkBridge { system, bridge: id })
        }
        (Some(Kind::SriovEthernetLogicalPort), _) => Ok(Command::DeleteLogicalPort {
            owner: owner(target)?,
            port: id,
        }),
        (Some(Kind::VirtualNicDedicated), _) => Ok(Command::DeleteVnic {
            partition: needed(target, Kind::LogicalPartition)?,
            vnic: id,
        }),
        (Some(Kind::File), _) => Ok(Command::DeleteFile(id)),
        _ => Err(refused()),
    }
}

/// A client's own event.
fn event(root: &Element) -> Command {
    let owned = |name: &str| body::text(root, name).unwrap_or_default().to_owned();
    Command::PushEvent {
        data: owned("EventData"),
        detail: owned("EventDetail"),
    }
}

/// The whole list of authorised keys, if the body has one.
fn keys(root: &Element) -> Option<Vec<String>> {
    let list = root
        .child("AuthorizedKeys")
        .or_else(|| root.child("AuthorizedKeysValue"))?;
    let keys = list
        .children_named("AuthorizedKey")
        .filter_map(Element::value)
        .map(str::trim);
    Some(
        keys.filter(|key| !key.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

fn owner(target: &Target) -> Result<Owner, Refusal> {
    let parent = target.parent();
    match parent.and_then(|parent| Some((parent.kind, parent.id?))) {
        Some((Kind::LogicalPartition, uuid)) => Ok(Owner::Partition(uuid)),
        Some((Kind::VirtualIoServer, uuid)) => Ok(Owner::Vios(uuid)),
        _ => Err(body::invalid("The URL names no partition.")),
    }
}

fn needed(target: &Target, kind: Kind) -> Result<Uuid, Refusal> {
    target
        .id_of(kind)
        .ok_or_else(|| body::invalid(format!("The URL names no {}.", kind.name())))
}

fn not_offered(target: &Target, method: &Method) -> Refusal {
    let name = target.kind().map_or("This resource", Kind::name);
    Refusal::new(
        405,
        "Method Not Allowed",
        format!("{name} does not offer {method} at this URL."),
    )
}
