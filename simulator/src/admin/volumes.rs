//! The storage's own administration: what Cinder would do.
//!
//! | request | answer |
//! |---|---|
//! | `GET /volumes` | all volumes: size, protocol, who may use them, which Virtual I/O Server has which disk of them |
//! | `POST /volumes` `{"name", "gigabytes", "protocol", …}` ([`Order`]) | the volume |
//! | `GET /volumes/<id>` | the volume |
//! | `POST /volumes/<id>/map` `{"connector": {…}, "chap": false}` | `{"connection_info": {…}}` as a Cinder driver answers |
//! | `POST /volumes/<id>/unmap` `{"connector": {…}}`, without one from all hosts | 204 |
//! | `POST /volumes/<id>/extend` `{"gigabytes": n}` | the volume |
//! | `DELETE /volumes/<id>` | 204; 409 while it is mapped |
//! | `GET /san` | fabrics, ports of storage and Virtual I/O Servers, portals, initiators |
//! | `POST /adapters/strand` `{"vios": "<uuid>", "slot": n, "any": false}` | 204: a server adapter loses its client |
//!
//! The protocol is `fibre_channel` (vSCSI and NPIV alike: it is the connector's `wwpns` that differ), `iscsi`, `nfs` (also
//! `gpfs` and `local`) or `rbd`.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::connection::{self, Host};
use super::operation::Operation;
use super::stored::{Mapped, Network, Volume, Volumes};
use super::{Admin, answer, read, refusal};
use crate::model::command::CreateSanVolume;
use crate::model::san::Protocol;
use crate::model::storage::Content;
use crate::model::{Command, Refusal, World};

pub(super) fn operations() -> Vec<Operation> {
    let none = "there is no such volume";
    let kept = "it is mapped, or the storage cannot do it";
    vec![
        Operation::get("/volumes", "All volumes of the storage", list).gives::<Volumes>(),
        Operation::post("/volumes", "Make a volume", create)
            .takes::<Order>()
            .gives::<Volume>()
            .refuses(409, "there is such a volume already, or there are 10,000"),
        Operation::get("/volumes/{id}", "A volume", show)
            .gives::<Volume>()
            .refuses(404, none),
        Operation::delete("/volumes/{id}", "Delete a volume", remove)
            .refuses(404, none)
            .refuses(409, kept),
        Operation::post(
            "/volumes/{id}/map",
            "Let a host use a volume; answered with connection_info as a Cinder driver's",
            map,
        )
        .takes::<Mapping>()
        .gives::<Mapped>()
        .refuses(404, none)
        .refuses(409, kept),
        Operation::post(
            "/volumes/{id}/unmap",
            "Let a host, or nobody, use a volume any more",
            unmap,
        )
        .takes::<Mapping>()
        .nothing()
        .refuses(404, none),
        Operation::post("/volumes/{id}/extend", "Make a volume larger", extend)
            .takes::<Growth>()
            .gives::<Volume>()
            .refuses(404, none)
            .refuses(409, "it would shrink"),
        Operation::get(
            "/san",
            "Fabrics, ports of storage and Virtual I/O Servers, portals, initiators",
            network,
        )
        .gives::<Network>(),
        Operation::post(
            "/adapters/strand",
            "Let a server adapter lose its client",
            strand,
        )
        .takes::<Strand>()
        .nothing()
        .refuses(404, "there is no such adapter"),
    ]
}

/// A volume to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Its name on the storage.
    name: String,
    /// Its size.
    gigabytes: u64,
    /// How it is reached; Fibre Channel if nothing is said.
    #[serde(default = "fibre_channel")]
    protocol: String,
    /// Its identifier; drawn if nothing is said.
    id: Option<Uuid>,
    /// The target's IQN, the file's path or `pool/image`; made from identifier or name if nothing is said.
    path: Option<String>,
    /// Whether it tells who it is; `false` makes one that is found but not recognised.
    #[serde(default = "yes")]
    identified: bool,
    /// What lies on it: a partition boots from a volume with something on it.
    content: Option<Lying>,
}

/// What lies on a volume.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Lying {
    /// How much.
    bytes: u64,
    /// Its SHA-256, hexadecimal.
    sha256: String,
}

fn fibre_channel() -> String {
    Protocol::FibreChannel.as_str().to_owned()
}

const fn yes() -> bool {
    true
}

impl Order {
    fn request(self, world: &mut World) -> Result<CreateSanVolume, Refusal> {
        let protocol = match self.protocol.as_str() {
            "fibre_channel" => Protocol::FibreChannel,
            "iscsi" | "iser" => Protocol::Iscsi,
            "nfs" | "gpfs" | "local" => Protocol::File,
            "rbd" => Protocol::Rbd,
            _ => {
                return Err(Refusal::bad_request(
                    "The protocol is fibre_channel, iscsi, nfs, gpfs, local or rbd.",
                ));
            }
        };
        let content = self.content.map(|lying| lying.content()).transpose()?;
        Ok(CreateSanVolume {
            uuid: self.id.unwrap_or_else(|| world.ids.random_uuid()),
            name: self.name,
            megabytes: self.gigabytes.saturating_mul(1024),
            protocol,
            external: self.path,
            identified: self.identified,
            content,
        })
    }
}

impl Lying {
    fn content(&self) -> Result<Content, Refusal> {
        let wrong = || Refusal::bad_request("The sha256 has 64 hexadecimal digits.");
        let mut sha256 = [0; 32];
        if self.sha256.len() != 64 || !self.sha256.is_ascii() {
            return Err(wrong());
        }
        for (place, byte) in sha256.iter_mut().enumerate() {
            let digits = self
                .sha256
                .get(place * 2..place * 2 + 2)
                .ok_or_else(wrong)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Content {
            bytes: self.bytes,
            sha256,
        })
    }
}

async fn list(State(admin): State<Admin>) -> Response {
    let world = admin.simulator.world();
    let volumes = world.san.volumes.values();
    let volumes = volumes.map(|volume| Volume::of(&world, volume)).collect();
    answer(&Volumes { volumes })
}

async fn create(State(admin): State<Admin>, request: Request) -> Response {
    let order: Order = match read(request).await {
        Ok(order) => order,
        Err(refusal) => return refusal,
    };
    let made = admin.simulator.commit(|world, now| {
        let request = order.request(world)?;
        let uuid = request.uuid;
        world.apply(now, Command::CreateSanVolume(request))?;
        Ok::<Uuid, Refusal>(uuid)
    });
    match made {
        Ok(uuid) => show_volume(&admin, uuid),
        Err(refused) => refuse(&refused),
    }
}

async fn show(State(admin): State<Admin>, Path(id): Path<String>) -> Response {
    match identifier(&id) {
        Some(id) => show_volume(&admin, id),
        None => nameless(),
    }
}

async fn remove(State(admin): State<Admin>, Path(id): Path<String>) -> Response {
    match identifier(&id) {
        Some(id) => change(&admin, Command::DeleteSanVolume(id)),
        None => nameless(),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Mapping {
    /// The host as Nova describes it to Cinder; none unmaps from all hosts.
    #[serde(default)]
    connector: Option<Host>,
    /// Whether an iSCSI host has to know a password, which `connection_info` then tells.
    #[serde(default)]
    chap: bool,
}

async fn map(State(admin): State<Admin>, Path(id): Path<String>, request: Request) -> Response {
    let mapping: Mapping = match read(request).await {
        Ok(mapping) => mapping,
        Err(refusal) => return refusal,
    };
    let Some(id) = identifier(&id) else {
        return nameless();
    };
    let host = mapping.connector.unwrap_or_default();
    let connector = match host.connector(mapping.chap) {
        Ok(connector) => connector,
        Err(why) => return refusal(StatusCode::BAD_REQUEST, &why),
    };
    let command = Command::MapSanVolume {
        volume: id,
        connector,
    };
    if let Err(refused) = admin.simulator.apply(command) {
        return refuse(&refused);
    }
    let world = admin.simulator.world();
    match world.san.volumes.get(&id) {
        Some(volume) => answer(&Mapped {
            connection_info: connection::info(&world, volume, &host),
        }),
        None => refusal(StatusCode::NOT_FOUND, "the volume has gone"),
    }
}

async fn unmap(State(admin): State<Admin>, Path(id): Path<String>, request: Request) -> Response {
    let mapping: Mapping = match read(request).await {
        Ok(mapping) => mapping,
        Err(refusal) => return refusal,
    };
    let Some(id) = identifier(&id) else {
        return nameless();
    };
    let connector = mapping
        .connector
        .map(|host| host.connector(false))
        .transpose();
    match connector {
        Ok(connector) => change(
            &admin,
            Command::UnmapSanVolume {
                volume: id,
                connector,
            },
        ),
        Err(why) => refusal(StatusCode::BAD_REQUEST, &why),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Growth {
    /// The new size, not below the present one.
    gigabytes: u64,
}

async fn extend(State(admin): State<Admin>, Path(id): Path<String>, request: Request) -> Response {
    let growth: Growth = match read(request).await {
        Ok(growth) => growth,
        Err(refusal) => return refusal,
    };
    let Some(id) = identifier(&id) else {
        return nameless();
    };
    let command = Command::ExtendSanVolume {
        volume: id,
        megabytes: growth.gigabytes.saturating_mul(1024),
    };
    match admin.simulator.apply(command) {
        Ok(_) => show_volume(&admin, id),
        Err(refused) => refuse(&refused),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Strand {
    /// The Virtual I/O Server's UUID.
    vios: Uuid,
    /// The server adapter's slot.
    slot: u16,
    /// Whether it is left open to any client, instead of to the one that it had.
    #[serde(default)]
    any: bool,
}

async fn strand(State(admin): State<Admin>, request: Request) -> Response {
    match read::<Strand>(request).await {
        Ok(Strand { vios, slot, any }) => {
            change(&admin, Command::StrandAdapter { vios, slot, any })
        }
        Err(refusal) => refusal,
    }
}

async fn network(State(admin): State<Admin>) -> Response {
    answer(&Network::of(&admin.simulator.world()))
}

fn show_volume(admin: &Admin, id: Uuid) -> Response {
    let world = admin.simulator.world();
    match world.san.volumes.get(&id) {
        Some(volume) => answer(&Volume::of(&world, volume)),
        None => refusal(StatusCode::NOT_FOUND, &format!("there is no volume {id}")),
    }
}

fn change(admin: &Admin, command: Command) -> Response {
    match admin.simulator.apply(command) {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refuse(&refused),
    }
}

fn refuse(refused: &Refusal) -> Response {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refusal(status, &refused.message)
}

fn identifier(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

fn nameless() -> Response {
    refusal(StatusCode::NOT_FOUND, "a volume's id is a UUID")
}
