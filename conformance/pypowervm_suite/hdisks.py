"""Disks behind Fibre Channel: discovered by LUARecovery, mapped, removed; what goes wrong."""

import base64

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import hdisk
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect
from pypowervm_suite import partition

GIGABYTES = 3
LUA = hdisk.LUAStatus


def make(site, name, **attributes):
    """A volume of the storage, which the servers may use; gives it and how it is reached."""
    volume = site.simulator.order("POST", "/volumes",
                                  {"name": name, "gigabytes": GIGABYTES, **attributes})
    info = site.simulator.order("POST", "/volumes/%s/map" % volume["id"],
                                {"connector": _connector(site)})["connection_info"]
    return volume, info["data"]


def unmake(site, volume):
    """Takes it away from everybody and deletes it."""
    site.simulator.order("POST", "/volumes/%s/unmap" % volume["id"], {})
    site.simulator.order("DELETE", "/volumes/%s" % volume["id"])


def _connector(site):
    ports = [port.wwpn for vios in site.vioses for port in vios.pfc_ports]
    return {"host": "conformance", "wwpns": ports}


def _itls(vios, data):
    targets = data["target_wwn"]
    targets = [targets] if isinstance(targets, str) else targets
    return hdisk.build_itls([port.wwpn for port in vios.pfc_ports], targets, data["target_lun"])


def _disks(site, vios):
    now = pvm_vios.VIOS.get(site.adapter, uuid=vios.uuid, xag=[const.XAG.VIO_STOR])
    return {disk.name: disk for disk in now.phys_vols}


def check(site):
    """With a volume of its own."""
    with site.check("the storage makes a volume for the servers"):
        volume, data = make(site, "conformance-fc")
    _discover(site, data)
    _map(site)
    _remove(site, data)
    _wrong(site)
    with site.check("the storage takes the volume back"):
        unmake(site, volume)


def _discover(site, data):
    with site.check("a volume is discovered on both servers, with one UDID"):
        found = {}
        for vios in site.vioses:
            before = _disks(site, vios)
            status, name, udid = hdisk.discover_hdisk(site.adapter, vios.uuid, _itls(vios, data))
            expect.equal(status, LUA.DEVICE_AVAILABLE, "the status")
            expect.true(hdisk.good_discovery(status, name), "it is a good discovery")
            disk = _disks(site, vios).get(name)
            expect.true(disk is not None and name not in before, "%s is new" % name)
            expect.equal((disk.udid, disk.capacity), (udid, GIGABYTES * 1024), "UDID and size")
            expect.true(disk.avail_for_use and disk.is_fc_backed, "it is free, behind FC")
            found[vios.uuid] = (name, udid)
        expect.equal(len({udid for _, udid in found.values()}), 1, "the UDIDs")
        site.keep("fc_disks", found)
    with site.check("what is known is found again"):
        vios = site.vioses[0]
        status, name, udid = hdisk.discover_hdisk(site.adapter, vios.uuid, _itls(vios, data),
                                                  vendor=hdisk.LUAType.IBM)
        expect.one_of(status, (LUA.DEVICE_AVAILABLE, LUA.DEVICE_IN_USE), "the status")
        expect.equal((name, udid), site.fc_disks[vios.uuid], "name and UDID")
    with site.check("a disk's page 83 descriptor names the volume, by inventory too"):
        naa = base64.b64decode(hdisk.get_pg83_via_job(site.adapter, vios.uuid, udid)).decode()
        expect.matches(naa, r"[0-9A-Fa-f]{32}", "the descriptor")
        expect.equal(_disks(site, vios)[name].pg83.lower(), naa.lower(), "that of the disk")
        expect.equal(hdisk.get_pg83_via_job(site.adapter, vios.uuid, "01Mnosuchdisk"), None,
                     "that of an unknown disk")


def _map(site):
    with site.check("the disk is mapped through both servers, and in use"):
        with partition.temporary(site, "conformance-hdisk") as made:
            for vios in site.vioses:
                name, udid = site.fc_disks[vios.uuid]
                tsk_map.add_vscsi_mapping(None, vios.uuid, made.uuid,
                                          pvm_stg.PV.bld(site.adapter, name, udid=udid))
                disk = _disks(site, vios)[name]
                expect.true(not disk.avail_for_use, "it is in use on " + vios.name)
            for vios in site.vioses:
                name, udid = site.fc_disks[vios.uuid]
                now = pvm_vios.VIOS.get(site.adapter, uuid=vios.uuid, xag=[const.XAG.VIO_SMAP])
                mapping = expect.single(
                    tsk_map.find_maps(now.scsi_mappings, client_lpar_id=made.uuid), "mappings")
                expect.kind(mapping.backing_storage, pvm_stg.PV, "what is mapped")
                expect.equal(mapping.backing_storage.udid, udid, "its UDID")
                expect.kind(mapping.target_dev, pvm_stg.PVTargetDev, "its target device")
                _, gone = tsk_map.remove_pv_mapping(site.adapter, vios.uuid, made.uuid, name)
                expect.equal([disk.name for disk in gone], [name], "what is unmapped")
                expect.true(_disks(site, vios)[name].avail_for_use, "it is free again")


def _remove(site, data):
    for vios in site.vioses:
        with site.check("the disk is removed from %s" % vios.name):
            name, _ = site.fc_disks[vios.uuid]
            try:
                hdisk.remove_hdisk(site.adapter, site.system.system_name, name, vios.uuid)
            except TypeError:
                # The client's own mistake behind an HMC, after the command was run.
                expect.true(not site.novalink, "the client is behind an HMC")
            expect.true(name not in _disks(site, vios), "it is gone")
    with site.check("a removed disk comes back by discovery, and goes again"):
        vios = site.vioses[0]
        _, name, _ = hdisk.discover_hdisk(site.adapter, vios.uuid, _itls(vios, data))
        expect.true(name in _disks(site, vios), "it is back")
        try:
            hdisk.remove_hdisk(site.adapter, site.system.system_name, name, vios.uuid)
        except TypeError:
            expect.true(not site.novalink, "the client is behind an HMC")
        expect.true(name not in _disks(site, vios), "it is gone")
    if site.novalink:
        with site.check("removing a disk that is not there, or in use, fails"):
            used = [d for d in _disks(site, vios).values() if not d.avail_for_use][0].name
            for name in ("hdisk999", used):
                expect.refused(
                    pvm_ex.JobRequestFailed,
                    lambda n=name: hdisk.remove_hdisk(
                        site.adapter, site.system.system_name, n, vios.uuid), name)


def _wrong(site):
    vios = site.vioses[0]
    with site.check("a LUN that nobody made is not found"):
        itls = hdisk.build_itls([port.wwpn for port in vios.pfc_ports], ["500507680282861D"], 250)
        status, name, _ = hdisk.discover_hdisk(site.adapter, vios.uuid, itls)
        expect.true(not hdisk.good_discovery(status, name), "status %s, disk %s" % (status, name))
    with site.check("a target that is not there, and another server's port, find nothing"):
        for initiators, targets in (
                ([vios.pfc_ports[0].wwpn], ["5005076802FFFFFF"]),
                ([site.vioses[1].pfc_ports[0].wwpn], ["500507680282861D"])):
            status, name, _ = hdisk.lua_recovery(
                site.adapter, vios.uuid, hdisk.build_itls(initiators, targets, 1))
            expect.true(not hdisk.good_discovery(status, name),
                        "status %s, disk %s" % (status, name))
    with site.check("a volume that does not tell who it is is found with an unknown UDID"):
        volume, data = make(site, "conformance-shy", identified=False)
        status, name, _ = hdisk.lua_recovery(site.adapter, vios.uuid, _itls(vios, data))
        expect.equal(status, LUA.FOUND_DEVICE_UNKNOWN_UDID, "the status")
        unmake(site, volume)
