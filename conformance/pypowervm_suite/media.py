"""Optical media: repositories made and found, media changed in a drive, drives emptied."""

import io

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm import util as pvm_util
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.tasks import storage as tsk_stg
from pypowervm.tasks import vopt as tsk_vopt
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import content
from pypowervm_suite import expect
from pypowervm_suite import partition


def check(site):
    """With a partition and media of its own."""
    vios = site.media_vios
    with site.check("uploads two media"):
        data = content.pattern(100 * 1024)
        media = [tsk_stg.upload_vopt(site.adapter, vios.uuid, io.BytesIO(data), name,
                                     f_size=len(data))[0] for name in ("one.iso", "two.iso")]
    with site.check("a name that is not fit for a medium is refused, made fit it is taken"):
        wished = "a name (with) blanks and more than 37 characters"
        expect.refused(
            pvm_ex.HttpError,
            lambda: tsk_stg.upload_vopt(site.adapter, vios.uuid, io.BytesIO(data), wished,
                                        f_size=len(data)), "the name as it is")
        name = pvm_util.sanitize_file_name_for_api(wished, suffix=".iso",
                                                   max_len=const.MaxLen.VOPT_NAME)
        odd, _ = tsk_stg.upload_vopt(site.adapter, vios.uuid, io.BytesIO(data), name,
                                     f_size=len(data))
        expect.within(len(odd.name), 1, const.MaxLen.VOPT_NAME, "the length of its name")
        expect.matches(odd.name, r"[.0-9A-Z_a-z]+", "its name")
        expect.true(odd.name in _names(site), "it is in the repository")
    with partition.temporary(site, "conformance-media") as made:
        _drive(site, vios, made, media)
    with site.check("removes the media"):
        group = pvm_stg.VG.get(site.adapter, uuid=site.media_vg.uuid, parent=vios)
        present = [m for m in group.vmedia_repos[0].optical_media
                   if m.name in ("one.iso", "two.iso", odd.name)]
        tsk_stg.rm_vg_storage(group, vopts=present)
        expect.equal([n for n in _names(site) if n in ("one.iso", "two.iso", odd.name)], [],
                     "what is left")
    _repository(site)


def _names(site):
    group = pvm_stg.VG.get(site.adapter, uuid=site.media_vg.uuid, parent=site.media_vios)
    return [medium.name for medium in group.vmedia_repos[0].optical_media]


def _mappings(site, vios, made):
    now = pvm_vios.VIOS.get(site.adapter, uuid=vios.uuid, xag=[const.XAG.VIO_SMAP])
    return now, tsk_map.find_maps(now.scsi_mappings, client_lpar_id=made.uuid)


def _drive(site, vios, made, media):
    one, two = media
    with site.check("maps a medium"):
        tsk_map.add_vscsi_mapping(None, vios.uuid, made.uuid, one)
        before = expect.single(_mappings(site, vios, made)[1], "mappings")
        expect.equal(before.backing_storage.name, "one.iso", "the medium")
    with site.check("changes the medium in the drive"):
        tsk_map.modify_vopt_mapping(site.adapter, vios.uuid, made.uuid, two,
                                    media_name="one.iso")
        after = expect.single(_mappings(site, vios, made)[1], "mappings")
        expect.equal(after.backing_storage.name, "two.iso", "the medium")
        expect.equal(after.server_adapter.udid, before.server_adapter.udid, "its server adapter")
        expect.equal(after.target_dev.name, before.target_dev.name, "its drive")
    with site.check("empties the drive, which stays"):
        now, _ = _mappings(site, vios, made)
        detached = tsk_map.detach_storage(now, made.uuid, match_func=tsk_map.gen_match_func(
            pvm_stg.VOptMedia, names=["two.iso"]))
        expect.equal([m.backing_storage.name for m in detached], ["two.iso"], "what came out")
        now.update()
        drive = expect.single(_mappings(site, vios, made)[1], "mappings")
        expect.equal(drive.backing_storage, None, "what is in the drive")
        expect.true("two.iso" in _names(site), "the medium is still in the repository")
    with site.check("removes the drive"):
        now, _ = _mappings(site, vios, made)
        tsk_map.remove_maps(now, made.uuid)
        now.update()
        expect.equal(_mappings(site, vios, made)[1], [], "the mappings")


def _repository(site):
    with site.check("a second repository on a server is refused, and the first one found"):
        vios, group = site.data_vg
        group = pvm_stg.VG.get(site.adapter, uuid=group.uuid, parent=vios)
        expect.equal(len(group.vmedia_repos), 0, "repositories of the data volume group")
        group.vmedia_repos = [pvm_stg.VMediaRepos.bld(site.adapter, "vopt", 1)]
        error = expect.refused(pvm_ex.HttpError, group.update, "a second repository")
        expect.true("repository" in str(error), "it tells why: %s" % error)
        found = tsk_vopt.validate_vopt_repo_exists(site.adapter)
        expect.equal(found, (site.media_vios.uuid, site.media_vg.uuid), "what is found")
