"""iSCSI volumes through a Virtual I/O Server."""

from nova_suite import cinder
from nova_suite import volumes
from pypowervm_suite import expect


def check(node):
    """With node.server, which runs."""
    node.reachable(node.server)
    with node.check("iSCSI: the connector names an initiator"):
        connector = node.driver.get_volume_connector(node.server)
        expect.matches(connector["initiator"], r"iqn\.[-.:a-z0-9]+", "the initiator")
    for name, chap in (("iSCSI", False), ("iSCSI with CHAP", True)):
        _check(node, name, connector, chap)


def _check(node, name, connector, chap):
    volume = cinder.Volume(node.simulator, "iscsi-volume", protocol="iscsi")
    with node.check(name + ": attaches a volume to a running server"):
        info = volume.connect(connector, chap=chap)
        expect.equal(info["driver_volume_type"], "iscsi", "the connection")
        expect.equal("auth_password" in info["data"], chap, "credentials are told")
        node.driver.attach_volume(node.context, info, node.server, "/dev/sdd")
        mapping = expect.single(volumes.mapped(node, volume), "mappings")
        expect.equal(mapping.backing_storage.udid, info["data"]["target_UDID"], "the UDID")
    with node.check(name + ": extends it, and the server's disk grows"):
        volume.extend()
        volumes.extend(node, volume)
        mapping = expect.single(volumes.mapped(node, volume), "mappings")
        expect.equal(mapping.backing_storage.capacity, cinder.LARGER_GB * 1024, "the size in MB")
    with node.check(name + ": detaches it, and its disk goes"):
        node.driver.detach_volume(node.context, volume.info, node.server, "/dev/sdd")
        expect.equal(volumes.mapped(node, volume), [], "what maps it")
        expect.equal(volumes.disks(node, volume), [], "the disks")
        volume.disconnect(connector)
        volume.delete()
