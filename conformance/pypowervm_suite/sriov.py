"""SR-IOV: adapters and their ports, labels, logical ports of partitions and servers."""

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import sriov as tsk_sriov
from pypowervm.wrappers import iocard
from pypowervm.wrappers import managed_system as pvm_ms

from pypowervm_suite import expect
from pypowervm_suite import partition

LABEL = "conformance"


def ports(site, link=True):
    """The physical ports of the first shared adapter, as they are now."""
    system = pvm_ms.System.get(site.adapter, uuid=site.system.uuid)
    adapter = [a for a in system.asio_config.sriov_adapters
               if a.mode == iocard.SRIOVAdapterMode.SRIOV][0]
    return [port for port in adapter.phys_ports if port.link_status or not link]


def address(site, mac):
    """The MAC address as the server writes it: an HMC in lower case, recorded so."""
    return mac if site.novalink else mac.lower()


def check(site):
    """Labels that it takes back, ports of a partition of its own."""
    _adapters(site)
    _labels(site)
    with partition.temporary(site, "conformance-sriov") as made:
        _logical(site, made)
        _refused(site, made)
    _server(site)


def _adapters(site):
    with site.check("reads SR-IOV adapters and their ports"):
        adapters = site.system.asio_config.sriov_adapters
        for adapter in expect.some(adapters, "SR-IOV adapter"):
            expect.equal(adapter.state, iocard.SRIOVAdapterState.RUNNING, "its state")
            expect.equal(adapter.personality is not None, True, "it has a personality")
            expect.equal(len(adapter.phys_ports),
                         len({port.loc_code for port in adapter.phys_ports}), "its ports' places")
            for port in adapter.phys_ports:
                expect.equal(port.sriov_adap_id, adapter.sriov_adap_id, "the port's adapter")
                expect.within(port.allocated_capacity, 0, 1, "the capacity in use")
                expect.within(port.cfg_lps, 0, port.cfg_max_lps, "the logical ports")
                expect.within(port.min_granularity, 0.005, 0.1, "the steps of capacity")
                found = tsk_sriov.find_pport(site.system, port.loc_code)
                expect.equal(found.port_id, port.port_id, "the port found by its place")
        expect.equal(tsk_sriov.find_pport(site.system, "U78CB.001.NOSUCH-P1-C1-T1"), None,
                     "a port that is not there")


def _labels(site):
    with site.check("a port gets a label, and is found by it"):
        place = ports(site)[0].loc_code

        def label(text):
            def change(system):
                port = tsk_sriov.find_pport(system, place)
                port.label = text
                port.sublabel = None if text is None else "sub"
                return True
            return change

        system = pvm_ms.System.get(site.adapter, uuid=site.system.uuid)
        tsk_sriov.safe_update_pports(system, label(LABEL))
        found = tsk_sriov.find_pports_for_portlabel(LABEL, site.adapter)
        expect.equal([port.loc_code for port in found], [place], "the ports of that label")
        expect.equal(found[0].sublabel, "sub", "the second label")
    with site.check("a label of a port that a vNIC uses is changed by force alone"):
        with partition.temporary(site, "conformance-label") as made:
            port = ports(site)[0]
            vnic = iocard.VNIC.bld(site.adapter, back_devs=[iocard.VNICBackDev.bld(
                site.adapter, site.vioses[0].uuid, port.sriov_adap_id, port.port_id)])
            vnic = vnic.create(parent=made)
            system = pvm_ms.System.get(site.adapter, uuid=site.system.uuid)
            expect.refused(pvm_ex.CantUpdatePPortsInUse,
                           lambda: tsk_sriov.safe_update_pports(system, label("other")),
                           "a label in use")
            system = pvm_ms.System.get(site.adapter, uuid=site.system.uuid)
            tsk_sriov.safe_update_pports(system, label("other"), force=True)
            expect.equal(ports(site)[0].label, "other", "the label by force")
            vnic.delete()
    with site.check("the label is taken back"):
        system = pvm_ms.System.get(site.adapter, uuid=site.system.uuid)
        tsk_sriov.safe_update_pports(system, label(""))
        expect.one_of(ports(site)[0].label, (None, ""), "the label")


def _logical(site, made):
    with site.check("a logical port is made, with what was asked for"):
        port = ports(site)[0]
        built = iocard.SRIOVEthLPort.bld(
            site.adapter, port.sriov_adap_id, port.port_id, pvid=5, mac="FA163E0000CC",
            allowed_vlans=[6, 7], allowed_macs=["FA163E0000CD"], cfg_capacity=0.1)
        logical = built.create(parent=made)
        expect.equal((logical.pvid, logical.mac), (5, address(site, "FA163E0000CC")),
                     "VLAN and MAC address")
        expect.equal(logical.allowed_vlans, [6, 7], "its VLANs")
        expect.equal([mac.upper() for mac in logical.allowed_macs], ["FA163E0000CD"],
                     "its MAC addresses")
        expect.equal(logical.cfg_capacity, 0.1, "its capacity")
        expect.equal(logical.sriov_adap_id, port.sriov_adap_id, "its adapter")
        expect.true(logical.loc_code.startswith(port.loc_code + "-S"), "it is at its port")
        expect.equal(logical.vnic_port_usage, iocard.VNICPortUsage.NOT_VNIC, "its use")
        now = ports(site)[0]
        expect.equal(now.cfg_lps - port.cfg_lps, 1, "the port's logical ports")
        expect.within(now.allocated_capacity - port.allocated_capacity, 0.0999, 0.1001,
                      "the port's capacity in use")
        site.keep("logical", logical)
    with site.check("a logical port is found in its partition's feed, and changed"):
        logical = expect.single(iocard.SRIOVEthLPort.get(site.adapter, parent=made),
                                "logical ports")
        expect.equal(logical.uuid, site.logical.uuid, "its UUID")
        logical.pvid = 8
        logical.allowed_vlans = "ALL"
        changed = logical.update()
        expect.equal((changed.pvid, changed.allowed_vlans), (8, "ALL"), "VLAN and VLANs")


def _refused(site, made):
    port = ports(site)[0]
    for name, attributes in (
            ("more capacity than the port has left", {"cfg_capacity": 0.95}),
            ("a capacity of no whole step", {"cfg_capacity": 0.013}),
            ("a VLAN that there is not", {"pvid": 4095}),
            ("a MAC address in use", {"mac": "FA163E0000CC"})):
        with site.check("a logical port is refused: " + name):
            before = ports(site)[0].cfg_lps
            expect.refused(
                (pvm_ex.HttpError, ValueError),
                lambda a=attributes: iocard.SRIOVEthLPort.bld(
                    site.adapter, port.sriov_adap_id, port.port_id, **a).create(parent=made),
                name)
            expect.equal(ports(site)[0].cfg_lps, before, "the port's logical ports")
    with site.check("a logical port goes, and its capacity is free"):
        iocard.SRIOVEthLPort.get(site.adapter, parent=made)[0].delete()
        now = ports(site)[0]
        expect.equal((now.cfg_lps, now.allocated_capacity), (0, 0.0), "what is in use")


def _server(site):
    with site.check("one logical port of a physical one may be promiscuous, for a server"):
        port = ports(site)[0]

        def promiscuous(parent):
            return iocard.SRIOVEthLPort.bld(
                site.adapter, port.sriov_adap_id, port.port_id,
                is_promisc=True).create(parent=parent)

        first = promiscuous(site.vioses[0])
        expect.true(first.is_promisc, "the first one is")
        expect.refused(pvm_ex.HttpError, lambda: promiscuous(site.vioses[1]), "a second one")
        first.delete()
