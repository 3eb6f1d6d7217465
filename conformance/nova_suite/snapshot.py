"""A server's disk captured to Glance."""

from nova import conf
from nova import exception
from pypowervm.wrappers import storage as pvm_stg

from nova_suite import management
from pypowervm_suite import expect

CONF = conf.CONF


def check(node):
    """With node.server."""
    image = node.glance.add("captured", b"")
    states = []
    devices = node.management.devices()

    def update_task_state(task_state, expected_state=None):
        states.append((task_state, expected_state))

    def snapshot():
        node.driver.snapshot(node.context, node.server, image["id"], update_task_state)

    if CONF.powervm.disk_driver != "ssp":
        with node.check("a snapshot of a disk on another server is refused"):
            expect.refused(exception.NotSupportedWithOption, snapshot, "the snapshot")
        return
    with node.check("snapshots the boot disk through the management partition"):
        snapshot()
        boot = next(mapping.backing_storage
                    for mappings in node.mappings(node.partition(node.server).id).values()
                    for mapping in mappings if isinstance(mapping.backing_storage, pvm_stg.LU))
        expect.equal(image.data, management.Management.content(boot.udid), "what Glance got")
        expect.equal([state for state, _ in states], ["image_pending_upload", "image_uploading"],
                     "the task states")
    with node.check("nothing of the snapshot is left on the management partition"):
        expect.equal(node.management.devices(), devices, "its devices")
        units = [mapping.backing_storage
                 for mappings in node.mappings(management.PARTITION_ID).values()
                 for mapping in mappings if isinstance(mapping.backing_storage, pvm_stg.LU)]
        expect.equal(units, [], "the units mapped to it")
    with node.check("the server still has all its mappings"):
        found = node.mappings(node.partition(node.server).id)
        expect.equal(sorted(len(mappings) for mappings in found.values()), [1, 2], "the mappings")
