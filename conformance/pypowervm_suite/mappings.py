"""SCSI mappings: made, reused, kept under contention, removed."""

from pypowervm import const
from pypowervm.tasks import partition as tsk_par
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import disks
from pypowervm_suite import expect

GROUPS = [const.XAG.VIO_SMAP]


def reference(site, unit):
    """How the drivers name a logical unit in a mapping."""
    return pvm_stg.LU.bld_ref(site.adapter, unit.name, unit.udid)


def of_partition(site, vios, partition):
    """The partition's mappings as the server has them now."""
    vios = pvm_vios.VIOS.get(site.adapter, uuid=vios.uuid, xag=GROUPS)
    return tsk_map.find_maps(vios.scsi_mappings, client_lpar_id=partition.uuid)


def attach(site, partition, unit):
    """Maps a unit on every active Virtual I/O Server in one FeedTask, as nova does."""
    task = tsk_par.build_active_vio_feed_task(site.adapter, xag=GROUPS)

    def add(vios):
        # A reference of its own for each thread: lxml moves an element into the last document.
        mapping = tsk_map.build_vscsi_mapping(None, vios, partition.uuid, reference(site, unit))
        return tsk_map.add_map(vios, mapping)

    task.add_functor_subtask(add)
    task.execute()


def check(site):
    """Maps boot and blank unit, disk and medium to site.partition."""
    partition, first = site.partition, site.vioses[0]
    with site.check("maps a logical unit with scsi_mapper"):
        vios = tsk_map.add_vscsi_mapping(None, first.uuid, partition.uuid,
                                         reference(site, site.boot))
        mapping = expect.single(
            tsk_map.find_maps(vios.scsi_mappings, client_lpar_id=partition.uuid), "mappings")
        _check_boot(site, vios, mapping)
        site.keep("boot_mapping", mapping)
    with site.check("maps it on every server in one FeedTask"):
        attach(site, partition, site.boot)
        for vios in site.vioses:
            mapping = expect.single(of_partition(site, vios, partition), "on " + vios.name)
            _check_boot(site, vios, mapping)
        expect.equal(len({m.client_adapter.lpar_slot_num for v in site.vioses
                          for m in of_partition(site, v, partition)}), 2, "the client's slots")
    with site.check("a second unit shares the first one's adapters"):
        attach(site, partition, site.blank)
        for vios in site.vioses:
            found = of_partition(site, vios, partition)
            expect.equal({m.backing_storage.name for m in found},
                         {site.boot.name, site.blank.name}, "the units on " + vios.name)
            expect.equal(len({m.server_adapter.udid for m in found}), 1, "its server adapters")
            expect.equal(len({m.target_dev.lua for m in found}), 2, "its logical unit addresses")
            expect.equal(len({m.target_dev.name for m in found}), 2, "its target names")
    with site.check("maps a virtual disk and a medium"):
        tsk_map.add_vscsi_mapping(None, site.data_vg[0].uuid, partition.uuid, site.disk)
        tsk_map.add_vscsi_mapping(None, site.media_vios.uuid, partition.uuid, site.medium)
        disk = expect.single([m for m in of_partition(site, site.data_vg[0], partition)
                              if isinstance(m.backing_storage, pvm_stg.VDisk)], "disk mappings")
        expect.equal(disk.backing_storage.udid, site.disk.udid, "the disk's UDID")
        expect.kind(disk.target_dev, pvm_stg.VDiskTargetDev, "the disk's target device")
        medium = expect.single([m for m in of_partition(site, site.media_vios, partition)
                                if isinstance(m.backing_storage, pvm_stg.VOptMedia)],
                               "media mappings")
        expect.equal(medium.backing_storage.name, disks.MEDIA, "the medium's name")
        expect.kind(medium.target_dev, pvm_stg.VOptTargetDev, "the medium's target device")
    with site.check("the same unit again changes nothing"):
        before = pvm_vios.VIOS.get(site.adapter, uuid=first.uuid, xag=GROUPS)
        after = tsk_map.add_vscsi_mapping(None, first.uuid, partition.uuid,
                                          reference(site, site.boot))
        expect.equal(after.etag, before.etag, "the etag")
    with site.check("an asked-for slot and address are given"):
        other = _spare(site)
        vios = pvm_vios.VIOS.get(site.adapter, uuid=first.uuid, xag=GROUPS)
        vios = tsk_map.add_vscsi_mapping(
            None, vios, other.uuid, reference(site, site.blank), lpar_slot_num=17,
            lua="0x8500000000000000")
        mapping = expect.single(
            tsk_map.find_maps(vios.scsi_mappings, client_lpar_id=other.uuid), "mappings")
        expect.equal(mapping.client_adapter.lpar_slot_num, 17, "the client's slot")
        expect.equal(mapping.target_dev.lua, "0x8500000000000000", "the address")
        tsk_map.remove_lu_mapping(site.adapter, first.uuid, other.uuid)
        expect.equal(of_partition(site, first, other), [], "the mappings after the removal")
        other.refresh().delete()


def _spare(site):
    from pypowervm_suite import partition

    return partition.create(site, "conformance-spare")


def _check_boot(site, vios, mapping):
    """Everything that the server fills in."""
    client, server = mapping.client_adapter, mapping.server_adapter
    expect.equal(client.lpar_id, site.partition.id, "the client's id")
    expect.within(client.lpar_slot_num, 2, 199, "the client's slot")
    expect.equal(client.vios_id, vios.id, "the server's id at the client")
    expect.equal(client.vios_slot_num, server.vios_slot_num, "the server's slot at the client")
    expect.equal(client.side, "Client", "the client's side")
    expect.equal(server.side, "Server", "the server's side")
    expect.equal(server.vios_id, vios.id, "the server's id")
    expect.equal(server.lpar_id, site.partition.id, "the client's id at the server")
    expect.equal(server.lpar_slot_num, client.lpar_slot_num, "the client's slot at the server")
    expect.matches(server.name, r"vhost\d+", "the server adapter's name")
    expect.matches(server.udid, r"1eU.*-V%d-C%d" % (vios.id, server.vios_slot_num), "its UDID")
    expect.true(server.backing_dev_name, "it names its backing device")
    expect.matches(client.loc_code, r"U.*-V%d-C%d" % (site.partition.id, client.lpar_slot_num),
                   "the client's location")
    expect.true(mapping.client_lpar_href.upper().endswith("/" + site.partition.uuid),
                "the link ends in the partition's UUID")
    unit = mapping.backing_storage
    expect.kind(unit, pvm_stg.LU, "the storage")
    expect.equal(unit.udid, site.boot.udid, "the unit's UDID")
    expect.equal(unit.lu_type, pvm_stg.LUType.DISK, "the unit's type")
    expect.equal(unit.cloned_from_udid, site.image.udid, "the unit's image")
    expect.equal(unit.capacity, site.boot.capacity, "the unit's capacity")
    expect.kind(mapping.target_dev, pvm_stg.LUTargetDev, "the target device")
    expect.matches(mapping.target_dev.lua, r"0x8[0-9a-f]{15}|lun\d+", "the address")
    expect.kind(mapping.target_dev.name, str, "the target's name")


def remove(site):
    """Removes the mappings; keeps unmapped_media."""
    partition = site.partition
    with site.check("removes the medium's mapping"):
        _, media = tsk_map.remove_vopt_mapping(site.adapter, site.media_vios.uuid,
                                               partition.uuid, media_name=disks.MEDIA)
        expect.equal([medium.name for medium in media], [disks.MEDIA], "what was unmapped")
        site.keep("unmapped_media", media)
    with site.check("removes the disk's mapping"):
        _, found = tsk_map.remove_vdisk_mapping(site.adapter, site.data_vg[0].uuid,
                                                partition.uuid, udids=[site.disk.udid])
        expect.equal([disk.udid for disk in found], [site.disk.udid], "what was unmapped")
    with site.check("removes the units' mappings, and the adapters with the last one"):
        for vios in site.vioses:
            _, units = tsk_map.remove_lu_mapping(site.adapter, vios.uuid, partition.uuid,
                                                 disk_names=[site.blank.name])
            expect.equal([unit.name for unit in units], [site.blank.name], "what was unmapped")
            left = expect.single(of_partition(site, vios, partition), "mappings that stay")
            expect.equal(left.backing_storage.udid, site.boot.udid, "the unit that stays")
            tsk_map.remove_lu_mapping(site.adapter, vios.uuid, partition.uuid)
            expect.equal(of_partition(site, vios, partition), [], "what is left")
