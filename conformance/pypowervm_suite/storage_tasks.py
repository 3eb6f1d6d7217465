"""Storage tasks: volume groups found and extended, disks copied and rescanned, pool storage."""

import hashlib
import io

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import client_storage as tsk_clstor
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.tasks import storage as tsk_stg
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import broker
from pypowervm_suite import content
from pypowervm_suite import expect
from pypowervm_suite import partition
from pypowervm_suite.report import Unmet

MIB = 1024 * 1024


def check(site):
    """Storage of its own."""
    _groups(site)
    _disks(site)
    _pool(site)
    _clients(site)


def check_group(site):
    """At the very end: a volume group, which the API does not delete."""
    _group(site)


def _groups(site):
    with site.check("an unknown volume group, or one on an unknown server, is not found"):
        expect.refused(pvm_ex.VGNotFound, lambda: tsk_stg.find_vg(site.adapter, "nosuchvg"),
                       "a volume group that is not there")
        expect.refused(pvm_ex.VIOSNotFound,
                       lambda: tsk_stg.find_vg(site.adapter, "rootvg", vios_name="nobody"),
                       "a server that is not there")


def _group(site):
    with site.check("creates a volume group of a free disk, and it shows everywhere"):
        vios, disk = _free_disk(site)
        group = pvm_stg.VG.bld(site.adapter, "conformvg", [
            pvm_stg.PV.bld(site.adapter, disk.name)]).create(parent=vios)
        expect.equal(group.name, "conformvg", "its name")
        expect.equal([pv.name for pv in group.phys_vols], [disk.name], "its disks")
        expect.within(group.capacity, disk.capacity / 1024 * 0.98, disk.capacity / 1024,
                      "its capacity (GB)")
        expect.equal(group.available_size, group.capacity, "its free size")
        found_vios, found = tsk_stg.find_vg(site.adapter, "conformvg", vios_name=vios.name)
        expect.equal((found_vios.uuid, found.uuid), (vios.uuid, group.uuid), "what is found")
        now = pvm_vios.VIOS.get(site.adapter, uuid=vios.uuid, xag=[const.XAG.VIO_STOR])
        used = expect.single([pv for pv in now.phys_vols if pv.name == disk.name], "disks")
        expect.true(not used.avail_for_use, "the disk is in use")
        site.keep("own_vg", group)
    with site.check("refuses a volume group of a disk in use, and a name in use"):
        for name, disks in (("othervg", [disk.name]), ("conformvg", ["hdisk99"])):
            expect.refused(
                pvm_ex.HttpError,
                lambda n=name, d=disks: pvm_stg.VG.bld(site.adapter, n, [
                    pvm_stg.PV.bld(site.adapter, each) for each in d]).create(parent=vios), name)
    with site.check("extends the volume group by another disk"):
        _, other = _free_disk(site, vios)
        group = site.own_vg.refresh()
        group.phys_vols.append(pvm_stg.PV.bld(site.adapter, other.name))
        larger = group.update()
        expect.equal({pv.name for pv in larger.phys_vols}, {disk.name, other.name}, "its disks")
        expect.within(larger.capacity, 1.9 * group.capacity, 2.1 * group.capacity, "its capacity")
    with site.check("the volume group is not deleted by a DELETE"):
        error = expect.refused(pvm_ex.HttpError, site.own_vg.refresh().delete, "the DELETE")
        expect.equal(error.response.status, 405, "the status")


def _free_disk(site, on=None):
    """A Virtual I/O Server (this one, if given) and a disk of it that nothing uses."""
    for vios in pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_STOR]):
        for disk in vios.phys_vols:
            if disk.avail_for_use and (on is None or vios.uuid == on.uuid):
                return vios, disk
    raise Unmet("no disk is free")


def _disks(site):
    vios, group = site.data_vg
    with site.check("copies a virtual disk"):
        data = content.pattern(MIB)
        source, _ = tsk_stg.upload_new_vdisk(
            site.adapter, vios.uuid, group.uuid, io.BytesIO(data), "b_source", len(data),
            sha_chksum=hashlib.sha256(data).hexdigest())
        copy = tsk_stg.crt_copy_vdisk(site.adapter, vios.uuid, group.uuid, source.udid,
                                      len(data), "b_copy", d_size=2 * 1024 ** 3)
        expect.equal(copy.name, "b_copy", "its name")
        expect.equal(copy.capacity, 2.0, "its capacity")
        expect.true(copy.udid != source.udid, "its UDID is its own")
        content.arrived(site, copy.udid, data)
    with site.check("uploads from a stream builder and by a function that writes"):
        data = content.pattern(300 * 1024)
        made = []
        for name, handle, kind in (
                ("b_builder", lambda: io.BytesIO(data), tsk_stg.UploadType.IO_STREAM_BUILDER),
                ("b_function", lambda path: _write(path, data), tsk_stg.UploadType.FUNC)):
            disk, left = tsk_stg.upload_new_vdisk(
                site.adapter, vios.uuid, group.uuid, handle, name, len(data), upload_type=kind)
            expect.equal(left, None, "the file that could not be removed")
            content.arrived(site, disk.udid, data)
            made.append(disk)
        expect.equal(broker.files(site), [], "the files")
    with site.check("an upload that breaks off leaves no disk"):
        with site.simulator.fault(verb="PUT", path="*/File/contents/*",
                                  fault={"answer": {"status": 500, "message": "Disk full."}}):
            expect.refused(pvm_ex.HttpError, lambda: tsk_stg.upload_new_vdisk(
                site.adapter, vios.uuid, group.uuid, io.BytesIO(b"x" * 512), "b_broken", 512),
                "the upload")
        now = pvm_stg.VG.get(site.adapter, uuid=group.uuid, parent=vios)
        expect.true("b_broken" not in [d.name for d in now.virtual_disks], "it is gone")
        expect.equal(broker.files(site), [], "the files")
    if site.novalink:
        _rescan(site, vios, copy)
    with site.check("removes several disks by their UDIDs at once"):
        now = pvm_stg.VG.get(site.adapter, uuid=group.uuid, parent=vios)
        now = tsk_stg.rm_vg_storage(now, vdisks=[source, copy, *made])
        expect.equal([d.name for d in now.virtual_disks], [], "what is left")
        again = tsk_stg.rm_vg_storage(now, vdisks=[source])
        expect.equal(again.etag, now.etag, "the etag after removing what is gone")


def _rescan(site, vios, copy):
    with site.check("rescans a virtual disk, and says that another one is not there"):
        tsk_stg.rescan_vstor(vios, copy)
        expect.refused(pvm_ex.VstorNotFound,
                       lambda: tsk_stg.rescan_vstor(vios.uuid, "0300nosuchdisk.1",
                                                    adapter=site.adapter), "another UDID")


def _write(path, data):
    with open(path, "wb") as pipe:
        pipe.write(data)


def _pool(site):
    with site.check("a unit is created in the pool's default tier, thick and thin"):
        pool, thick = tsk_stg.crt_lu(site.pool.refresh(), "tasks_thick", 2, thin=False)
        expect.true(not thick.is_thin, "the one is thick")
        expect.true("tasks_thick" in [u.name for u in pool.logical_units], "the pool lists it")
        _, thin = tsk_stg.crt_lu(site.tier, "tasks_thin", 3, thin=True)
        expect.true(thin.is_thin, "the other one is thin")
        before = site.pool.refresh().free_space
    with site.check("deleting a thick unit gives its room back"):
        thick.delete()
        expect.within(site.pool.refresh().free_space - before, 1.9, 2.1, "the room (GB)")
    with site.check("a new unit is made and filled in one go"):
        data = content.pattern(MIB)
        unit, left = tsk_stg.upload_new_lu(
            site.vioses[0].uuid, site.pool.refresh(), io.BytesIO(data), "tasks_new", len(data),
            d_size=2 * 1024 ** 3)
        expect.equal(left, None, "the file that could not be removed")
        expect.equal(unit.lu_type, pvm_stg.LUType.IMAGE, "its type")
        content.arrived(site, unit.udid, data)
    with site.check("an image stays while a clone needs it, unless told otherwise"):
        _, clone = tsk_stg.crt_lu(site.tier, "tasks_clone", 2, clone=unit)
        expect.refused(pvm_ex.HttpError, unit.refresh().delete, "deleting the image")
        _, second = tsk_stg.crt_lu(site.tier, "tasks_clone_2", 2, clone=unit)
        tsk_stg.rm_tier_storage([clone], tier=site.tier)
        expect.true("tasks_new" in _names(site), "the image is there after the first clone")
        tsk_stg.rm_tier_storage([second], tier=site.tier, del_unused_images=False)
        expect.true("tasks_new" in _names(site), "the image is there after the last clone")
    with site.check("units are removed through the pool"):
        pool = tsk_stg.rm_ssp_storage(site.pool.refresh(), [unit, thin])
        left = [u.name for u in pool.logical_units if u.name.startswith("tasks_")]
        expect.equal(left, [], "what is left")
        expect.equal([n for n in _names(site) if n.startswith("tasks_")], [], "the tier's feed")
    with site.check("a unit that is larger than the pool may promise is refused"):
        expect.refused(pvm_ex.HttpError,
                       lambda: tsk_stg.crt_lu(site.tier, "tasks_huge", 1 << 20, thin=False),
                       "a thick unit of 1 PB")


def _names(site):
    return [unit.name for unit in pvm_stg.LUEnt.get(site.adapter, parent=site.tier)]


def _clients(site):
    with site.check("client_storage finds a unit's mapping by partition and UDID"):
        _, unit = tsk_stg.crt_lu(site.tier, "tasks_mapped", 1)
        with partition.temporary(site, "conformance-storage") as made:
            vios = tsk_map.add_vscsi_mapping(
                None, site.vioses[0].uuid, made.uuid,
                pvm_stg.LU.bld_ref(site.adapter, unit.name, unit.udid))
            found = tsk_clstor.udid_to_scsi_mapping(vios, unit.udid, made.id)
            expect.equal(found.backing_storage.udid, unit.udid, "what is found")
            expect.equal(tsk_clstor.udid_to_scsi_mapping(vios, unit.udid, made.id + 1000), None,
                         "what another partition has")
            expect.equal(tsk_clstor.udid_to_scsi_mapping(vios, "27" + "0" * 64, made.id), None,
                         "what it has of another UDID")
            tsk_map.remove_lu_mapping(site.adapter, site.vioses[0].uuid, made.uuid)
        unit.refresh().delete()
