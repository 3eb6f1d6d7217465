"""network_bridger: VLANs that come and go on bridges, with load groups, peers and orphans."""

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import network_bridger as tsk_nb
from pypowervm.wrappers import network as pvm_net
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect

FULL = 20


def check(site):
    """On the bridge that is there, and on a second one of its own."""
    with site.check("finds the bridge of both servers"):
        bridge = expect.single(_bridges(site), "network bridges")
        site.keep("bridge", bridge)
        expect.equal(len(bridge.seas), 2, "its shared Ethernet adapters")
        expect.equal(bridge.load_grps[0].pvid, bridge.pvid, "the first load group's VLAN")
        site.keep("bridged", set(bridge.list_vlans()))
        _same(bridge)
    _one(site)
    _many(site)
    _arbitrary(site)
    _orphan(site)
    _peer(site)
    with site.check("the bridge is as it was"):
        now = _now(site)
        expect.equal(set(now.list_vlans()), site.bridged, "its VLANs")
        _same(now)
    if not site.novalink:
        with site.check("the virtual networks that the client made can be deleted"):
            for network in pvm_net.VNet.get(site.adapter, parent=site.system):
                if 200 <= network.vlan < 300 or network.vlan in (4090, 4091, 4092, 4093):
                    network.delete()


def _bridges(site):
    return pvm_net.NetBridge.get(site.adapter, parent=site.system)


def _now(site, uuid=None):
    return pvm_net.NetBridge.get(site.adapter, uuid=uuid or site.bridge.uuid, parent=site.system)


def _ensure(site, vlans, bridge=None):
    tsk_nb.ensure_vlans_on_nb(site.adapter, site.system.uuid, (bridge or site.bridge).uuid, vlans)


def _remove(site, vlan, bridge=None):
    tsk_nb.remove_vlan_from_nb(site.adapter, site.system.uuid, (bridge or site.bridge).uuid, vlan)


def _same(bridge):
    """Load groups and the trunks of all members tell the same."""
    groups = {group.pvid: sorted(group.tagged_vlans) for group in bridge.load_grps}
    for sea in bridge.seas:
        trunks = {t.pvid: sorted(t.tagged_vlans) for t in [sea.primary_adpt, *sea.addl_adpts]}
        expect.equal(trunks, groups, "the trunks of " + sea.vio_uri.rsplit("/", 1)[1])
        slots = [t._get_val_int("VirtualSlotNumber") for t in [sea.primary_adpt, *sea.addl_adpts]]
        expect.equal(len(set(slots)), len(slots), "different slots")


def _one(site):
    with site.check("a VLAN is added to both members and their load group"):
        before = _now(site)
        tsk_nb.ensure_vlan_on_nb(site.adapter, site.system.uuid, site.bridge.uuid, 201)
        now = _now(site)
        expect.true(now.supports_vlan(201), "the bridge carries it")
        expect.equal(set(now.list_vlans()) - set(before.list_vlans()), {201}, "what is new")
        _same(now)
        for vios in pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_NET]):
            expect.true(any(201 in trunk.tagged_vlans for trunk in vios.trunk_adapters),
                        "a trunk of %s carries it" % vios.name)
    with site.check("a VLAN that is bridged changes nothing"):
        etag = _now(site).etag
        _ensure(site, [201])
        expect.equal(_now(site).etag, etag, "the etag")
    with site.check("a VLAN is removed from both members"):
        _remove(site, 201)
        now = _now(site)
        expect.true(not now.supports_vlan(201), "the bridge does not carry it")
        _same(now)
    with site.check("the bridge's own VLAN stays, and its removal can be made an error"):
        _remove(site, site.bridge.pvid)
        expect.true(_now(site).supports_vlan(site.bridge.pvid), "it is there")
        expect.refused(
            pvm_ex.PvidOfNetworkBridgeError,
            lambda: tsk_nb.remove_vlan_from_nb(site.adapter, site.system.uuid, site.bridge.uuid,
                                               site.bridge.pvid, fail_if_pvid=True),
            "its removal")


def _many(site):
    with site.check("more VLANs than a trunk takes make another trunk and load group"):
        before = len(_now(site).load_grps)
        vlans = list(range(210, 210 + FULL))
        _ensure(site, vlans)
        now = _now(site)
        expect.equal(len(now.load_grps), before + 1, "the load groups")
        for group in now.load_grps:
            expect.within(len(group.tagged_vlans), 0, FULL, "the VLANs of a group")
        expect.true(set(vlans) <= set(now.list_vlans()), "the bridge carries all")
        _same(now)
    with site.check("the trunk goes with its last VLAN"):
        for vlan in vlans:
            _remove(site, vlan)
        now = _now(site)
        expect.equal(len(now.load_grps), before, "the load groups")
        _same(now)


def _arbitrary(site):
    with site.check("a VLAN that stands in as a trunk's own is moved out of the way"):
        now = _now(site)
        taken = now.arbitrary_pvids[0]
        _ensure(site, [taken])
        now = _now(site)
        expect.true(taken not in now.arbitrary_pvids, "it is no stand-in any more")
        expect.true(taken in [v for g in now.load_grps for v in g.tagged_vlans], "it is tagged")
        _same(now)
    with site.check("and it can be removed again, and become a stand-in as before"):
        _remove(site, taken)
        now = _now(site)
        expect.true(not any(taken in g.tagged_vlans for g in now.load_grps), "it is gone")
        other = now.arbitrary_pvids[0]
        _ensure(site, [other])
        _remove(site, other)
        now = _now(site)
        expect.equal(now.arbitrary_pvids, [taken], "the stand-ins")
        _same(now)


def _orphan(site):
    with site.check("a VLAN of a trunk that no bridge has is an error"):
        vios = site.vioses[0]
        if not site.novalink:
            pvm_net.VNet.bld(site.adapter, "orphan", 250, site.switch.related_href,
                             True).create(parent=site.system)
        trunk = pvm_net.CNA.bld(site.adapter, 250, site.switch.related_href,
                                trunk_pri=3).create(parent=vios)
        try:
            error = expect.refused(pvm_ex.OrphanVLANFoundOnProvision,
                                   lambda: _ensure(site, [250]), "the VLAN")
            expect.true(vios.name in str(error), "it names %s: %s" % (vios.name, error))
        finally:
            trunk.delete()
        _ensure(site, [250])
        _remove(site, 250)


def _peer(site):
    with site.check("a second bridge is made, of free ports, on the same switch"):
        peer = _make_peer(site)
        site.keep("peer", peer)
        expect.equal(len(_bridges(site)), 2, "the bridges")
        _same(peer)
    with site.check("a VLAN that the peer carries moves over"):
        peer = site.peer
        _ensure(site, [260, 261], peer)
        expect.true(_now(site, peer.uuid).supports_vlan(260), "the peer carries it")
        _ensure(site, [260])
        expect.true(_now(site).supports_vlan(260), "the bridge carries it")
        expect.true(not _now(site, peer.uuid).supports_vlan(260), "the peer does not any more")
        expect.true(_now(site, peer.uuid).supports_vlan(261), "it still has the other one")
    with site.check("the peer's own VLAN cannot move"):
        expect.refused(pvm_ex.PvidOfNetworkBridgeError, lambda: _ensure(site, [peer.pvid]),
                       "the peer's own VLAN")
    with site.check("the second bridge goes"):
        _remove(site, 260)
        _now(site, site.peer.uuid).delete()
        expect.equal([b.uuid for b in _bridges(site)], [site.bridge.uuid], "the bridges")


def _make_peer(site):
    """Of a free Ethernet port of the first server, with VLAN 270 of its own."""
    vios = pvm_vios.VIOS.get(site.adapter, uuid=site.vioses[0].uuid, xag=[const.XAG.VIO_NET])
    port = expect.some(vios.io_adpts_for_link_agg, "free Ethernet port")[0]
    if not site.novalink:
        pvm_net.VNet.bld(site.adapter, "VLAN270-peer", 270, site.switch.related_href,
                         False).create(parent=site.system)
    return pvm_net.NetBridge.bld(
        site.adapter, 270, [(vios.href, port.dev_name)],
        site.switch).create(parent=site.system)
