"""A Fibre Channel volume through virtual ports of the server's own (NPIV)."""

from nova import conf
from pypowervm import const

from nova_suite import cinder
from nova_suite import fabrics
from nova_suite import instances
from pypowervm_suite import expect

CONF = conf.CONF


def check(node):
    """With a server of its own, made with a volume."""
    CONF.set_override("fc_attach_strategy", "npiv", group="powervm")
    try:
        _check(node)
    finally:
        CONF.clear_override("fc_attach_strategy", group="powervm")


def _check(node):
    there = fabrics.ports(node.simulator)
    made = instances.instance(CONF.host, "npiv", instances.flavor(), image=node.image)
    with node.check("NPIV: the connector names a port of the server's own on each fabric"):
        connector = node.driver.get_volume_connector(made)
        expect.equal(len(connector["wwpns"]), len(there), "the ports")
        expect.equal(len(set(connector["wwpns"])), len(there), "different ports")
        for wwpn in connector["wwpns"]:
            expect.matches(wwpn, "[0-9A-Fa-f]{16}", "a port")
        expect.equal(node.driver.get_volume_connector(made)["wwpns"], connector["wwpns"],
                     "the ports when asked again")
        expect.true(connector["host"].endswith(made.name), "the host is the server's own")
    volume = cinder.Volume(node.simulator, "npiv-volume")
    with node.check("NPIV: spawns a server with a volume, a virtual port on each fabric"):
        volume.connect(connector)
        node.run(made, node.image, volumes=[volume])
        found = mappings(node, made)
        expect.equal(len(found), len(there), "the mappings")
        logged = {mapping.client_adapter.wwpns[0].upper() for mapping in found}
        expect.equal(logged, {wwpn.upper() for wwpn in connector["wwpns"]}, "the first ports")
        backing = {mapping.backing_port.wwpn.upper() for mapping in found}
        for wwpns in there.values():
            expect.single(backing & set(wwpns), "mappings on one fabric")
        expect.true(volume.mapping.save.count > 0, "the block device mapping was saved")
    second = cinder.Volume(node.simulator, "npiv-second")
    with node.check("NPIV: a second volume comes through the same ports"):
        node.reachable(made)
        info = second.connect(node.driver.get_volume_connector(made))
        node.driver.attach_volume(node.context, info, made, "/dev/sdc")
        expect.equal(len(mappings(node, made)), len(there), "the mappings")
        node.driver.detach_volume(node.context, info, made, "/dev/sdc")
        expect.equal(len(mappings(node, made)), len(there), "the mappings afterwards")
    with node.check("NPIV: the ports go with the server"):
        partition = node.partition(made).id
        node.destroy(made, volumes=[volume])
        expect.equal(_of(node, partition), [], "the mappings")
    with node.check("NPIV: the storage lets the volumes go"):
        for each in (volume, second):
            each.disconnect(connector)
            each.delete()


def mappings(node, made):
    """The Fibre Channel mappings of the server, on all Virtual I/O Servers."""
    return _of(node, node.partition(made).id)


def _of(node, partition_id):
    return [mapping for vios in node.vioses(const.XAG.VIO_FMAP) for mapping in vios.vfc_mappings
            if mapping.server_adapter.lpar_id == partition_id]
