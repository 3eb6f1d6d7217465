"""Virtual Fibre Channel: pairs of WWPNs, port maps, mappings made, found, repaired, removed."""

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import client_storage as tsk_clstor
from pypowervm.tasks import partition as tsk_par
from pypowervm.tasks import storage as tsk_stg
from pypowervm.tasks import vfc_mapper as tsk_vfc
from pypowervm.wrappers import managed_system as pvm_ms
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect
from pypowervm_suite import partition

GROUPS = [const.XAG.VIO_FMAP]
WWPN = r"[0-9a-fA-F]{16}"


def check(site):
    """With a partition of its own."""
    _pairs(site)
    with partition.temporary(site, "conformance-npiv") as made:
        _map(site, made)
        _given(site, made)
        _again(site, made)
        _migration(site, made)
        _remove(site, made)
        _portless(site, made)


def _servers(site):
    return pvm_vios.VIOS.get(site.adapter, xag=GROUPS)


def _of(site, made):
    """Its mappings with their servers."""
    return [(vios, mapping) for vios in _servers(site)
            for mapping in tsk_vfc.find_maps(vios.vfc_mappings, made.uuid)]


def _ports(site):
    """All physical ports' WWPNs."""
    return tsk_par.get_physical_wwpns(site.adapter)


def _pairs(site):
    with site.check("pairs of WWPNs are unused ones, consecutive, with the system's prefix"):
        before = pvm_ms.System.get(site.adapter, uuid=site.system.uuid).asio_config
        first = tsk_vfc.build_wwpn_pair(site.adapter, site.system.uuid, pair_count=1)
        eight = tsk_vfc.build_wwpn_pair(site.adapter, site.system.uuid, pair_count=8)
        expect.equal((len(first), len(eight)), (2, 16), "the WWPNs")
        expect.equal(len({wwpn.lower() for wwpn in first + eight}), 18, "different WWPNs")
        prefix = "%016x" % int(before.wwpn_prefix)
        for wwpn in first + eight:
            expect.matches(wwpn, WWPN, "a WWPN")
            expect.equal(wwpn.lower()[:8], prefix[:8], "its prefix")
        for one, other in zip(eight[::2], eight[1::2]):
            expect.equal(abs(int(one, 16) - int(other, 16)), 1, "the distance in a pair")
        after = pvm_ms.System.get(site.adapter, uuid=site.system.uuid).asio_config
        expect.equal(before.avail_wwpns - after.avail_wwpns, 18, "WWPNs that were taken")


def _add(site, made, port_maps, slot=None):
    """Adds these port maps on their servers, as the drivers do."""
    for port_map in port_maps:
        vios = tsk_vfc.find_vios_for_port_map(_servers(site), port_map)
        tsk_vfc.add_map(vios, site.system.uuid, made.uuid, port_map, lpar_slot_num=slot)
        vios.update()


def _map(site, made):
    with site.check("maps are derived over both servers, and ports found by WWPN and name"):
        servers = _servers(site)
        maps = tsk_vfc.derive_base_npiv_map(servers, _ports(site), 2)
        expect.equal(len(maps), 2, "the maps")
        hosts = {tsk_vfc.find_vios_for_wwpn(servers, port)[0].uuid for port, _ in maps}
        expect.equal(len(hosts), 2, "the servers that they are on")
        vios, port = tsk_vfc.find_vios_for_wwpn(servers, maps[0][0])
        expect.equal(tsk_vfc.find_pfc_wwpn_by_name(vios, port.name), port.wwpn, "its WWPN")
    with site.check("maps virtual ports whose WWPNs the server chooses"):
        free = {p.wwpn: p.npiv_available_ports for v in servers for p in v.pfc_ports}
        _add(site, made, maps)
        found = _of(site, made)
        expect.equal(len(found), 2, "the mappings")
        for vios, mapping in found:
            _filled(made, vios, mapping)
            port = mapping.backing_port
            expect.equal(free[port.wwpn] - port.npiv_available_ports, 1, "the ports taken")
    with site.check("the partition's adapters are the same ones"):
        adapters = pvm_stg.VFCClientAdapter.get(site.adapter, parent=made)
        expect.equal({frozenset(w.upper() for w in a.wwpns) for a in adapters},
                     {frozenset(w.upper() for w in m.client_adapter.wwpns) for _, m in found},
                     "their WWPNs")
        expect.equal({a.lpar_slot_num for a in adapters},
                     {m.client_adapter.lpar_slot_num for _, m in found}, "their slots")


def _filled(made, vios, mapping):
    client, server = mapping.client_adapter, mapping.server_adapter
    expect.equal(len(client.wwpns), 2, "the client's WWPNs")
    expect.equal((client.lpar_id, client.vios_id), (made.id, vios.id), "the client's partitions")
    expect.equal((server.lpar_id, server.vios_id), (made.id, vios.id), "the server's partitions")
    expect.equal(server.lpar_slot_num, client.lpar_slot_num, "the client's slot at the server")
    expect.equal(client.vios_slot_num, server.vios_slot_num, "the server's slot at the client")
    expect.matches(server.name, r"vfchost\d+", "the server adapter's name")
    expect.matches(server.udid, r"1dU.*-V%d-C%d" % (vios.id, server.vios_slot_num), "its UDID")
    expect.equal(server.map_port, mapping.backing_port.name, "the port it is mapped to")
    expect.true(mapping.client_lpar_href.upper().endswith("/" + made.uuid), "the client's link")


def _given(site, made):
    with site.check("maps a pair of WWPNs that were asked for before, in an asked-for slot"):
        pair = tsk_vfc.build_wwpn_pair(site.adapter, site.system.uuid)
        maps = tsk_vfc.derive_npiv_map(_servers(site), _ports(site), pair)
        _add(site, made, maps, slot=60)
        wanted = {wwpn.upper() for wwpn in pair}
        mapping = expect.single([m for _, m in _of(site, made)
                                 if {w.upper() for w in m.client_adapter.wwpns} == wanted],
                                "mappings of that pair")
        expect.equal(mapping.client_adapter.lpar_slot_num, 60, "its slot")
        vios, found = tsk_vfc.has_client_wwpns(_servers(site), pair)
        expect.equal(found.server_adapter.udid, mapping.server_adapter.udid, "found by its WWPNs")
        by_wwpn = tsk_clstor.c_wwpn_to_vfc_mapping(vios, pair[0])
        expect.equal(by_wwpn.server_adapter.udid, found.server_adapter.udid, "found by one WWPN")
        site.keep("npiv_map", maps[0])
    with site.check("an unknown physical port is refused by the client"):
        expect.refused(
            pvm_ex.UnableToDerivePhysicalPortForNPIV,
            lambda: tsk_vfc.add_map(_servers(site)[0], site.system.uuid, made.uuid,
                                    ("FFFFFFFFFFFFFFFF", "-1 -1")), "the port")
        expect.refused(pvm_ex.UnableToFindFCPortMap,
                       lambda: tsk_vfc.derive_base_npiv_map(_servers(site), ["F" * 16], 1),
                       "a map without ports")


def _again(site, made):
    with site.check("a pair that is mapped is not mapped again"):
        port_map = site.npiv_map
        before = {vios.uuid: vios.etag for vios in _servers(site)}
        vios = tsk_vfc.find_vios_for_port_map(_servers(site), port_map)
        expect.equal(tsk_vfc.add_map(vios, site.system.uuid, made.uuid, port_map), None,
                     "what is added")
        again = tsk_vfc.derive_npiv_map(_servers(site), _ports(site), port_map[1].split())
        expect.equal([m[0].upper() for m in again], [port_map[0].upper()], "the port derived")
        expect.equal({vios.uuid: vios.etag for vios in _servers(site)}, before, "the etags")
    with site.check("the server refuses a pair that another partition has"):
        with partition.temporary(site, "conformance-npiv-2") as other:
            servers = _servers(site)
            vios = tsk_vfc.find_vios_for_port_map(servers, site.npiv_map)
            port = tsk_vfc.find_vios_for_wwpn([vios], site.npiv_map[0])[1]
            vios.vfc_mappings.append(pvm_vios.VFCMapping.bld(
                site.adapter, site.system.uuid, other.uuid, port.name,
                client_wwpns=site.npiv_map[1].split()))
            expect.refused(pvm_ex.HttpError, vios.update, "the pair for the second time")


def _migration(site, made):
    with site.check("the strings for a migration name slots, servers and ports"):
        servers = _servers(site)
        slots = sorted(m.client_adapter.lpar_slot_num for _, m in _of(site, made))[:2]
        for text in tsk_vfc.build_migration_mappings_for_fabric(servers, _ports(site), slots):
            expect.matches(text, r"\d+/vios\d/\d+//fcs\d", "a string")
        names = {"A": [p.wwpn for v in servers for p in v.pfc_ports if p.name == "fcs0"],
                 "B": [p.wwpn for v in servers for p in v.pfc_ports if p.name == "fcs1"]}
        data = {"A": {"slots": slots[:1], "p_port_wwpns": names["A"]},
                "B": {"slots": slots[1:], "p_port_wwpns": names["B"]}}
        texts = tsk_vfc.build_migration_mappings(servers, data, [slots])
        expect.equal(len({t.split("/")[1] for t in texts}), 1, "the servers of peers")


def _remove(site, made):
    with site.check("removes one mapping by its port map"):
        vios = tsk_vfc.find_vios_for_port_map(_servers(site), site.npiv_map)
        gone = tsk_vfc.remove_maps(vios, made.uuid, port_map=site.npiv_map)
        expect.equal(len(gone), 1, "what is removed")
        vios.update()
        expect.equal(len(_of(site, made)), 2, "the mappings that stay")
    with site.check("removes the others, and their ports are free again"):
        for vios in _servers(site):
            tsk_vfc.remove_maps(vios, made.id)
            vios.update()
        expect.equal(_of(site, made), [], "the mappings")
        for vios in _servers(site):
            for port in vios.pfc_ports:
                expect.equal(port.npiv_available_ports, port.npiv_total_ports, "the free ports")
        expect.equal(list(pvm_stg.VFCClientAdapter.get(site.adapter, parent=made)), [],
                     "the partition's adapters")


def _portless(site, made):
    with site.check("a mapping without a port is given one"):
        pair = tsk_vfc.build_wwpn_pair(site.adapter, site.system.uuid)
        _add_portless(site, made, pair)
        vios, mapping = expect.single(_of(site, made), "mappings")
        expect.true(mapping.backing_port is None, "it has no port")
        expect.equal(tsk_vfc.find_vios_for_vfc_wwpns([vios], pair), (None, None),
                     "where the client finds it")
        port_map = (vios.pfc_ports[1].wwpn, " ".join(pair))
        tsk_vfc.add_map(vios, site.system.uuid, made.uuid, port_map)
        vios.update()
        _, mapping = expect.single(_of(site, made), "mappings")
        expect.equal(mapping.backing_port.wwpn, port_map[0], "its port")
        _clear(site, made)
    with site.check("mappings without ports are scrubbed, others stay"):
        _add_portless(site, made, tsk_vfc.build_wwpn_pair(site.adapter, site.system.uuid))
        _add(site, made, tsk_vfc.derive_base_npiv_map(_servers(site), _ports(site), 1))
        tsk_stg.ScrubPortlessVFCMaps(site.adapter, lpar_id=made.id).execute()
        _, mapping = expect.single(_of(site, made), "mappings")
        expect.true(mapping.backing_port is not None, "the one that stays has a port")
        _clear(site, made)


def _add_portless(site, made, pair):
    """As a mapping is between its making and its port's."""
    vios = _servers(site)[0]
    mapping = pvm_vios.VFCMapping.bld(site.adapter, site.system.uuid, made.uuid,
                                      vios.pfc_ports[0].name, client_wwpns=pair)
    mapping.element.remove(mapping.backing_port.element)
    vios.vfc_mappings.append(mapping)
    vios.update()


def _clear(site, made):
    for vios in _servers(site):
        tsk_vfc.remove_maps(vios, made.id)
        vios.update()
    expect.equal(_of(site, made), [], "the mappings")
