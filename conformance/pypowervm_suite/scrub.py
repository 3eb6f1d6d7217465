"""Scrubbers: what is left of partitions that are gone is removed, what is in use stays."""

from pypowervm import const
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.tasks import storage as tsk_stg
from pypowervm.utils import transaction as tx
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect
from pypowervm_suite import partition

GROUPS = [const.XAG.VIO_SMAP, const.XAG.VIO_FMAP]


def check(site):
    """With disks, units and mappings of its own, whose clients get lost."""
    with site.check("a host without leftovers is scrubbed in vain"):
        before = _etags(site)
        tsk_stg.ComprehensiveScrub(site.adapter).execute()
        expect.equal(_etags(site), before, "the servers' etags")
    _orphans(site)
    _one_partition(site)
    _stale(site)
    _existing(site)


def _servers(site):
    return pvm_vios.VIOS.get(site.adapter, xag=GROUPS)


def _etags(site):
    return {vios.uuid: vios.etag for vios in _servers(site)}


def _equip(site, made, name):
    """A virtual disk through the data server, a unit of the pool through the other one.

    No medium: the client cannot scrub media of a server that has a volume group without a
    repository.
    """
    vios, group = site.data_vg
    disk = tsk_stg.crt_vdisk(site.adapter, vios.uuid, group.uuid, name, 1)
    tsk_map.add_vscsi_mapping(None, vios.uuid, made.uuid, disk)
    _, unit = tsk_stg.crt_lu(site.tier, name, 1)
    other = expect.single([v for v in site.vioses if v.uuid != vios.uuid], "other servers")
    tsk_map.add_vscsi_mapping(None, other.uuid, made.uuid,
                              pvm_stg.LU.bld_ref(site.adapter, unit.name, unit.udid))


def _there(site, name):
    """Whether the disk is there, whether the unit is, and how many mappings."""
    vios, group = site.data_vg
    disks = pvm_stg.VG.get(site.adapter, uuid=group.uuid, parent=vios).virtual_disks
    units = pvm_stg.LUEnt.get(site.adapter, parent=site.tier)
    mapped = [m for v in _servers(site) for m in v.scsi_mappings
              if m.backing_storage is not None and m.backing_storage.name == name]
    return (name in [d.name for d in disks], name in [u.name for u in units], len(mapped))


def _unmake(site, name):
    """The unit, which no scrubber removes as another host may use it."""
    [unit] = [u for u in pvm_stg.LUEnt.get(site.adapter, parent=site.tier) if u.name == name]
    unit.delete()


def _strand(site, made):
    """Its server adapters lose their client, as when a partition is removed behind a server."""
    for vios in _servers(site):
        slots = {m.server_adapter.vios_slot_num for m in
                 tsk_map.find_maps(vios.scsi_mappings, client_lpar_id=made.id)}
        for slot in slots:
            site.simulator.order("POST", "/adapters/strand",
                                 {"vios": vios.uuid, "slot": slot, "any": False})


def _orphans(site):
    with site.check("mappings without a client are found as orphans"):
        with partition.temporary(site, "conformance-orphan") as made:
            _equip(site, made, "b_orphan")
            expect.equal(_there(site, "b_orphan"), (True, True, 2), "what is there before")
            _strand(site, made)
            orphans = [m for v in _servers(site) for m in v.scsi_mappings
                       if m.client_adapter is None]
            expect.equal(len(orphans), 2, "orphans")
    with site.check("the comprehensive scrub removes orphans with their storage"):
        tsk_stg.ComprehensiveScrub(site.adapter).execute()
        expect.equal(_there(site, "b_orphan"), (False, True, 0), "what is left")
        _unmake(site, "b_orphan")


def _one_partition(site):
    with site.check("orphans of one partition are scrubbed alone"):
        with partition.temporary(site, "conformance-one") as one:
            with partition.temporary(site, "conformance-two") as two:
                _equip(site, one, "b_one")
                _equip(site, two, "b_two")
                _strand(site, one)
                _strand(site, two)
                tsk_stg.ScrubOrphanStorageForLpar(site.adapter, one.id).execute()
                expect.equal(_there(site, "b_one"), (False, True, 0), "what is left of one")
                expect.equal(_there(site, "b_two"), (True, True, 2), "what is left of two")
                task = tx.FeedTask("orphans", pvm_vios.VIOS.getter(site.adapter, xag=GROUPS))
                tsk_stg.add_orphan_storage_scrub_tasks(task)
                task.execute()
                expect.equal(_there(site, "b_two"), (False, True, 0), "what is left of two")
        _unmake(site, "b_one")
        _unmake(site, "b_two")


def _stale(site):
    with site.check("mappings of a partition that is gone are found, and scrubbed with storage"):
        with partition.temporary(site, "conformance-stale") as made:
            _equip(site, made, "b_stale")
            _strand(site, made)
        stale = {number for vios in _servers(site) for number in tsk_stg.find_stale_lpars(vios)}
        expect.equal(stale, {made.id}, "the ids of partitions that are gone")
        task = tx.FeedTask("stale", pvm_vios.VIOS.getter(site.adapter, xag=GROUPS))
        tsk_stg.add_lpar_storage_scrub_tasks([made.id], task)
        task.execute()
        expect.equal(_there(site, "b_stale"), (False, True, 0), "what is left")
        _unmake(site, "b_stale")


def _existing(site):
    with site.check("mappings of a partition that is there are scrubbed only if so told"):
        with partition.temporary(site, "conformance-there") as made:
            _equip(site, made, "b_there")
            for exist, left in ((False, (True, True, 2)), (True, (True, True, 0))):
                task = tx.FeedTask("there", pvm_vios.VIOS.getter(site.adapter, xag=GROUPS))
                tsk_stg.add_lpar_storage_scrub_tasks([made.id], task, lpars_exist=exist,
                                                     remove_storage=False)
                task.execute()
                expect.equal(_there(site, "b_there"), left, "what is left")
        vios, group = site.data_vg
        group = pvm_stg.VG.get(site.adapter, uuid=group.uuid, parent=vios)
        tsk_stg.rm_vg_storage(group, vdisks=[d for d in group.virtual_disks
                                             if d.name == "b_there"])
        _unmake(site, "b_there")
