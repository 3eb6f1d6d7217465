"""Network adapters beyond plain ones: trunks, point-to-point pairs, orphans, free VLANs."""

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import cna as tsk_cna
from pypowervm.wrappers import network as pvm_net

from pypowervm_suite import expect
from pypowervm_suite import partition

SWITCH = "ConformanceBridge"
EXTERNAL = "iface-id=11111111-2222-3333-4444-555555555555,iface-status=active"


def check(site):
    """On a switch of its own, which it makes and deletes."""
    with site.check("an adapter on an unknown switch makes the switch, if so told"):
        with partition.temporary(site, "conformance-switch") as made:
            cna = tsk_cna.crt_cna(site.adapter, None, made.uuid, 7, vswitch=SWITCH,
                                  crt_vswitch=True, mac_addr="FA163E0000AA", slot_num=40)
            switch = _switch(site)
            expect.equal(cna.vswitch_id, switch.switch_id, "the adapter's switch")
            expect.equal((cna.mac, cna.slot), ("FA163E0000AA", 40), "MAC address and slot")
            expect.equal(switch.mode, "Veb", "the switch's mode")
            expect.true(switch.switch_id > 0, "the switch's id is new")
            expect.refused(pvm_ex.HttpError, switch.delete, "deleting a switch in use")
    _ranges(site)
    with partition.temporary(site, "conformance-p2p") as made:
        if site.novalink:
            for hosts in ([site.management], [site.vioses[0]], site.vioses):
                _pair(site, made, hosts)
            _ovs(site, made)
            _orphans(site, made)
        else:
            _no_host(site, made)
        _on_trunk(site, made)
    with site.check("the switch goes, when nothing is on it any more"):
        _drop_networks(site)
        _switch(site).delete()
        expect.true(_switch(site) is None, "it is gone")


def _switch(site):
    return pvm_net.VSwitch.search(site.adapter, parent=site.system, name=SWITCH, one_result=True)


def _networks(site):
    switch = _switch(site)
    return [network for network in pvm_net.VNet.get(site.adapter, parent=site.system)
            if network.vswitch_id == switch.switch_id]


def _drop_networks(site):
    """On an HMC nobody else does."""
    if not site.novalink:
        for network in _networks(site):
            network.delete()


def _ranges(site):
    with site.check("the high slot is above all others, the next one the lowest free"):
        with partition.temporary(site, "conformance-slots") as made:
            first = tsk_cna.crt_cna(site.adapter, None, made.uuid, 8, vswitch=SWITCH, slot_num=20)
            second = tsk_cna.crt_cna(site.adapter, None, made.uuid, 9, vswitch=SWITCH)
            if site.novalink:
                expect.true(second.slot > first.slot, "%d is above %d" % (second.slot, first.slot))
            else:
                expect.equal(second.slot, 2, "the slot")
    with site.check("MAC addresses are the partition's own, one for each slot"):
        with partition.temporary(site, "conformance-macs") as made:
            cnas = [tsk_cna.crt_cna(site.adapter, None, made.uuid, 10 + n, vswitch=SWITCH)
                    for n in range(3)]
            expect.equal(len({cna.mac[:10] for cna in cnas}), 1, "the prefixes")
            expect.equal([int(cna.mac[10:], 16) for cna in cnas], [cna.slot for cna in cnas],
                         "the last bytes")


def _pair(site, made, hosts):
    names = " and ".join(host.name for host in hosts)
    with site.check("a point-to-point pair over %s has a VLAN of its own" % names):
        client, trunks = tsk_cna.crt_p2p_cna(site.adapter, None, made.uuid,
                                             [host.uuid for host in hosts], SWITCH)
        expect.equal(len(trunks), len(hosts), "the trunks")
        expect.equal({trunk.pvid for trunk in trunks}, {client.pvid}, "the VLANs")
        expect.equal([trunk.trunk_pri for trunk in trunks], list(range(1, len(hosts) + 1)),
                     "the priorities")
        for trunk, host in zip(trunks, hosts):
            expect.true(trunk.is_trunk, "it is a trunk")
            expect.equal(trunk.lpar_id, host.id, "its partition")
            expect.equal(trunk.vswitch_id, client.vswitch_id, "its switch")
            expect.true("/%s/%s/" % (host.schema_type, host.uuid) in trunk.href, "its link")
    with site.check("the trunks over %s are found from the client" % names):
        found = tsk_cna.find_trunks(site.adapter, client)
        expect.equal([t.uuid for t in found], [t.uuid for t in trunks], "the trunks")
    with site.check("client and trunks over %s go" % names):
        for adapter in (client, *trunks):
            adapter.delete()
        expect.equal(tsk_cna.find_trunks(site.adapter, client), [], "the trunks")


def _ovs(site, made):
    with site.check("a trunk for Open vSwitch keeps device, bridge, identifiers and MTU"):
        client, trunks = tsk_cna.crt_p2p_cna(
            site.adapter, None, made.uuid, [site.management.uuid], SWITCH,
            mac_addr="FA163E0000BB", dev_name="tap-conform", ovs_bridge="br-int",
            ovs_ext_ids=EXTERNAL, configured_mtu=1450)
        trunk = pvm_net.CNA.get(site.adapter, uuid=expect.single(trunks, "trunks").uuid,
                                parent=site.management)
        expect.equal((trunk.dev_name, trunk.ovs_bridge, trunk.ovs_ext_ids, trunk.configured_mtu),
                     ("tap-conform", "br-int", EXTERNAL, 1450), "what was asked for")
        expect.equal(client.mac, "FA163E0000BB", "the client's MAC address")
    with site.check("an adapter moves to a free VLAN, and is enabled"):
        moved = tsk_cna.assign_free_vlan(site.adapter, None, _switch(site), trunk,
                                         ensure_enabled=True)
        expect.true(moved.pvid != client.pvid, "VLAN %d is another one" % moved.pvid)
        expect.true(moved.enabled, "it is enabled")
        expect.equal(moved.ovs_ext_ids, EXTERNAL, "the identifiers stay")
        expect.equal(tsk_cna.find_trunks(site.adapter, client), [], "the client's trunks")
    with site.check("the trunk and its client go"):
        moved.delete()
        client.delete()
        left = pvm_net.CNA.get(site.adapter, parent=made)
        expect.equal(left, [], "the adapters that are left")


def _orphans(site, made):
    with site.check("trunks without a client are orphans, others are not"):
        host = site.management if site.novalink else site.vioses[0]
        client, trunks = tsk_cna.crt_p2p_cna(site.adapter, None, made.uuid, [host.uuid], SWITCH)
        expect.equal(tsk_cna.find_orphaned_trunks(site.adapter, SWITCH), [], "orphans")
        client.delete()
        orphan = expect.single(tsk_cna.find_orphaned_trunks(site.adapter, SWITCH), "orphans")
        expect.equal(orphan.uuid, trunks[0].uuid, "the orphan")
        orphan.delete()
        expect.equal(tsk_cna.find_orphaned_trunks(site.adapter, SWITCH), [], "orphans")


def _no_host(site, made):
    with site.check("without a management partition the client makes no point-to-point pair"):
        expect.refused(
            pvm_ex.ManagementPartitionNotFoundException,
            lambda: tsk_cna.crt_p2p_cna(site.adapter, None, made.uuid, [site.vioses[0].uuid],
                                        SWITCH), "the pair")
        expect.equal(list(pvm_net.CNA.get(site.adapter, parent=made)), [], "the adapters")


def _on_trunk(site, made):
    with site.check("all adapters of a VLAN are found on it"):
        if not site.novalink:
            pvm_net.VNet.bld(site.adapter, SWITCH + "-55", 55, _switch(site).related_href,
                             True).create(parent=site.system)
        first = tsk_cna.crt_cna(site.adapter, None, made.uuid, 55, vswitch=SWITCH)
        trunk = pvm_net.CNA.bld(site.adapter, 55, _switch(site).related_href,
                                trunk_pri=1).create(parent=site.vioses[1])
        found = tsk_cna.find_cnas_on_trunk(trunk)
        expect.equal([cna.uuid for cna in found], [first.uuid], "the adapters")
        trunk.delete()
        first.delete()
