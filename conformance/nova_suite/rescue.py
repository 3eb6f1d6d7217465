"""A server rescued and given back."""

from nova import conf
from pypowervm.wrappers import base_partition as pvm_bp
from pypowervm.wrappers import storage as pvm_stg

from nova_suite import instances
from nova_suite import node as nodes
from pypowervm_suite import expect

CONF = conf.CONF


def check(node):
    """With node.server, which runs before and after."""
    made = node.server
    with node.check("rescues: starts with a disk made of the image beside its own"):
        before = _disks(node, made)
        node.driver.rescue(node.context, made, node.vifs, instances.image_meta(node.image),
                           "secret")
        added = _disks(node, made) - before
        ssp = CONF.powervm.disk_driver == "ssp"
        expect.matches(expect.single(added, "disks added"), "rescue_.*" if ssp else "r_.*",
                       "the disk")
        expect.equal(node.partition(made).bootmode, pvm_bp.BootMode.SMS, "how it boots")
    with node.check("unrescues: the server runs from its own disk"):
        node.driver.unrescue(made, node.vifs)
        nodes.booted(node.partition(made))
        # With local disks the driver looks for the disk by a name that it has not; the disk goes with
        # the server.
        expect.equal(_disks(node, made), before if ssp else before | added, "the disks")
        expect.equal(node.partition(made).bootmode, pvm_bp.BootMode.NORM, "how it boots")


def _disks(node, made):
    """The names of the disks that are mapped to the server."""
    return {mapping.backing_storage.name
            for mappings in node.mappings(node.partition(made).id).values()
            for mapping in mappings if not isinstance(mapping.backing_storage, pvm_stg.VOptMedia)}
