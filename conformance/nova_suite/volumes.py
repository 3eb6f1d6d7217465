"""Volumes of the storage network: attached, extended, detached."""

import inspect

from pypowervm.wrappers import storage as pvm_stg
from pypowervm import const

from nova_suite import cinder
from pypowervm_suite import expect

SERVERS = 2


def check_fibre_channel(node):
    """A Fibre Channel volume through Virtual I/O Servers, with node.server, which runs."""
    node.reachable(node.server)
    with node.check("attaches a Fibre Channel volume to a running server"):
        volume = node.keep("volume", cinder.Volume(node.simulator, "fc-volume"))
        connector = node.keep("connector", node.driver.get_volume_connector(node.server))
        info = volume.connect(connector)
        saved = node.server.save.count
        node.driver.attach_volume(node.context, info, node.server, "/dev/sdb")
        expect.equal(len(mapped(node, volume)), SERVERS, "the servers that map it")
        expect.true(node.server.save.count > saved, "the instance was saved")
    with node.check("the driver noted the disk's identifier, which all servers share"):
        udids = {mapping.backing_storage.udid for mapping in mapped(node, volume)}
        expect.equal({node.volume.info["data"]["target_UDID"]}, udids, "the UDID")
    with node.check("the volume's disks are tagged with its id"):
        expect.equal({mapping.backing_storage.tag for mapping in mapped(node, volume)},
                     {volume.id}, "the tags")
    with node.check("extends it"):
        volume.extend()
        extend(node, volume)
    with node.check("detaches it, and its disks go from the servers"):
        node.driver.detach_volume(node.context, volume.info, node.server, "/dev/sdb")
        expect.equal(mapped(node, volume), [], "what maps it")
        expect.equal(disks(node, volume), [], "the disks")
    with node.check("detaches it once more without a word"):
        node.driver.detach_volume(node.context, volume.info, node.server, "/dev/sdb")
    with node.check("a volume that no server can see is not attached"):
        hidden = cinder.Volume(node.simulator, "fc-hidden")
        info = hidden.connect(connector)
        hidden.disconnect(connector)
        error = expect.refused(Exception, lambda: node.driver.attach_volume(
            node.context, info, node.server, "/dev/sdc"), "the hidden volume")
        # nova-powervm has an exception of its own with the name of Nova's.
        expect.equal(type(error).__name__, "VolumeAttachFailed", "what was raised")
        expect.equal(mapped(node, hidden), [], "what maps it")
        hidden.delete()


def check_destroyed(node):
    """A server that is destroyed with its volume."""
    with node.check("a server's volume is unmapped when it is destroyed, and stays"):
        volume, connector = node.volume, node.connector
        volume.connect(connector)
        made = node.spawn("with-volume", _flavor(), node.image, volumes=[volume])
        expect.equal(len(mapped(node, volume)), SERVERS, "the servers that map it")
        node.destroy(made, volumes=[volume])
        expect.equal(mapped(node, volume), [], "what maps it afterwards")
        expect.equal(volume.shown()["id"], volume.id, "the volume that stays")
    with node.check("the storage lets it go"):
        volume.disconnect(connector)
        volume.delete()


def extend(node, volume):
    """Lets the driver know that the volume has grown."""
    method = node.driver.extend_volume
    given = (volume.info, node.server, cinder.LARGER_GB << 30)
    # Later releases of Nova hand the context over too.
    method(*(given if len(inspect.signature(method).parameters) == 3 else (node.context, *given)))


def mapped(node, volume):
    """The mappings of the volume's disks, on all servers."""
    names = {(disk["vios"], disk["name"]) for disk in volume.shown()["disks"]}
    return [mapping for vios in node.vioses() for mapping in vios.scsi_mappings
            if isinstance(mapping.backing_storage, pvm_stg.PV)
            and (vios.name, mapping.backing_storage.name) in names]


def disks(node, volume):
    """The volume's disks, on all servers."""
    found = volume.shown()["disks"]
    there = {(vios.name, disk.name) for vios in node.vioses(const.XAG.VIO_STOR)
             for disk in vios.phys_vols}
    for disk in found:
        expect.true((disk["vios"], disk["name"]) in there, "%(vios)s lists %(name)s" % disk)
    return found


def _flavor():
    from nova_suite import instances

    return instances.flavor()
