"""An inventory of everything that a deploy makes, to compare before with after."""

from pypowervm import const
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import managed_system as pvm_ms
from pypowervm.wrappers import network as pvm_net
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import broker
from pypowervm_suite import expect


def inventory(site):
    """A set of lines, one for each thing by kind and name."""
    lines = set()
    for client in pvm_lpar.LPAR.get(site.adapter):
        lines.add("partition %s %d" % (client.name, client.id))
        for cna in pvm_net.CNA.get(site.adapter, parent=client):
            lines.add("adapter %s of %s" % (cna.mac, client.name))
    for vios in pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_SMAP, const.XAG.VIO_FMAP]):
        for mapping in vios.scsi_mappings:
            storage = mapping.backing_storage
            lines.add("mapping %s of %s to %s" % (
                storage.name if storage is not None else "(none)", vios.name,
                mapping.server_adapter.lpar_id))
        lines.add("%d Fibre Channel mappings of %s" % (len(vios.vfc_mappings), vios.name))
        for group in pvm_stg.VG.get(site.adapter, parent=vios):
            lines.add("free size of %s on %s: %s" % (
                group.name, vios.name, group.available_size))
            for disk in group.virtual_disks:
                lines.add("disk %s on %s" % (disk.name, vios.name))
            for repository in group.vmedia_repos:
                for medium in repository.optical_media:
                    lines.add("medium %s on %s" % (medium.name, vios.name))
    for pool in pvm_stg.SSP.get(site.adapter):
        lines.add("free space of %s: %s" % (pool.name, pool.free_space))
        for unit in pool.logical_units:
            lines.add("unit " + unit.name)
    for system in pvm_ms.System.get(site.adapter):
        lines.add("free memory: %d" % system.memory_free)
        lines.add("free processors: %s" % system.proc_units_avail)
        for network in pvm_net.VNet.get(site.adapter, parent=system):
            lines.add("network " + network.name)
    for name in broker.files(site):
        lines.add("file " + name)
    return lines


def take(site):
    """Before: keeps inventory_before."""
    with site.check("takes the inventory"):
        site.keep("inventory_before", inventory(site))


def compare(site):
    """After."""
    with site.check("nothing is left, nothing is lost"):
        now = inventory(site)
        expect.equal(sorted(now - site.inventory_before), [], "what is left")
        expect.equal(sorted(site.inventory_before - now), [], "what is lost")
