"""Slot maps: what a partition had in which slot, kept, and the same again elsewhere."""

import base64

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import cna as tsk_cna
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.tasks import slot_map as tsk_slots
from pypowervm.tasks import sriov as tsk_sriov
from pypowervm.tasks import storage as tsk_stg
from pypowervm.tasks import vfc_mapper as tsk_vfc
from pypowervm.wrappers import iocard
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect
from pypowervm_suite import network
from pypowervm_suite import partition
from pypowervm_suite import sriov

CLASSES = tsk_slots.IOCLASS
MAC = "FA163E0000EE"


class Store(tsk_slots.SlotMapStore):
    """Keeps maps in memory, as bytes in base64, as nova-powervm keeps them in Swift."""

    kept = {}

    def _load(self, key):
        return self.kept.get(key)

    def _save(self, key, blob):
        self.kept[key] = base64.b64encode(blob)

    def _delete(self, key):
        del self.kept[key]


def check(site):
    """With a partition that has one of each."""
    _, unit = None, None
    with partition.temporary(site, "conformance-slotmap") as made:
        with site.check("a partition gets one of each kind of adapter"):
            _, unit = tsk_stg.crt_lu(site.tier, "slotmap", 1)
            found = _equip(site, made, unit)
        _register(site, made, found)
        _rebuild(site, made, found, unit)
        _drop(site, found)
        with site.check("the adapters and the unit go"):
            for vios in site.vioses:
                now = pvm_vios.VIOS.get(site.adapter, uuid=vios.uuid,
                                        xag=[const.XAG.VIO_SMAP, const.XAG.VIO_FMAP])
                tsk_map.remove_maps(now, made.id)
                tsk_vfc.remove_maps(now, made.id)
                now.update()
            unit.refresh().delete()


def _equip(site, made, unit):
    """Adapter, vNIC, unit on both servers, virtual port; gives them by name."""
    cna = tsk_cna.crt_cna(site.adapter, None, made.uuid, 1501, slot_num=33, mac_addr=MAC)
    vnic = iocard.VNIC.bld(site.adapter, slot_num=34)
    tsk_sriov.set_vnic_back_devs(vnic, [p.loc_code for p in sriov.ports(site)])
    vnic = vnic.create(parent=made)
    scsi = []
    for vios in site.vioses:
        now = tsk_map.add_vscsi_mapping(None, vios.uuid, made.uuid, pvm_stg.LU.bld_ref(
            site.adapter, unit.name, unit.udid))
        scsi += tsk_map.find_maps(now.scsi_mappings, client_lpar_id=made.uuid)
    servers = pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_FMAP])
    port_map = tsk_vfc.derive_base_npiv_map(
        servers, [p.wwpn for v in servers for p in v.pfc_ports], 1)[0]
    vios = tsk_vfc.find_vios_for_port_map(servers, port_map)
    tsk_vfc.add_map(vios, site.system.uuid, made.uuid, port_map)
    npiv = tsk_vfc.find_maps(vios.update().vfc_mappings, made.uuid)
    return {"cna": cna, "vnic": vnic, "scsi": scsi, "npiv": npiv}


def _register(site, made, found):
    with site.check("a slot map tells what is in which slot, and is kept"):
        store = Store("conformance", load=False)
        store.register_max_vslots(made.io_config.max_virtual_slots)
        store.register_vnet(found["cna"])
        store.register_vnet(found["vnic"])
        for mapping in found["scsi"]:
            store.register_vscsi_mapping(mapping)
        for mapping in found["npiv"]:
            store.register_vfc_mapping(mapping, "A")
        store.save()
        again = Store("conformance")
        expect.equal(again.topology, store.topology, "the map that was kept")
        expect.equal(store.max_vslots, 200, "the most slots")
        topology = again.topology
        expect.equal(topology[33], {CLASSES.CNA: {MAC: "ETHERNET0"}}, "slot 33")
        expect.equal(list(topology[34]), [CLASSES.VNIC], "slot 34")
        for mapping in found["scsi"]:
            slot = topology[mapping.client_adapter.lpar_slot_num]
            expect.equal(slot, {CLASSES.LU: {
                mapping.backing_storage.udid: mapping.target_dev.lua}}, "a unit's slot")
        expect.equal([list(topology[m.client_adapter.lpar_slot_num]) for m in found["npiv"]],
                     [[CLASSES.VFC]], "the slots of virtual ports")
        expect.equal(len({s for s in topology}), 5, "different slots")
        site.keep("slot_store", store)


def _rebuild(site, made, found, unit):
    servers = pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_SMAP, const.XAG.VIO_FMAP])
    with site.check("a map for a rebuild gives each adapter its slot"):
        rebuild = tsk_slots.RebuildSlotMap(
            site.slot_store, servers, {unit.udid: [vios.uuid for vios in servers]}, ["A"])
        expect.equal(rebuild.get_vnet_slot(MAC), 33, "the adapter's slot")
        expect.equal(rebuild.get_vnet_slot(found["vnic"].mac), 34, "the vNIC's")
        expect.equal(rebuild.get_max_vslots(), 200, "the most slots")
        slots = {rebuild.get_vscsi_slot(vios, unit.udid) for vios in servers}
        expect.equal(slots, {(m.client_adapter.lpar_slot_num, m.target_dev.lua)
                             for m in found["scsi"]}, "the units' slots and addresses")
        expect.equal(rebuild.get_vfc_slots("A", 1),
                     [found["npiv"][0].client_adapter.lpar_slot_num], "the virtual ports'")
    with site.check("a host that cannot have it so is refused by the map"):
        expect.refused(pvm_ex.InvalidHostForRebuild, lambda: tsk_slots.RebuildSlotMap(
            site.slot_store, servers, {unit.udid: [servers[0].uuid]}, ["A"]), "one server")
        expect.refused(pvm_ex.InvalidHostForRebuild, lambda: tsk_slots.RebuildSlotMap(
            site.slot_store, servers, {unit.udid: [v.uuid for v in servers]}, []), "no fabric")
    with site.check("a partition built by the map has all in the same slots"):
        with partition.temporary(site, "conformance-rebuilt") as other:
            cna = tsk_cna.crt_cna(site.adapter, None, other.uuid, 1501,
                                  slot_num=rebuild.get_vnet_slot(MAC))
            expect.equal(cna.slot, 33, "the adapter's slot")
            for vios in servers:
                slot, lua = rebuild.get_vscsi_slot(vios, unit.udid)
                now = tsk_map.add_vscsi_mapping(
                    None, vios.uuid, other.uuid,
                    pvm_stg.LU.bld_ref(site.adapter, unit.name, unit.udid),
                    lpar_slot_num=slot, lua=lua)
                mapping = expect.single(
                    tsk_map.find_maps(now.scsi_mappings, client_lpar_id=other.uuid), "mappings")
                expect.equal((mapping.client_adapter.lpar_slot_num, mapping.target_dev.lua),
                             (slot, lua), "slot and address")
                tsk_map.remove_lu_mapping(site.adapter, vios.uuid, other.uuid)


def _drop(site, found):
    with site.check("what goes is dropped from the map, until nothing is left"):
        store = site.slot_store
        store.drop_vnet(found["cna"])
        store.drop_vnet(found["vnic"])
        for mapping in found["scsi"]:
            store.drop_vscsi_mapping(mapping)
        for mapping in found["npiv"]:
            store.drop_vfc_mapping(mapping, "A")
        expect.equal(store.topology, {}, "the map")
        store.delete()
        expect.equal(Store.kept, {}, "what is kept")
        network.forget(site)
