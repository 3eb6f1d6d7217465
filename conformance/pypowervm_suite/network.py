"""Virtual switches, virtual networks and client network adapters."""

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import cna as tsk_cna
from pypowervm.wrappers import managed_system as pvm_ms
from pypowervm.wrappers import network as pvm_net

from pypowervm_suite import expect

MAC = r"[0-9A-F]{12}"


def check(site):
    """What is there from the start; keeps switch."""
    with site.check("reads the virtual switches"):
        switches = pvm_net.VSwitch.get(site.adapter, parent=site.system)
        for switch in expect.some(switches, "virtual switch"):
            expect.kind(switch.name, str, "the switch's name")
            expect.kind(switch.switch_id, int, "the id of " + switch.name)
            expect.one_of(switch.mode, ("Veb", "Vepa"), "the mode of " + switch.name)
            expect.kind(list(switch.vnet_uri_list), list, "the networks of " + switch.name)
        default = pvm_net.VSwitch.search(site.adapter, parent=site.system, name="ETHERNET0",
                                         one_result=True)
        expect.true(default is not None, "ETHERNET0 is there")
        expect.equal(default.switch_id, 0, "the id of ETHERNET0")
        site.keep("switch", default)
    with site.check("reads the virtual networks"):
        for network in pvm_net.VNet.get(site.adapter, parent=site.system):
            expect.kind(network.name, str, "the network's name")
            expect.within(network.vlan, 1, 4094, "the VLAN of " + network.name)
            expect.kind(network.tagged, bool, "whether tagged: " + network.name)
            switch = pvm_net.VSwitch.get_by_href(site.adapter, network.associated_switch_uri)
            expect.equal(switch.switch_id, network.vswitch_id, "the switch of " + network.name)
            expect.equal(network.associated_switch_uri, switch.related_href,
                         "the link to the switch of " + network.name)


def check_adapters(site):
    """Adapters of site.partition; keeps adapter_cna."""
    with site.check("creates a client network adapter"):
        before = pvm_net.CNA.get(site.adapter, parent=site.partition)
        expect.equal(len(before), 0, "adapters of a new partition")
        cna = tsk_cna.crt_cna(site.adapter, None, site.partition.uuid, 1501)
        expect.equal(cna.pvid, 1501, "its PVID")
        expect.matches(cna.mac, MAC, "its MAC address")
        expect.within(cna.slot, 2, site.partition.io_config.max_virtual_slots, "its slot")
        expect.equal(cna.lpar_id, site.partition.id, "its partition's id")
        expect.equal(cna.vswitch_id, site.switch.switch_id, "its switch's id")
        expect.true(cna.vswitch_uri.startswith(site.switch.related_href), "the link to its switch")
        expect.true("/LogicalPartition/%s/ClientNetworkAdapter/" % site.partition.uuid in cna.href,
                    "its SELF link runs through the partition")
        expect.matches(cna.loc_code, r"U.*-V%d-C%d(-T\d+)?" % (site.partition.id, cna.slot),
                       "its location")
        expect.true(not cna.is_trunk, "it is no trunk")
        site.keep("client_adapter", cna)
    with site.check("creates an adapter with a MAC address, a slot and tagged VLANs"):
        cna = pvm_net.CNA.bld(site.adapter, 1502, site.switch.related_href, slot_num=9,
                              mac_addr="FA:16:3E:01:02:03", addl_tagged_vlans=[1503])
        cna = cna.create(parent=site.partition)
        expect.equal(cna.mac, "FA163E010203", "its MAC address")
        expect.equal(cna.slot, 9, "its slot")
        expect.equal([int(vlan) for vlan in cna.tagged_vlans], [1503], "its tagged VLANs")
        expect.equal(cna.pvid, 1502, "its PVID")
        cna.delete()
        left = pvm_net.CNA.get(site.adapter, parent=site.partition)
        expect.equal([c.uuid for c in left], [site.client_adapter.uuid], "the adapters that stay")
    with site.check("refuses a slot that is taken"):
        expect.refused(
            pvm_ex.HttpError,
            lambda: tsk_cna.crt_cna(site.adapter, None, site.partition.uuid, 1504,
                                    slot_num=site.client_adapter.slot),
            "a second adapter in slot %d" % site.client_adapter.slot)
    with site.check("refuses an adapter on an unknown switch"):
        expect.refused(
            pvm_ex.Error,
            lambda: tsk_cna.crt_cna(site.adapter, None, site.partition.uuid, 1, vswitch="NOSUCH"),
            "an unknown switch")
    with site.check("a VLAN in use has its virtual network"):
        vlans = {(n.vlan, n.vswitch_id) for n in pvm_net.VNet.get(
            site.adapter, parent_type=pvm_ms.System, parent_uuid=site.system.uuid)}
        expect.true((1501, site.switch.switch_id) in vlans, "there is a network for VLAN 1501")
    with site.check("updates a client network adapter"):
        cna = pvm_net.CNA.get(site.adapter, uuid=site.client_adapter.uuid, parent=site.partition)
        cna.tagged_vlans = [1506, 1507]
        cna.is_tagged_vlan_supported = True
        cna = cna.update()
        expect.equal(sorted(int(v) for v in cna.tagged_vlans), [1506, 1507], "the tagged VLANs")
        site.keep("client_adapter", cna)


def remove_adapters(site):
    """Deletes what check_adapters made."""
    with site.check("deletes the client network adapters"):
        for cna in pvm_net.CNA.get(site.adapter, parent=site.partition):
            cna.delete()
        expect.equal(len(pvm_net.CNA.get(site.adapter, parent=site.partition)), 0, "what is left")
    if not site.novalink:
        with site.check("deletes the virtual networks that it made"):
            forget(site)


def forget(site):
    """Deletes the virtual networks of our VLANs; a NovaLink has done so by itself."""
    if not site.novalink:
        for network in pvm_net.VNet.get(site.adapter, parent=site.system):
            if 1501 <= network.vlan <= 1510:
                network.delete()
