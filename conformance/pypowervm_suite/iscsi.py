"""iSCSI: initiators, discovery and removal of volumes, and its return codes; RADOS disks."""

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import hdisk
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect

GIGABYTES = 2


def check(site):
    """With volumes of its own, on the first server."""
    vios = site.vioses[0]
    if not site.novalink:
        _none(site, vios)
        return
    with site.check("each server tells its initiator's name"):
        names = {hdisk.discover_iscsi_initiator(site.adapter, each.uuid) for each in site.vioses}
        expect.equal(len(names), len(site.vioses), "different names")
        for name in names:
            expect.matches(name, r"iqn\.\d{4}-\d{2}\.[-.:a-z0-9]+", "a name")
        site.keep("initiators", sorted(names))
    _plain(site, vios)
    _chap(site, vios)
    _wrong(site, vios)
    _rados(site, vios)


def _none(site, vios):
    for name in ("ISCSIDiscovery", "ISCSIRemove", "RBDExists"):
        with site.check("an HMC's server has no job %s, and says so" % name):
            error = expect.refused(
                pvm_ex.HttpError,
                lambda n=name: site.adapter.read("VirtualIOServer", vios.uuid, suffix_type="do",
                                                 suffix_parm=n), "its template")
            expect.true("REST0006" in str(error), "it says REST0006: %s" % error)


def _volume(site, vios, name, chap=False):
    volume = site.simulator.order("POST", "/volumes", {
        "name": name, "gigabytes": GIGABYTES, "protocol": "iscsi"})
    initiator = hdisk.discover_iscsi_initiator(site.adapter, vios.uuid)
    info = site.simulator.order("POST", "/volumes/%s/map" % volume["id"], {
        "connector": {"host": "conformance", "initiator": initiator}, "chap": chap})
    return volume, info["connection_info"]["data"]


def _unmake(site, volume):
    site.simulator.order("POST", "/volumes/%s/unmap" % volume["id"], {})
    site.simulator.order("DELETE", "/volumes/%s" % volume["id"])


def _disks(site, vios):
    now = pvm_vios.VIOS.get(site.adapter, uuid=vios.uuid, xag=[const.XAG.VIO_STOR])
    return {disk.name: disk for disk in now.phys_vols}


def _discover(site, vios, data, user=None, password=None, **more):
    return hdisk.discover_iscsi(
        site.adapter, data["target_portal"], user, password, data["target_iqn"], vios.uuid,
        lunid=data["target_lun"], iface_name="default", **more)


def _remove(site, vios, data):
    hdisk.remove_iscsi(site.adapter, data["target_iqn"], vios.uuid, iface_name="default",
                       lun=data["target_lun"], portal=data["target_portal"])


def _plain(site, vios):
    with site.check("iSCSI: a volume is discovered, and found again"):
        volume, data = _volume(site, vios, "conformance-iscsi")
        before = _disks(site, vios)
        name, udid = _discover(site, vios, data)
        disk = _disks(site, vios).get(name)
        expect.true(disk is not None and name not in before, "%s is new" % name)
        expect.equal((disk.udid, disk.capacity), (udid, GIGABYTES * 1024), "UDID and size")
        expect.equal(_discover(site, vios, data), (name, udid), "what is found again")
    with site.check("iSCSI: over several portals it is one disk"):
        portals = [data["target_portal"], data["target_portal"].replace(".40:", ".41:")]
        name_again, _ = hdisk.discover_iscsi(
            site.adapter, portals, None, None, [data["target_iqn"]] * 2, vios.uuid,
            lunid=[data["target_lun"]] * 2, iface_name="default", multipath=True)
        expect.equal(name_again, name, "the disk")
    with site.check("iSCSI: a volume is removed, and once more does no harm"):
        _remove(site, vios, data)
        expect.true(name not in _disks(site, vios), "its disk is gone")
        _remove(site, vios, data)
        _unmake(site, volume)


def _chap(site, vios):
    with site.check("iSCSI: a volume behind CHAP wants user and password"):
        volume, data = _volume(site, vios, "conformance-chap", chap=True)
        expect.refused(pvm_ex.ISCSIDiscoveryFailed,
                       lambda: _discover(site, vios, data, user="nobody", password="wrong",
                                         auth="CHAP"), "a wrong password")
        name, _ = _discover(site, vios, data, user=data["auth_username"],
                            password=data["auth_password"], auth=data["auth_method"])
        expect.true(name in _disks(site, vios), "its disk is there")
        _remove(site, vios, data)
        expect.true(name not in _disks(site, vios), "its disk is gone")
        _unmake(site, volume)


def _wrong(site, vios):
    with site.check("iSCSI: an unknown target, portal or LUN is not found"):
        volume, data = _volume(site, vios, "conformance-wrong")
        for change in ({"target_iqn": "iqn.2001-01.com.example:nobody"},
                       {"target_portal": "192.0.2.99:3260"}, {"target_lun": 77}):
            expect.refused(pvm_ex.ISCSIDiscoveryFailed,
                           lambda c=change: _discover(site, vios, {**data, **c}), str(change))
        _unmake(site, volume)


def _rados(site, vios):
    with site.check("a RADOS image exists after it was made, and not before"):
        expect.true(not hdisk.rbd_exists(site.adapter, vios.uuid, "rbd/conformance"), "before")
        volume = site.simulator.order("POST", "/volumes", {
            "name": "conformance-rbd", "gigabytes": 1, "protocol": "rbd",
            "path": "rbd/conformance"})
        expect.true(hdisk.rbd_exists(site.adapter, vios.uuid, "rbd/conformance"), "after")
        site.simulator.order("DELETE", "/volumes/%s" % volume["id"])
        expect.true(not hdisk.rbd_exists(site.adapter, vios.uuid, "rbd/conformance"), "again")
