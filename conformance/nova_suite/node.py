"""A compute node: a driver, what it stands on, and a second pair of eyes on the simulator."""

from nova import conf
from pypowervm import util as pvm_util
from pypowervm.utils import uuid as pvm_uuid
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import virtual_io_server as pvm_vios
from pypowervm import const

from nova_suite import database
from nova_suite import instances
from pypowervm_suite import clients
from pypowervm_suite import expect

CONF = conf.CONF
# Larger than the pieces in which it is sent, and no multiple of them.
IMAGE_BYTES = 300 * 1024 + 512


class Node(clients.Site):
    """What the checks of one node share; its adapter is not the driver's."""

    def __init__(self, report, simulator, session, glance):
        super().__init__(report, simulator, session)
        self.glance = glance
        self.driver = self.virtapi = self.management = None
        self.context = instances.context()

    def spawn(self, name, wanted, image, vifs=(), volumes=None, **more):
        """Builds a server as nova-compute would; gives the instance."""
        made = instances.instance(CONF.host, name, wanted, image=image, **more)
        self.run(made, image, vifs, volumes)
        return made

    def run(self, made, image, vifs=(), volumes=None):
        """The driver's spawn."""
        database.servers[made.uuid] = made
        made.task_state = "spawning"
        self.driver.spawn(
            self.context, made, instances.image_meta(image), [], "secret", {},
            network_info=self.virtapi.expect(list(vifs)),
            block_device_info=block_devices(volumes))
        made.task_state = None
        made.vm_state = "active"

    def destroy(self, made, vifs=(), volumes=None):
        """The driver's destroy, with the disks."""
        made.task_state = "deleting"
        self.driver.destroy(self.context, made, list(vifs), block_devices(volumes), True)

    def state(self, made):
        """Nova's power state of the server."""
        return self.driver.get_info(made).state

    def partition(self, made):
        """The server's partition, read anew."""
        return pvm_lpar.LPAR.get(self.adapter, uuid=uuid_of(made))

    def vioses(self, *groups):
        """The Virtual I/O Servers with these groups (default: vSCSI mappings)."""
        return pvm_vios.VIOS.get(self.adapter, xag=groups or [const.XAG.VIO_SMAP])

    def reachable(self, made):
        """Waits until the server's partition can be changed while it runs."""
        clients.wait_until(lambda: self.partition(made).can_modify_io()[0], 30,
                           "RMC of %s is active" % made.name)

    def mappings(self, partition_id):
        """What is mapped to that partition over vSCSI, by the server's name."""
        return {vios.name: [mapping for mapping in vios.scsi_mappings
                            if mapping.server_adapter.lpar_id == partition_id]
                for vios in self.vioses()}


def uuid_of(made):
    """The UUID of the server's partition."""
    return pvm_uuid.convert_uuid_to_pvm(made.uuid).upper()


def id_of(href):
    """The UUID at a link's end."""
    return pvm_util.get_req_path_uuid(href, preserve_case=True)


def block_devices(volumes):
    """What nova-compute says of a server's volumes."""
    return {"root_device_name": "/dev/sda", "swap": None, "ephemerals": [],
            "block_device_mapping": [volume.mapping for volume in volumes or ()]}


def booted(partition):
    """The partition runs and says so."""
    expect.equal(partition.state, "running", "the partition's state")
