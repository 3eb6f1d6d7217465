"""The compute driver: what of Nova's interface PowerVM can do, translated and handed to the driver in Rust."""

import json

from oslo_log import log as logging

from nova.compute import power_state
import nova.conf
from nova.console import type as types
from nova import exception
from nova.virt import driver
from nova.virt import hardware
from nova.virt import node
from nova.virt.powervm import _native
from nova.virt.powervm import calls
from nova.virt.powervm import errors
from nova.virt.powervm import events
from nova.virt.powervm import hosts
from nova.virt.powervm import inventory
from nova.virt.powervm import live_migration
from nova.virt.powervm import migration
from nova.virt.powervm import options
from nova.virt.powervm import plain
from nova.virt.powervm import servers
from nova.virt.powervm import volumes

LOG = logging.getLogger(__name__)
CONF = nova.conf.CONF
options.register(CONF)

POWER_STATES = {
    "running": power_state.RUNNING,
    "shutdown": power_state.SHUTDOWN,
    "suspended": power_state.SUSPENDED,
    "crashed": power_state.CRASHED,
}


class PowerVMDriver(servers.Servers, volumes.Volumes, migration.Migration, live_migration.LiveMigration,
                    hosts.Meters, driver.ComputeDriver):
    """Drives one host."""

    capabilities = dict(
        driver.ComputeDriver.capabilities,
        supports_attach_interface=True,
        supports_evacuate=True,
        supports_extend_volume=True,
        supports_image_type_raw=True,
    )

    # Addresses of ports are made anew on the next host.
    deallocate_networks_on_reschedule = True

    def __init__(self, virtapi):
        super().__init__(virtapi)
        self._host = None
        self._call = calls.Caller()
        self._capacity = inventory.Capacity(lambda: self._call("capacity", {}))
        self._listener = None
        self._records = None
        self._uuid = None
        self._vnc_port = None
        # The name of the host, and of its only node.
        self.node = None

    # The host.

    def init_host(self, host):
        self.node = host
        settings = options.settings(CONF, host)
        # Images are kept in a volume group; a pool keeps them as long as a disk is a clone of them.
        self.capabilities = dict(self.capabilities, has_imagecache=CONF.powervm.disk_driver.lower() == "localdisk")
        self._records = calls.Records()
        with errors.told():
            self._host = calls.outcome(_native.connect(json.dumps(settings)))
            self._call = calls.Caller(self._host)
            for found in self._call("recover", {}):
                LOG.warning("What an earlier nova-compute left half done, '%s', %s.", found["title"],
                            "is still left: %s" % found["trouble"]["message"] if found["trouble"]
                            else "is finished or undone")
        self._begin_meters()
        self._serve_consoles()
        self._listener = events.Listener(self._host, self.emit_event)

    def cleanup_host(self, host):
        if self._host is None:
            return
        try:
            calls.outcome(self._host.close())
        except _native.Trouble as trouble:
            LOG.warning("The session could not be ended: %s", errors.Failure(trouble).message)
        self._listener.join()
        self._records.close()
        # With the last who knows the host goes what keeps other drivers from it.
        self._host = self._call.host = self._listener = None

    def get_available_nodes(self, refresh=False):
        return [self.node or CONF.host]

    def get_nodenames_by_uuid(self, refresh=False):
        if self._uuid is None:
            self._uuid = node.get_local_node_uuid()
        return {self._uuid: self.get_available_nodes()[0]}

    def get_host_ip_addr(self):
        return CONF.my_ip

    def get_available_resource(self, nodename):
        with errors.told():
            found = inventory.resources(self._capacity.now(), self._call("sriov", {}), nodename)
        (uuid,) = self.get_nodenames_by_uuid()
        return dict(found, uuid=uuid)

    def update_provider_tree(self, provider_tree, nodename, allocations=None):
        with errors.told():
            capacity = self._capacity.lately()
        known = provider_tree.data(nodename).inventory
        provider_tree.update_inventory(
            nodename, inventory.records(capacity, self._get_allocation_ratios(known),
                                        self._get_reserved_host_disk_gb_from_config()))

    # Servers as they are.

    def get_info(self, instance, use_cache=True):
        with errors.told():
            state = self._call("power_state", {"instance": instance.uuid})
        return hardware.InstanceInfo(state=POWER_STATES.get(state, power_state.NOSTATE))

    def instance_exists(self, instance):
        try:
            self.get_info(instance)
        except exception.InstanceNotFound:
            return False
        return True

    def list_instances(self):
        with errors.told():
            return [server["name"] for server in self._call("list", {})]

    def list_instance_uuids(self):
        # Nova 31 asks whether a new host is empty before it lets the driver begin.
        if self._host is None:
            return []
        # A partition's UUID lacks a bit of its instance's: both that can be are named, and Nova knows one of them.
        with errors.told():
            return [uuid for server in self._call("list", {}) for uuid in _instances(server["id"])]

    def instance_on_disk(self, instance):
        request = {"instance": instance.uuid, "name": instance.name}
        with errors.told():
            return self._call("instance_on_disk", request, instance=instance)

    # Power.

    def power_off(self, instance, timeout=0, retry_interval=0):
        with errors.told():
            self._call("stop", {"instance": instance.uuid, "hard": not timeout}, instance=instance)

    def power_on(self, context, instance, network_info, block_device_info=None, accel_info=None, share_info=None):
        with errors.told():
            self._call("start", {"instance": instance.uuid}, context=context, instance=instance)

    def reboot(self, context, instance, network_info, reboot_type, block_device_info=None,
               bad_volumes_callback=None, accel_info=None, share_info=None):
        request = {"instance": instance.uuid, "hard": reboot_type == "HARD"}
        with errors.told():
            self._call("reboot", request, context=context, instance=instance)

    def resume_state_on_host_boot(self, context, instance, network_info, share_info=None, block_device_info=None):
        self.power_on(context, instance, network_info, block_device_info)

    def suspend(self, context, instance):
        with errors.told():
            self._call("suspend", {"instance": instance.uuid}, context=context, instance=instance)

    def resume(self, context, instance, network_info, block_device_info=None, share_info=None):
        with errors.told():
            self._call("resume", {"instance": instance.uuid}, context=context, instance=instance)

    def trigger_crash_dump(self, instance):
        with errors.told():
            self._call("dump", {"instance": instance.uuid}, instance=instance)

    # Interfaces.

    def attach_interface(self, context, instance, image_meta, vif):
        self._plug(instance, vif)

    def detach_interface(self, context, instance, vif):
        self._unplug(instance, vif)

    def plug_vifs(self, instance, network_info):
        for vif in network_info:
            self._plug(instance, vif)

    def unplug_vifs(self, instance, network_info):
        for vif in network_info:
            self._unplug(instance, vif)

    def _plug(self, instance, vif):
        request = {"instance": instance.uuid, "port": plain.port(vif, instance)}
        with errors.told():
            self._call("attach_interface", request, instance=instance)

    def _unplug(self, instance, vif):
        request = {"instance": instance.uuid, "mac": vif["address"]}
        with errors.told():
            self._call("detach_interface", request, instance=instance)

    # Consoles.

    def get_vnc_console(self, context, instance):
        with errors.told():
            told = self._call("open_console", {"instance": instance.uuid}, context=context, instance=instance)
        # vnc.server_proxyclient_address has to be one that leads to this machine.
        host = CONF.vnc.server_proxyclient_address
        if self._vnc_port:
            # All consoles are behind one port: the proxy names the one that it wants.
            return types.ConsoleVNC(host=host, port=self._vnc_port, internal_access_path=instance.uuid)
        return types.ConsoleVNC(host=host, port=told["port"])

    def _serve_consoles(self):
        if not CONF.vnc.enabled or not CONF.powervm.vnc_port:
            return
        with errors.told():
            if self._call("host", {})["managed_by"] != "novalink":
                return
        address = "%s:%d" % (CONF.vnc.server_listen, CONF.powervm.vnc_port)
        try:
            served = calls.told(self._host.serve_consoles(address))
        except _native.Trouble as trouble:
            # Whoever uses no consoles shall not be kept from work.
            LOG.error("%s", errors.Failure(trouble).message)
            return
        self._vnc_port = served["port"]
        if not served["is_encrypted"] and CONF.vnc.server_listen not in ("127.0.0.1", "::1", "localhost"):
            LOG.warning("Consoles are served to whoever reaches %s, and unencrypted.", address)


def _instances(partition):
    """The instances that a partition can belong to."""
    first = int(partition[0], 16)
    return ["%x%s" % (digit, partition[1:].lower()) for digit in (first & 7, first | 8)]
