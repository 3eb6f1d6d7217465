"""Logical units of the shared storage pool: created, filled, cloned, deleted."""

import hashlib
import io

from pypowervm import exceptions as pvm_ex
from pypowervm import util as pvm_util
from pypowervm.tasks import cluster_ssp as tsk_cs
from pypowervm.tasks import storage as tsk_stg
from pypowervm.wrappers import storage as pvm_stg

from pypowervm_suite import broker
from pypowervm_suite import content
from pypowervm_suite import expect

IMAGE_BYTES = 5 * 1024 * 1024 + 512


def check(site):
    """Makes site.image, site.boot and site.blank."""
    with site.check("creates a logical unit"):
        _, unit = tsk_stg.crt_lu(site.tier, "conformance_blank", 1.5)
        expect.equal(unit.name, "conformance_blank", "its name")
        expect.equal(unit.capacity, 1.5, "its capacity (GB)")
        expect.equal(unit.lu_type, pvm_stg.LUType.DISK, "its type")
        expect.matches(unit.udid, r"27[0-9a-f]{64}", "its UDID")
        expect.true(unit.is_thin, "it is thin")
        expect.true(not unit.in_use, "it is not in use")
        site.keep("blank", unit)
    with site.check("creates an image unit and uploads into it"):
        data = content.pattern(IMAGE_BYTES)
        size = pvm_util.convert_bytes_to_gb(IMAGE_BYTES, dp=2)
        _, image = tsk_stg.crt_lu(site.tier, "image_conformance", size,
                                  typ=pvm_stg.LUType.IMAGE)
        site.keep("image", image)
        expect.equal(image.lu_type, pvm_stg.LUType.IMAGE, "its type")
        expect.matches(image.udid, r"29[0-9a-f]{64}", "its UDID")
        left = tsk_stg.upload_lu(
            site.vioses[0].uuid, image, io.BytesIO(data), IMAGE_BYTES,
            sha_chksum=hashlib.sha256(data).hexdigest())
        expect.equal(left, None, "the file that could not be removed")
        expect.equal(broker.files(site), [], "the files after the upload")
        content.arrived(site, image.udid, data)
    with site.check("refuses an upload whose checksum is another's"):
        _, unit = tsk_stg.crt_lu(site.tier, "image_wrong", 0.1, typ=pvm_stg.LUType.IMAGE)
        try:
            expect.refused(
                pvm_ex.HttpError,
                lambda: tsk_stg.upload_lu(site.vioses[0].uuid, unit, io.BytesIO(b"x" * 512), 512,
                                          sha_chksum=hashlib.sha256(b"y").hexdigest()),
                "contents of another checksum")
            expect.equal(broker.files(site), [], "the files after the refused upload")
        finally:
            unit.delete()
    with site.check("clones the image unit"):
        _, boot = tsk_stg.crt_lu(site.tier, "boot_conformance", 2, thin=True,
                                 typ=pvm_stg.LUType.DISK, clone=site.image)
        site.keep("boot", boot)
        expect.equal(boot.cloned_from_udid, site.image.udid, "the UDID that it was cloned from")
        expect.equal(boot.capacity, 2.0, "its capacity (GB)")
        expect.equal(boot.lu_type, pvm_stg.LUType.DISK, "its type")
        expect.true(boot.udid[2:] != site.image.udid[2:], "its UDID is its own")
    with site.check("the pool lists the units"):
        pool = site.pool.refresh()
        names = {unit.name for unit in pool.logical_units}
        made = {"conformance_blank", "image_conformance", "boot_conformance"}
        expect.true(made <= names, "%s are in the pool, which has %s" % (made, names))
        feed = pvm_stg.LUEnt.get(site.adapter, parent=site.tier)
        expect.equal({unit.name for unit in feed}, names, "the tier's feed")
        expect.within(site.pool.capacity - pool.free_space, 0.001, pool.capacity, "the space used")
    with site.check("an image is uploaded once by the marker protocol"):
        data = content.pattern(4096)
        calls = []

        def opened():
            calls.append(1)
            return io.BytesIO(data)

        first = tsk_cs.get_or_upload_image_lu(site.tier, "image_marked", site.vioses[1].uuid,
                                              opened, len(data))
        second = tsk_cs.get_or_upload_image_lu(site.tier, "image_marked", site.vioses[0].uuid,
                                               opened, len(data))
        expect.equal(second.udid, first.udid, "the unit of the second call")
        expect.equal(len(calls), 1, "the uploads")
        names = [unit.name for unit in pvm_stg.LUEnt.get(site.adapter, parent=site.tier)
                 if "image_marked" in unit.name]
        expect.equal(names, ["image_marked"], "the units of that image")
        first.delete()


def check_mapped(site):
    """Units that are mapped."""
    with site.check("a mapped unit is in use and stays"):
        feed = pvm_stg.LUEnt.get(site.adapter, parent=site.tier)
        boot = expect.single([u for u in feed if u.udid == site.boot.udid], "boot units")
        expect.true(boot.in_use, "the boot unit is in use")
        expect.refused(pvm_ex.HttpError, boot.delete, "deleting a mapped unit")


def remove(site):
    """Deletes the units; the image goes with its last clone."""
    with site.check("deletes logical units, and the image with its last clone"):
        tsk_stg.rm_tier_storage([site.boot, site.blank], tier=site.tier)
        names = [unit.name for unit in pvm_stg.LUEnt.get(site.adapter, parent=site.tier)]
        for name in ("boot_conformance", "conformance_blank", "image_conformance"):
            expect.true(name not in names, "%s is gone" % name)
