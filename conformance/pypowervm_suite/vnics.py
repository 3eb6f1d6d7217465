"""Virtual NICs: backing devices spread, made, changed, failing over; lists of who has them."""

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import sriov as tsk_sriov
from pypowervm.wrappers import iocard

from pypowervm_suite import expect
from pypowervm_suite import partition
from pypowervm_suite import sriov


def check(site):
    """With a partition of its own."""
    with site.check("no vNIC is there before"):
        expect.equal([v for v in tsk_sriov.get_lpar_vnics(site.adapter).values() if v], [],
                     "partitions with vNICs")
    with partition.temporary(site, "conformance-vnic") as made:
        _create(site, made)
        _change(site, made)
        _refused(site, made)
        _delete(site, made)


def _places(site, link=True):
    return [port.loc_code for port in sriov.ports(site, link)]


def _create(site, made):
    with site.check("backing devices are spread over ports and servers"):
        vnic = iocard.VNIC.bld(site.adapter, pvid=11, mac_addr="FA163E0000DD",
                               allowed_vlans=[12, 13], slot_num=50)
        tsk_sriov.set_vnic_back_devs(vnic, _places(site), redundancy=2, capacity=0.04,
                                     check_port_status=True)
        expect.equal(len(vnic.back_devs), 2, "the backing devices")
        expect.equal(len({dev.vios_href for dev in vnic.back_devs}), 2, "their servers")
        expect.equal(len({dev.pport_id for dev in vnic.back_devs}), 2, "their ports")
    with site.check("a vNIC is made, each backing device with a logical port"):
        used = sum(port.cfg_lps for port in sriov.ports(site))
        vnic = vnic.create(parent=made)
        expect.equal((vnic.pvid, vnic.mac, vnic.slot),
                     (11, sriov.address(site, "FA163E0000DD"), 50), "VLAN, MAC address and slot")
        expect.equal(vnic.allowed_vlans, [12, 13], "its VLANs")
        expect.equal(vnic.lpar_id, made.id, "its partition")
        expect.equal(sum(port.cfg_lps for port in sriov.ports(site)) - used, 2, "logical ports")
        for device in vnic.back_devs:
            logical = iocard.SRIOVEthLPort.get_by_href(site.adapter, device.lport_href)
            expect.equal(logical.vnic_port_usage, iocard.VNICPortUsage.DEDICATED_VNIC, "its use")
            expect.equal(device.capacity, 0.04, "its capacity")
            expect.equal(logical.pport_id, device.pport_id, "its port")
        expect.equal([d.is_active for d in vnic.back_devs].count(True), 1, "active devices")
        site.keep("vnic", vnic)
    with site.check("a vNIC in a slot or with a MAC address of the server's choice"):
        other = iocard.VNIC.bld(site.adapter)
        tsk_sriov.set_vnic_back_devs(other, _places(site))
        other = other.create(parent=made)
        expect.matches(other.mac, sriov.address(site, "[0-9A-F]{12}"), "its MAC address")
        expect.true(other.slot not in (0, 1, 50), "its slot is %d" % other.slot)
        listed = tsk_sriov.get_lpar_vnics(site.adapter)
        vnics = expect.single([v for lpar, v in listed.items() if v], "partitions with vNICs")
        expect.equal({v.uuid for v in vnics}, {other.uuid, site.vnic.uuid}, "its vNICs")
        other.delete()


def _change(site, made):
    with site.check("a vNIC's VLANs are changed"):
        vnic = iocard.VNIC.get(site.adapter, uuid=site.vnic.uuid, parent=made)
        vnic.pvid = 14
        vnic.allowed_vlans = "NONE"
        changed = vnic.update()
        expect.equal((changed.pvid, changed.allowed_vlans), (14, "NONE"), "VLAN and VLANs")
    with site.check("a backing device is taken away, and another one added"):
        vnic = iocard.VNIC.get(site.adapter, uuid=site.vnic.uuid, parent=made)
        gone = vnic.back_devs[1]
        vnic.back_devs.remove(gone)
        vnic = vnic.update()
        expect.equal(len(vnic.back_devs), 1, "the backing devices that stay")
        expect.refused(pvm_ex.HttpNotFound, lambda: iocard.SRIOVEthLPort.get_by_href(
            site.adapter, gone.lport_href), "the logical port of the one that went")
        port = sriov.ports(site)[2]
        vnic.back_devs.append(iocard.VNICBackDev.bld(
            site.adapter, site.vioses[1].uuid, port.sriov_adap_id, port.port_id, capacity=0.02,
            failover_pri=20))
        vnic = vnic.update()
        expect.equal(len(vnic.back_devs), 2, "the backing devices")
        added = [d for d in vnic.back_devs if d.pport_id == port.port_id][0]
        expect.equal((added.capacity, added.failover_pri), (0.02, 20), "what was asked for")
        site.keep("vnic", vnic)


def _refused(site, made):
    with site.check("ports that are down count only if they may"):
        down = [p.loc_code for p in sriov.ports(site, link=False) if not p.link_status]
        vnic = iocard.VNIC.bld(site.adapter)
        expect.refused(pvm_ex.InsufficientSRIOVCapacity,
                       lambda: tsk_sriov.set_vnic_back_devs(vnic, down, check_port_status=True),
                       "ports that are down")
        tsk_sriov.set_vnic_back_devs(vnic, down, check_port_status=False)
        expect.equal(len(vnic.back_devs), 1, "the backing devices")
    with site.check("more redundancy than ports is refused by the client"):
        expect.refused(pvm_ex.InsufficientSRIOVCapacity, lambda: tsk_sriov.set_vnic_back_devs(
            vnic, _places(site)[:2], redundancy=3), "three devices on two ports")
    with site.check("a vNIC in a slot that is taken, or without a device, is refused"):
        for built in (iocard.VNIC.bld(site.adapter, slot_num=site.vnic.slot), iocard.VNIC.bld(
                site.adapter)):
            if built.slot:
                tsk_sriov.set_vnic_back_devs(built, _places(site))
            expect.refused(pvm_ex.HttpError, lambda b=built: b.create(parent=made), "the vNIC")
        expect.equal(len(iocard.VNIC.get(site.adapter, parent=made)), 1, "the vNICs")
    with site.check("a logical port of a vNIC is not deleted by itself"):
        logical = iocard.SRIOVEthLPort.get_by_href(
            site.adapter, site.vnic.back_devs[0].lport_href)
        expect.refused(pvm_ex.HttpError, logical.delete, "the logical port")


def _delete(site, made):
    with site.check("a vNIC goes with its logical ports"):
        iocard.VNIC.get(site.adapter, uuid=site.vnic.uuid, parent=made).delete()
        expect.equal(list(iocard.VNIC.get(site.adapter, parent=made)), [], "the vNICs")
        expect.equal([port.cfg_lps for port in sriov.ports(site)], [0] * len(_places(site)),
                     "the logical ports")
    with site.check("a partition takes its vNICs along when it goes"):
        with partition.temporary(site, "conformance-vnic-2") as other:
            vnic = iocard.VNIC.bld(site.adapter)
            tsk_sriov.set_vnic_back_devs(vnic, _places(site))
            vnic.create(parent=other)
        expect.equal([port.cfg_lps for port in sriov.ports(site)], [0] * len(_places(site)),
                     "the logical ports")
