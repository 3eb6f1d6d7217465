//! Worlds for the tests, and a server without sockets: URLs and bodies in, documents out.

use std::sync::Arc;

use http::Method;
use powervm_schema::atom::{Entry, Feed};
use powervm_simulator::accept;
use powervm_simulator::clock::Millis;
use powervm_simulator::http::{Base, Problem, Target};
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::{Flavor, Outcome, World};
use powervm_simulator::render::{Context, Rendered, Renderer};
use uuid::Uuid;

pub(crate) const UOM: &str = "http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/";
pub(crate) const WEB: &str = "http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/";
pub(crate) const FLAVORS: [Flavor; 2] = [Flavor::NovaLink, Flavor::Hmc];

/// A world with requests.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) now: Millis,
    renderer: Arc<Renderer>,
    base: Base,
}

impl Bench {
    pub(crate) fn new(flavor: Flavor, seed: u64, partitions: u16) -> Self {
        let sizes = Sizes {
            partitions,
            ..Sizes::default()
        };
        Self::of(&Inventory::sized(flavor, sizes), flavor, seed)
    }

    /// The machine room that `powervm-sim serve` shows.
    pub(crate) fn furnished(flavor: Flavor) -> Self {
        Self::of(&Inventory::furnished(flavor).unwrap(), flavor, 7)
    }

    fn of(inventory: &Inventory, flavor: Flavor, seed: u64) -> Self {
        let world = inventory.world(flavor, seed, Millis::EPOCH).unwrap();
        Self {
            world,
            now: Millis::EPOCH,
            renderer: Arc::default(),
            base: Base::new("http", "localhost:12080"),
        }
    }

    /// A world in which everything that a document can show is there at least once.
    pub(crate) fn busy(flavor: Flavor) -> Self {
        let mut bench = Self::new(flavor, 7, 2);
        let (vios, tier) = (bench.vios(0), bench.tier());
        let partition = bench.create_partition("busy");
        let image = bench.unit(&tier, "image_cirros_0123", "VirtualIO_Image", None);
        let boot = bench.unit(&tier, "boot_busy", "VirtualIO_Disk", Some(&image));
        bench.upload(&vios, "cfg_busy.iso");
        bench.add_disk(&vios, "b_busy");
        bench
            .map(
                &vios,
                &partition,
                &format!("<LogicalUnit><UniqueDeviceID>{boot}</UniqueDeviceID></LogicalUnit>"),
            )
            .unwrap();
        bench
            .map(
                &vios,
                &partition,
                "<VirtualOpticalMedia><MediaName>cfg_busy.iso</MediaName></VirtualOpticalMedia>",
            )
            .unwrap();
        bench
            .map(
                &vios,
                &partition,
                "<VirtualDisk><DiskName>b_busy</DiskName></VirtualDisk>",
            )
            .unwrap();
        if let Some(volume) = bench.free_volume(&vios) {
            bench
                .map(
                    &vios,
                    &partition,
                    &format!("<PhysicalVolume><VolumeName>{volume}</VolumeName></PhysicalVolume>"),
                )
                .unwrap();
        }
        bench.add_network_adapter(&partition, "<PortVLANID>1</PortVLANID><TaggedVLANIDs>12 13</TaggedVLANIDs><TaggedVLANSupported>true</TaggedVLANSupported><OvsBridge>br-int</OvsBridge><ConfiguredMTU>1500</ConfiguredMTU><OvsPortExternalIds>iface-id=1</OvsPortExternalIds>").unwrap();
        bench
            .put(
                &format!("uom/LogicalPartition/{partition}/do/PowerOn"),
                &job("PowerOn", &[("bootmode", "norm")]),
            )
            .unwrap();
        bench.pass(600_000);
        bench
    }

    /// Lets simulated time pass.
    pub(crate) fn pass(&mut self, milliseconds: u64) {
        self.now = self.now.plus(milliseconds);
        self.world.advance(self.now);
    }

    /// A GET of a document; nothing for 204.
    pub(crate) fn try_get(&self, url: &str) -> Result<Option<Rendered>, Problem> {
        let target = target(url)?;
        self.renderer.read(&self.context(&target), &target)
    }

    pub(crate) fn get(&self, url: &str) -> Rendered {
        self.try_get(url)
            .unwrap_or_else(|problem| panic!("{url}: {problem}"))
            .unwrap_or_else(|| panic!("{url}: empty"))
    }

    pub(crate) fn feed(&self, url: &str) -> Feed {
        self.try_get(url).unwrap().map_or_else(
            || {
                Feed::parse(b"<feed xmlns='http://www.w3.org/2005/Atom'><id>none</id></feed>")
                    .unwrap()
            },
            |feed| Feed::parse(feed.body.to_string().as_bytes()).unwrap(),
        )
    }

    pub(crate) fn entry(&self, url: &str) -> Entry {
        Entry::parse(self.get(url).body.to_string().as_bytes()).unwrap()
    }

    pub(crate) fn events(
        &self,
        events: &[Arc<powervm_simulator::model::events::Event>],
    ) -> Rendered {
        let target = target("uom/Event?group=None").unwrap();
        self.renderer.events(&self.context(&target), events)
    }

    /// The same world, of which nothing has been rendered yet.
    pub(crate) fn with_a_new_renderer(&self) -> Self {
        Self {
            renderer: Arc::default(),
            ..self.clone()
        }
    }

    pub(crate) fn quick(&self, url: &str) -> Result<String, Problem> {
        let target = target(url)?;
        self.renderer.quick(&self.context(&target), &target)
    }

    /// A PUT, POST or DELETE, answered with the written document; an empty text if there is none.
    pub(crate) fn change(
        &mut self,
        method: &Method,
        url: &str,
        body: &str,
    ) -> Result<String, Problem> {
        let target = target(url)?;
        let request = accept::request(method, &target, body.as_bytes())?;
        let command = request.command(&target, &self.world)?;
        let outcome = self.world.apply(self.now, command)?;
        let cx = self.context(&target);
        match outcome {
            Outcome::Written(resource) => Ok(self
                .renderer
                .written(&cx, &target, &resource)?
                .body
                .to_string()),
            Outcome::Event(event) => Ok(self.renderer.event(&cx, &event).body.to_string()),
            _ => Ok(String::new()),
        }
    }

    pub(crate) fn put(&mut self, url: &str, body: &str) -> Result<String, Problem> {
        self.change(&Method::PUT, url, body)
    }

    pub(crate) fn post(&mut self, url: &str, body: &str) -> Result<String, Problem> {
        self.change(&Method::POST, url, body)
    }

    pub(crate) fn delete(&mut self, url: &str) -> Result<String, Problem> {
        self.change(&Method::DELETE, url, "")
    }

    pub(crate) fn system(&self) -> String {
        self.world.systems.keys().next().unwrap().to_string()
    }

    pub(crate) fn vios(&self, index: usize) -> String {
        upper(
            self.world
                .vioses
                .values()
                .nth(index)
                .unwrap()
                .partition
                .uuid,
        )
    }

    pub(crate) fn tier(&self) -> String {
        self.world.tiers.keys().next().unwrap().to_string()
    }

    pub(crate) fn partitions(&self) -> Vec<String> {
        self.world
            .partitions
            .keys()
            .map(|uuid| upper(*uuid))
            .collect()
    }

    /// The URL of a Virtual I/O Server's second volume group, or of its first.
    pub(crate) fn volume_group(&self, vios: &str) -> String {
        let groups = &self.world.vioses[&Uuid::parse_str(vios).unwrap()].volume_groups;
        format!(
            "uom/VirtualIOServer/{vios}/VolumeGroup/{}",
            groups.last().unwrap().uuid
        )
    }

    pub(crate) fn free_volume(&self, vios: &str) -> Option<String> {
        let vios = &self.world.vioses[&Uuid::parse_str(vios).unwrap()];
        vios.physical_volumes
            .iter()
            .find(|volume| World::is_volume_available(vios, volume))
            .map(|volume| volume.name.clone())
    }

    pub(crate) fn create_partition(&mut self, name: &str) -> String {
        let url = format!("uom/ManagedSystem/{}/LogicalPartition", self.system());
        let created = self.put(&url, &partition(name, "")).unwrap();
        Entry::parse(created.as_bytes()).unwrap().id
    }

    /// Makes a logical unit; its UDID.
    pub(crate) fn unit(
        &mut self,
        tier: &str,
        name: &str,
        kind: &str,
        cloned_from: Option<&str>,
    ) -> String {
        let clone = cloned_from
            .map(|udid| format!("<ClonedFrom>{udid}</ClonedFrom>"))
            .unwrap_or_default();
        let body = uom(
            "LogicalUnit",
            &format!(
                "<UnitCapacity>1.000000</UnitCapacity><LogicalUnitType>{kind}</LogicalUnitType>{clone}<UnitName>{name}</UnitName>"
            ),
        );
        let created = self
            .put(&format!("uom/Tier/{tier}/LogicalUnit"), &body)
            .unwrap();
        Entry::parse(created.as_bytes())
            .unwrap()
            .content
            .child_value("UniqueDeviceID")
            .unwrap()
            .to_owned()
    }

    /// Puts a medium into the repository of a Virtual I/O Server.
    pub(crate) fn upload(&mut self, vios: &str, name: &str) {
        let body = web(
            "File",
            &format!(
                "<Filename>{name}</Filename><InternetMediaType>application/octet-stream</InternetMediaType><ExpectedFileSizeInBytes>1024</ExpectedFileSizeInBytes><FileEnumType>BROKERED_MEDIA_ISO</FileEnumType><TargetVirtualIOServerUUID>{vios}</TargetVirtualIOServerUUID>"
            ),
        );
        let created = self.put("web/File", &body).unwrap();
        let file = Uuid::parse_str(&Entry::parse(created.as_bytes()).unwrap().id).unwrap();
        let content = powervm_simulator::model::storage::Content {
            bytes: 1024,
            sha256: [7; 32],
        };
        self.world
            .apply(
                self.now,
                powervm_simulator::model::Command::CommitFile { file, content },
            )
            .unwrap();
    }

    /// Adds a virtual disk to the last volume group, as clients do: the whole document with one more disk.
    pub(crate) fn add_disk(&mut self, vios: &str, name: &str) {
        let url = self.volume_group(vios);
        let added = format!(
            "<VirtualDisk><DiskCapacity>1.000000</DiskCapacity><DiskLabel>None</DiskLabel><DiskName>{name}</DiskName></VirtualDisk></VirtualDisks>"
        );
        let own = self
            .own_text(&format!("{url}?group=None"))
            .replace("</VirtualDisks>", &added);
        self.post(&format!("{url}?group=None"), &own).unwrap();
    }

    /// Adds a mapping for a partition, on a new bus.
    pub(crate) fn map(
        &mut self,
        vios: &str,
        partition: &str,
        storage: &str,
    ) -> Result<String, Problem> {
        let url = format!("uom/VirtualIOServer/{vios}?group=ViosSCSIMapping");
        let added = format!(
            "<VirtualSCSIMapping schemaVersion=\"V1_0\"><AssociatedLogicalPartition href=\"http://h/rest/api/uom/LogicalPartition/{partition}\" rel=\"related\"/>\
             <ClientAdapter><AdapterType>Client</AdapterType><UseNextAvailableSlotID>true</UseNextAvailableSlotID></ClientAdapter>\
             <ServerAdapter><AdapterType>Server</AdapterType><UseNextAvailableSlotID>true</UseNextAvailableSlotID></ServerAdapter>\
             <Storage>{storage}</Storage></VirtualSCSIMapping></VirtualSCSIMappings>"
        );
        let own = self
            .own_text(&url)
            .replace("</VirtualSCSIMappings>", &added);
        self.post(&url, &own)
    }

    pub(crate) fn add_network_adapter(
        &mut self,
        partition: &str,
        inside: &str,
    ) -> Result<String, Problem> {
        self.put(
            &format!("uom/LogicalPartition/{partition}/ClientNetworkAdapter"),
            &uom("ClientNetworkAdapter", inside),
        )
    }

    /// The resource's own element of an entry, as a client posts it back.
    pub(crate) fn own_text(&self, url: &str) -> String {
        self.entry(url).content.to_xml()
    }

    /// Every feed of this flavour, with a group each.
    pub(crate) fn feeds(&self, group: &str) -> Vec<String> {
        let (system, tier) = (self.system(), self.tier());
        let pool = self.world.pools.keys().next().unwrap();
        let mut feeds: Vec<String> = [
            "ManagementConsole",
            "ManagedSystem",
            "LogicalPartition",
            "VirtualIOServer",
            "Cluster",
            "SharedStoragePool",
            "Tier",
        ]
        .map(|kind| format!("uom/{kind}"))
        .into();
        feeds.extend(
            [
                "LogicalPartition",
                "VirtualIOServer",
                "VirtualSwitch",
                "NetworkBridge",
                "VirtualNetwork",
            ]
            .map(|kind| format!("uom/ManagedSystem/{system}/{kind}")),
        );
        feeds.extend([
            format!("uom/SharedStoragePool/{pool}/Tier"),
            format!("uom/Tier/{tier}/LogicalUnit"),
            "web/File".to_owned(),
        ]);
        for vios in self.world.vioses.keys() {
            feeds.extend(
                [
                    "VolumeGroup",
                    "ClientNetworkAdapter",
                    "SRIOVEthernetLogicalPort",
                ]
                .map(|kind| format!("uom/VirtualIOServer/{}/{kind}", upper(*vios))),
            );
        }
        feeds.extend(self.partitions().iter().flat_map(|uuid| {
            [
                "ClientNetworkAdapter",
                "SRIOVEthernetLogicalPort",
                "VirtualNICDedicated",
            ]
            .map(|kind| format!("uom/LogicalPartition/{uuid}/{kind}"))
        }));
        feeds
            .iter()
            .map(|feed| format!("{feed}?group={group}"))
            .collect()
    }

    fn context<'a>(&'a self, target: &'a Target) -> Context<'a> {
        Context {
            world: &self.world,
            base: &self.base,
            groups: &target.groups,
            detail: target.wants_detail(),
            now: self.now,
        }
    }
}

pub(crate) fn target(url: &str) -> Result<Target, Problem> {
    let (path, query) = url
        .split_once('?')
        .map_or((url, None), |(path, query)| (path, Some(query)));
    Target::parse(&format!("/rest/api/{path}"), query)
}

pub(crate) fn upper(uuid: Uuid) -> String {
    uuid.to_string().to_uppercase()
}

/// A body as pypowervm sends it: every element prefixed.
pub(crate) fn uom(kind: &str, inside: &str) -> String {
    format!(
        r#"<{kind} xmlns="{UOM}" schemaVersion="V1_0"><Metadata><Atom/></Metadata>{inside}</{kind}>"#
    )
}

pub(crate) fn web(kind: &str, inside: &str) -> String {
    format!(
        r#"<{kind} xmlns="{WEB}" schemaVersion="V1_0"><Metadata><Atom/></Metadata>{inside}</{kind}>"#
    )
}

/// A new partition of half a processor and a gigabyte, with more elements.
pub(crate) fn partition(name: &str, more: &str) -> String {
    uom(
        "LogicalPartition",
        &format!(
            "<PartitionIOConfiguration><MaximumVirtualIOSlots>64</MaximumVirtualIOSlots></PartitionIOConfiguration>\
             <PartitionMemoryConfiguration><DesiredMemory>1024</DesiredMemory><MaximumMemory>2048</MaximumMemory><MinimumMemory>512</MinimumMemory></PartitionMemoryConfiguration>\
             <PartitionName>{name}</PartitionName>\
             <PartitionProcessorConfiguration><HasDedicatedProcessors>false</HasDedicatedProcessors><SharedProcessorConfiguration>\
             <DesiredProcessingUnits>0.50</DesiredProcessingUnits><DesiredVirtualProcessors>1</DesiredVirtualProcessors>\
             <MaximumProcessingUnits>1.00</MaximumProcessingUnits><MaximumVirtualProcessors>2</MaximumVirtualProcessors>\
             <MinimumProcessingUnits>0.10</MinimumProcessingUnits><MinimumVirtualProcessors>1</MinimumVirtualProcessors>\
             <SharedProcessorPoolID>0</SharedProcessorPoolID><UncappedWeight>64</UncappedWeight></SharedProcessorConfiguration>\
             <SharingMode>uncapped</SharingMode></PartitionProcessorConfiguration>\
             <PartitionType>AIX/Linux</PartitionType>{more}"
        ),
    )
}

pub(crate) fn job(operation: &str, parameters: &[(&str, &str)]) -> String {
    let parameters: String = parameters
        .iter()
        .map(|(name, value)| format!("<JobParameter schemaVersion=\"V1_0\"><ParameterName>{name}</ParameterName><ParameterValue>{value}</ParameterValue></JobParameter>"))
        .collect();
    web(
        "JobRequest",
        &format!(
            "<RequestedOperation><OperationName>{operation}</OperationName></RequestedOperation><JobParameters>{parameters}</JobParameters>"
        ),
    )
}
