"""What describes the host: console, system, partitions and Virtual I/O Servers."""

from pypowervm import const
from pypowervm.tasks import partition as tsk_par
from pypowervm.wrappers import base_partition as bp
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import managed_system as pvm_ms
from pypowervm.wrappers import management_console as pvm_mc
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect

MTMS = r"[0-9A-Z]{4}-[0-9A-Z]{3}\*[0-9A-Z]{7}"
UUID = r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
STATES = expect.enumeration(bp.LPARState)
RMC_STATES = expect.enumeration(bp.RMCState)
ALL_GROUPS = [const.XAG.VIO_NET, const.XAG.VIO_STOR, const.XAG.VIO_SMAP, const.XAG.VIO_FMAP]


def check(site):
    """All of it; keeps system, vioses, and on a NovaLink management."""
    _console(site)
    _system(site)
    _partitions(site)
    _vioses(site)
    _vios_groups(site)


def _console(site):
    with site.check("reads the management console"):
        console = expect.single(pvm_mc.ManagementConsole.get(site.adapter), "management consoles")
        expect.kind(console.name, str, "its name")
        expect.matches(console.mtms.mtms_str, MTMS, "its machine type, model and serial number")
        interface = console.network_interfaces.console_interface
        expect.kind(interface.name, str, "its interface's name")
        expect.kind(interface.address, str, "its interface's address")
        if site.novalink:
            expect.matches(console.ssh_public_key, r"ssh-\S+ \S+.*", "its public key")
        again = console.refresh()
        expect.equal(again.uuid, console.uuid, "the UUID after a refresh")


def _system(site):
    with site.check("reads the managed system"):
        system = expect.single(pvm_ms.System.get(site.adapter), "managed systems")
        expect.matches(system.uuid, UUID, "its UUID")
        expect.equal(site.adapter.sys_uuid, system.uuid, "sys_uuid of the adapter")
        expect.kind(system.system_name, str, "its name")
        expect.matches(system.mtms.mtms_str, MTMS, "its machine type, model and serial number")
        expect.equal(system.system_state, "operating", "its state")
        site.keep("system", system)
    with site.check("the system's memory and processors make sense"):
        system = site.system
        expect.within(system.memory_total, 1024, 1 << 26, "installed memory (MB)")
        expect.within(system.memory_configurable, 1024, system.memory_total, "configurable memory")
        expect.within(system.memory_free, 1, system.memory_configurable, "free memory")
        expect.one_of(system.memory_region_size, (16, 32, 64, 128, 256), "memory region size (MB)")
        expect.within(system.firmware_memory, 0, system.memory_total, "the hypervisor's memory")
        expect.within(system.proc_units, 1, 4096, "processor units")
        expect.within(system.proc_units_configurable, 1, system.proc_units, "configurable units")
        expect.within(system.proc_units_avail, 0.05, system.proc_units_configurable, "free units")
        expect.one_of(system.min_proc_units, (0.05, 0.1), "units for a virtual processor at least")
        expect.within(system.max_procs_per_aix_linux_lpar, 1, 1024, "processors of a partition")
        expect.within(system.max_vcpus_per_aix_linux_lpar, 1, 1024, "vcpus of a partition")
    with site.check("the system tells its capabilities and modes"):
        system = site.system
        expect.true("default" in system.proc_compat_modes, "compatibility modes have `default`")
        expect.within(system.highest_compat_mode(), 6, 99, "the highest compatibility mode")
        for name, value in system.get_capabilities().items():
            expect.kind(value, bool, "capability " + name)
        expect.true(system.get_capability("custom_mac_addr_capable"), "MACs can be chosen")
        expect.within(system.migration_data["active_migrations_in_progress"], 0, 64,
                      "migrations in progress")
        expect.kind(system.session_is_master, bool, "session_is_master")
    with site.check("the system's I/O configuration is there"):
        config = site.system.asio_config
        expect.within(config.avail_wwpns, 1, 1 << 17, "free WWPNs")
        expect.true(config.wwpn_prefix, "there is a WWPN prefix")
        for slot in config.io_slots:
            expect.kind(slot.drc_name, str, "a slot's DRC name")
        expect.kind(list(config.sriov_adapters), list, "the SR-IOV adapters")
    with site.check("the system is the same by UUID and by link"):
        by_uuid = pvm_ms.System.get(site.adapter, uuid=site.system.uuid)
        by_link = pvm_ms.System.get_by_href(site.adapter, site.system.href)
        expect.equal(by_uuid.etag, site.system.etag, "the etag of the entry")
        expect.equal(by_link.system_name, site.system.system_name, "the name by link")


def _partitions(site):
    with site.check("reads the partitions"):
        partitions = pvm_lpar.LPAR.get(site.adapter)
        for partition in partitions:
            _partition(site, partition)
        below = pvm_lpar.LPAR.get(site.adapter, parent=site.system)
        expect.equal({p.uuid for p in below}, {p.uuid for p in partitions},
                     "the UUIDs below the system")
    if site.novalink:
        with site.check("finds the management partition"):
            management = tsk_par.get_mgmt_partition(site.adapter)
            expect.equal(management.schema_type, "LogicalPartition", "its type")
            expect.true(management.is_mgmt_partition, "it says so itself")
            expect.equal(management.state, bp.LPARState.RUNNING, "its state")
            site.keep("management", management)


def _partition(site, partition):
    """The typed properties of any partition."""
    what = " of partition %s" % partition.name
    expect.matches(partition.uuid, UUID, "the UUID" + what)
    expect.equal(partition.partition_uuid, partition.uuid, "PartitionUUID" + what)
    expect.within(partition.id, 1, 65535, "the id" + what)
    expect.one_of(partition.state, STATES, "the state" + what)
    expect.one_of(partition.env, ("AIX/Linux", "OS400", "Virtual IO Server"), "the type" + what)
    expect.one_of(partition.rmc_state, RMC_STATES, "the RMC state" + what)
    expect.equal(partition.assoc_sys_uuid.lower(), site.system.uuid.lower(), "the system" + what)
    memory = partition.mem_config
    expect.within(memory.desired, memory.min, memory.max, "desired memory" + what)
    expect.kind(memory.ame_enabled, bool, "active memory expansion" + what)
    expect.within(partition.io_config.max_virtual_slots, 2, 65535, "virtual slots" + what)
    processors = partition.proc_config
    expect.kind(processors.has_dedicated, bool, "dedicated processors" + what)
    if processors.has_dedicated:
        dedicated = processors.dedicated_proc_cfg
        expect.within(dedicated.desired, dedicated.min, dedicated.max, "processors" + what)
    else:
        shared = processors.shared_proc_cfg
        expect.within(shared.desired_units, shared.min_units, shared.max_units, "units" + what)
        expect.within(shared.desired_virtual, shared.min_virtual, shared.max_virtual,
                      "vcpus" + what)
    for name in ("io_dlpar", "mem_dlpar", "proc_dlpar"):
        expect.kind(getattr(partition.capabilities, name), bool, name + what)


def _vioses(site):
    with site.check("reads the Virtual I/O Servers"):
        vioses = expect.some(pvm_vios.VIOS.get(site.adapter), "Virtual I/O Server")
        expect.equal(len(vioses), 2, "how many")
        for vios in vioses:
            _partition(site, vios)
            expect.equal(vios.env, "Virtual IO Server", "the type of " + vios.name)
            expect.equal(vios.state, bp.LPARState.RUNNING, "the state of " + vios.name)
            expect.equal(vios.rmc_state, bp.RMCState.ACTIVE, "RMC of " + vios.name)
            expect.true(vios.is_license_accepted, "the licence of %s is accepted" % vios.name)
            expect.kind(vios.vnic_capable, bool, "vnic_capable of " + vios.name)
            expect.kind(vios.is_mover_service_partition, bool, "mover of " + vios.name)
        site.keep("vioses", sorted(vioses, key=lambda vios: vios.id))
    with site.check("the Virtual I/O Servers below the system are the same"):
        below = pvm_vios.VIOS.get(site.adapter, parent=site.system)
        expect.equal({(v.uuid, v.etag) for v in below}, {(v.uuid, v.etag) for v in site.vioses},
                     "their UUIDs and etags")
        linked = {link.rstrip("/").rsplit("/", 1)[1].upper() for link in site.system.vios_links}
        expect.equal(linked, {v.uuid.upper() for v in below}, "the system's links")
    with site.check("partition ids are unique over partitions and Virtual I/O Servers"):
        ids = [p.id for p in tsk_par.get_partitions(site.adapter)]
        expect.equal(len(set(ids)), len(ids), "the number of ids")
    with site.check("the Virtual I/O Servers count as ready and active"):
        tsk_par.validate_vios_ready(site.adapter, max_wait_time=5)
        expect.equal(len(tsk_par.get_active_vioses(site.adapter, find_min=2)), 2, "active ones")
    with site.check("finds the physical WWPNs"):
        for wwpn in expect.some(tsk_par.get_physical_wwpns(site.adapter), "physical WWPN"):
            expect.matches(wwpn, r"[0-9a-fA-F]{16}", "a WWPN")


def _vios_groups(site):
    with site.check("without groups a Virtual I/O Server has no gated parts"):
        vios = pvm_vios.VIOS.get(site.adapter, uuid=site.vioses[0].uuid)
        expect.equal(len(vios.scsi_mappings), 0, "SCSI mappings")
        expect.equal(len(vios.phys_vols), 0, "physical volumes")
        expect.equal(len(vios.trunk_adapters), 0, "trunk adapters")
        expect.true("group=None" in vios.href, "the SELF link keeps group=None")
    with site.check("group ViosStorage brings volumes and media repositories"):
        for vios in pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_STOR]):
            for volume in expect.some(vios.phys_vols, "physical volume"):
                expect.matches(volume.name, r"hdisk\d+", "the volume's name")
                expect.kind(volume.udid, str, "the UDID of " + volume.name)
                expect.within(volume.capacity, 1, 1 << 30, "the capacity of " + volume.name)
                expect.equal(volume.state, "active", "the state of " + volume.name)
                expect.kind(volume.avail_for_use, bool, "whether free: " + volume.name)
                expect.equal(vios.hdisk_from_uuid(volume.udid), volume.name, "hdisk_from_uuid")
            expect.true("group=ViosStorage" in vios.href, "the SELF link keeps its group")
            expect.equal(len(vios.scsi_mappings), 0, "SCSI mappings")
    with site.check("group ViosNetwork brings shared Ethernet adapters and trunks"):
        seas = []
        for vios in pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_NET]):
            seas.extend(vios.seas)
            for trunk in vios.trunk_adapters:
                expect.within(trunk.pvid, 1, 4094, "the PVID of a trunk")
                expect.kind(trunk.vswitch_id, int, "the switch of a trunk")
        for sea in expect.some(seas, "shared Ethernet adapter"):
            expect.within(sea.pvid, 1, 4094, "the PVID of an SEA")
            expect.equal(sea.primary_adpt.pvid, sea.pvid, "the PVID of its primary trunk")
            expect.kind(sea.dev_name, str, "its device")
    with site.check("group ViosSCSIMapping brings SCSI mappings"):
        found = 0
        for vios in pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_SMAP]):
            for mapping in vios.scsi_mappings:
                found += 1
                expect.matches(mapping.server_adapter.name, r"vhost\d+", "a server adapter")
                expect.equal(mapping.server_adapter.vios_id, vios.id, "its Virtual I/O Server")
                expect.kind(mapping.server_adapter.udid, str, "its UDID")
        if site.novalink:
            expect.within(found, 2, 1 << 16, "mappings (the management partition has some)")
    with site.check("Fibre Channel ports and mappings can be read"):
        ports = []
        for vios in pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_FMAP]):
            expect.kind(list(vios.vfc_mappings), list, "the mappings")
            ports.extend(vios.pfc_ports)
        for port in expect.some(ports, "Fibre Channel port"):
            expect.matches(port.name, r"fcs\d+", "the port's name")
            expect.matches(port.wwpn, r"[0-9a-fA-F]{16}", "the port's WWPN")
            expect.within(port.npiv_available_ports, 0, port.npiv_total_ports, "free NPIV ports")
    with site.check("all groups at once bring all parts"):
        for vios in pvm_vios.VIOS.get(site.adapter, xag=ALL_GROUPS):
            groups = vios.href.split("group=")[1].split("&")[0]
            expect.equal(groups, ",".join(sorted(str(g) for g in ALL_GROUPS)), "the SELF groups")
            expect.some(vios.phys_vols, "physical volume of " + vios.name)
            one = pvm_vios.VIOS.get(site.adapter, uuid=vios.uuid, xag=ALL_GROUPS)
            expect.equal(one.etag, vios.etag, "the etag of the entry alone")
            expect.equal(one.toxmlstring(), vios.toxmlstring(), "the entry alone")
