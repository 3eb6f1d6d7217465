//! Every operation that a document, a recording or a client names, and whether each product has it.

use powervm_simulator::model::command::SubmitJob;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::job::catalogue::Operation;
use powervm_simulator::model::{Command, Flavor};
use uuid::Uuid;

use super::support::Room;

/// Operation, on an HMC (of the recorded level, V8R8.6), on a NovaLink.
type Row = (&'static str, bool, bool);

const PARTITION: &[Row] = &[
    ("ActivateCurrentProfile", true, false),
    ("AddLicense", true, true),
    ("ChangeDefaultProfileName", true, false),
    ("CloneUUID", false, true),
    ("CloseVterm", true, true),
    ("GetNetworkBootDevices", true, false),
    ("Migrate", true, true),
    ("MigrateAbort", true, true),
    ("MigrateRecover", true, true),
    ("MigrateValidate", true, true),
    ("PanelFunction", true, true),
    ("PowerOff", true, true),
    ("PowerOn", true, true),
    ("RemoteRestart", true, false),
    ("Resume", true, false),
    ("ResumeValidate", true, false),
    ("SaveCurrentConfig", true, false),
    ("Suspend", true, false),
    ("SuspendValidate", true, false),
    // Parameters and results of these are known from no public source, or they belong to later levels.
    ("ClearStatistics", false, false),
    ("CopyProfile", false, false),
    // These do not exist anywhere: consoles are opened by commands, and nothing is installed by a job.
    ("InstallLPAR", false, false),
    ("MKVTERM", false, false),
    ("OpenVNC", false, false),
    ("QueryNVRAM", false, false),
    ("RemoveFCLoginPort", false, false),
];

const SERVER: &[Row] = &[
    ("ChangeDefaultProfileName", true, false),
    ("ConfigDevice", true, true),
    ("GetFreePhysicalVolumes", true, true),
    ("GetNetworkBootDevices", true, false),
    ("ISCSIDiscovery", false, true),
    ("ISCSIRemove", false, true),
    ("LUARecovery", true, true),
    ("PowerOff", true, true),
    ("PowerOn", true, true),
    ("RBDExists", false, true),
    ("RemoveDevice", false, true),
    ("RescanVirtualDisk", false, true),
    ("SaveCurrentConfig", true, false),
    ("AddOpticalMedia", false, false),
    ("BackupIOConfig", false, false),
    ("BackupSSPConfig", false, false),
    ("BackupVIOS", false, false),
    ("FailoverVNICBackingDevices", false, false),
    ("InstallVIOS", false, false),
    ("PerformVIOSCommand", false, false),
    ("PrepareMaintenance", false, false),
    ("RenameVirtualTargetDevice", false, false),
    ("RestoreIOConfig", false, false),
    ("RestoreSSPConfig", false, false),
    ("UpdateVIOS", false, false),
    ("UpgradeVIOS", false, false),
    ("ValidateMaintenanceReadiness", false, false),
];

const SYSTEM: &[Row] = &[
    ("AddVSN", false, true),
    ("GetDPOStatus", true, true),
    ("GetNextWWPNs", true, true),
    ("ModifySRIOVAdapterMode", true, false),
    ("PowerOff", true, false),
    ("PowerOn", true, false),
    ("QueryReservedMemoryRequiredForPartition", true, true),
    ("ReleaseController", true, true),
    ("ReleaseMaster", true, true),
    ("RemoveVSN", false, true),
    ("RequestController", true, true),
    ("RequestMaster", true, true),
    ("TransferVSN", false, true),
    ("RemoveConnection", false, false),
];

const CONSOLE: &[Row] = &[
    ("CLIRunner", true, true),
    ("ListManagementConsoleUpdates", false, false),
    ("ListStorageMediaDevices", false, false),
    ("Update", false, false),
    ("Upgrade", false, false),
];

const CLUSTER: &[Row] = &[
    ("CreateLogicalUnit", true, false),
    ("Delete", true, false),
    ("DeleteLogicalUnit", true, false),
    ("GrowLogicalUnit", true, false),
    ("LULinkedClone", true, true),
    ("MigrateLogicalUnit", false, false),
];

#[test]
fn each_product_has_the_operations_that_are_told_of_it() {
    for flavor in [Flavor::Hmc, Flavor::NovaLink] {
        let mut room = Room::new(flavor);
        let cluster = room.world.clusters.keys().next().copied();
        let client: Uuid = room.partition_named("client");
        let targets = [
            (JobTarget::LogicalPartition(client), PARTITION),
            (JobTarget::VirtualIoServer(room.vioses()[0]), SERVER),
            (JobTarget::ManagedSystem(room.system()), SYSTEM),
            (JobTarget::ManagementConsole(None), CONSOLE),
            (
                JobTarget::ManagementConsole(Some(room.world.console.uuid)),
                CONSOLE,
            ),
            (JobTarget::Cluster(cluster), CLUSTER),
            (JobTarget::Cluster(None), &[("Create", true, true)]),
        ];
        for (target, rows) in targets {
            for (name, hmc, novalink) in rows {
                let offered = if flavor == Flavor::Hmc {
                    *hmc
                } else {
                    *novalink
                };
                let known = Operation::find(flavor, target, name).is_some();
                assert_eq!(known, offered, "{flavor:?} {target:?} {name}");
                if offered {
                    continue;
                }
                let refused = room.apply(Command::SubmitJob(SubmitJob {
                    target,
                    operation: (*name).to_owned(),
                    parameters: Vec::new(),
                }));
                let refused = refused.unwrap_err();
                assert_eq!(
                    (refused.status, refused.message.as_str()),
                    (400, "REST0006 No such Operation"),
                    "{name}"
                );
                assert_eq!(
                    refused.reason,
                    "The request body contains an unrecognized field."
                );
            }
        }
    }
}

#[test]
fn a_current_profile_is_activated_once() {
    let mut room = Room::typical(Flavor::Hmc);
    let client = room.bootable("one");
    let job = room.power(client, "ActivateCurrentProfile", &[]);
    room.wait(20_000);
    room.succeeded(job);
    let job = room.power(client, "ActivateCurrentProfile", &[]);
    room.wait(5_000);
    assert!(room.failure(job).starts_with("HSCL05DF"));
}

#[test]
fn network_boot_devices_are_those_of_a_partition_that_is_off() {
    let mut room = Room::typical(Flavor::Hmc);
    let client = room.bootable("one");
    let adapter = room
        .plug(powervm_simulator::model::Owner::Partition(client), |_| ())
        .unwrap();
    let adapter = room.partition(client).network_adapters[&adapter].clone();
    let profile = room.partition(client).profile.to_string();
    let by_profile = [("LogicalPartitionProfileUUID", profile.as_str())];
    let job = room.power(client, "GetNetworkBootDevices", &by_profile);
    room.wait(5_000);
    room.succeeded(job);
    let results = &room.job(job).results;
    let (_, list) = results.iter().find(|(name, _)| name == "result").unwrap();
    assert!(list.contains(&format!("<MACAddressValue>{:012X}<", adapter.mac)));
    assert!(list.contains(&format!(
        "l-lan@{:x}<",
        0x3000_0000 + u32::from(adapter.slot)
    )));
    assert!(list.contains(&format!("-C{}-T1<", adapter.slot)));
    let other = [("LogicalPartitionProfileUUID", "none")];
    let job = room.power(client, "GetNetworkBootDevices", &other);
    room.wait(5_000);
    assert!(room.failure(job).starts_with("HSCL800F"));
    room.power(client, "PowerOn", &[]);
    room.wait(20_000);
    let job = room.power(client, "GetNetworkBootDevices", &by_profile);
    room.wait(5_000);
    assert!(room.failure(job).starts_with("HSCL05DF"));
}
