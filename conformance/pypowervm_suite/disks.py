"""Virtual disks in a volume group, and optical media in the repository."""

import hashlib
import io

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import storage as tsk_stg
from pypowervm.wrappers import storage as pvm_stg

from pypowervm_suite import broker
from pypowervm_suite import content
from pypowervm_suite import expect

MEDIA = "cfg_conformance.iso"


def check(site):
    """Makes site.disk on site.data_vg and the medium MEDIA on site.media_vg."""
    vios, group = site.data_vg
    with site.check("creates a virtual disk and uploads into it"):
        data = content.pattern(2 * 1024 * 1024)
        disk, left = tsk_stg.upload_new_vdisk(
            site.adapter, vios.uuid, group.uuid, io.BytesIO(data), "b_conformance", len(data),
            d_size=3 * 1024 ** 3, sha_chksum=hashlib.sha256(data).hexdigest(),
            file_format=pvm_stg.FileFormatType.RAW)
        site.keep("disk", disk)
        expect.equal(left, None, "the file that could not be removed")
        expect.equal(disk.name, "b_conformance", "its name")
        expect.equal(disk.capacity, 3.0, "its capacity (GB)")
        expect.matches(disk.udid, r"03%s\.\d+" % group.serial_id, "its UDID")
        expect.equal(broker.files(site), [], "the files after the upload")
        content.arrived(site, disk.udid, data)
    with site.check("the volume group has less room by the disk"):
        now = group.refresh()
        expect.equal(now.capacity, group.capacity, "its capacity")
        expect.within(group.available_size - now.available_size, 2.99, 3.3, "the room taken (GB)")
        site.keep("data_vg_now", now)
    with site.check("refuses a second disk of the same name"):
        expect.refused(
            pvm_ex.HttpError,
            lambda: tsk_stg.crt_vdisk(site.adapter, vios.uuid, group.uuid, "b_conformance", 1),
            "the name for the second time")
    with site.check("refuses a disk that is larger than the room"):
        expect.refused(
            pvm_ex.HttpError,
            lambda: tsk_stg.crt_vdisk(site.adapter, vios.uuid, group.uuid, "b_too_large",
                                      group.capacity + 100),
            "a disk of %d GB" % (group.capacity + 100))
    with site.check("grows a virtual disk"):
        now = pvm_stg.VG.get(site.adapter, uuid=group.uuid, parent=vios)
        disk = expect.single([d for d in now.virtual_disks if d.name == "b_conformance"], "disks")
        disk.capacity = 4
        disk = expect.single([d for d in now.update().virtual_disks
                              if d.name == "b_conformance"], "disks")
        expect.equal(disk.capacity, 4.0, "its capacity")
        expect.equal(disk.udid, site.disk.udid, "its UDID")
        site.keep("disk", disk)
    with site.check("uploads an ISO image into the media repository"):
        data = content.pattern(400 * 1024)
        medium, left = tsk_stg.upload_vopt(
            site.adapter, site.media_vios.uuid, io.BytesIO(data), MEDIA, f_size=len(data))
        site.keep("medium", medium)
        expect.equal(left, None, "the file that could not be removed")
        medium = _media(site).get(MEDIA)
        expect.true(medium is not None, "%s is in the repository" % MEDIA)
        expect.matches(medium.udid, "0e" + MEDIA, "its UDID")
        expect.within(medium.size, 0.0001, 0.01, "its size (GB)")
        expect.one_of(medium.mount_type, ("rw", "ro"), "its mount type")
        content.arrived(site, medium.udid, data)


def _media(site):
    """The media of the repository by name."""
    group = site.media_vg.refresh()
    return {m.name: m for r in group.vmedia_repos for m in r.optical_media}


def remove(site):
    """Deletes the disk and the medium, given as the mappings had them."""
    vios, group = site.data_vg
    with site.check("deletes the virtual disk"):
        group = pvm_stg.VG.get(site.adapter, uuid=group.uuid, parent=vios)
        group = tsk_stg.rm_vg_storage(group, vdisks=[site.disk])
        expect.true("b_conformance" not in [d.name for d in group.virtual_disks], "it is gone")
        expect.equal(group.available_size, site.data_vg[1].available_size, "the room (GB)")
    with site.check("deletes the medium as its mapping showed it"):
        group = pvm_stg.VG.get(site.adapter, uuid=site.media_vg.uuid, parent=site.media_vios)
        tsk_stg.rm_vg_storage(group, vopts=site.unmapped_media)
        expect.true(MEDIA not in _media(site), "it is gone")
