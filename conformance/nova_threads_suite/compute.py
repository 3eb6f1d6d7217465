"""The driver as nova-compute has it, and what nova-compute would hand to it."""

import contextlib
import itertools
import os
import threading
import time
import uuid

from nova import conf
from nova.network import model
from nova.virt import driver as drivers
from nova_suite import configuration
from nova_suite import database
from nova_suite import instances
from pypowervm_suite.report import Unmet

CONF = conf.CONF
HOST = "conformance"
# Of the switch that the simulated system has a shared adapter on.
VLAN = 1
# Seconds that a port may take to be up.
PATIENCE = 60
NO_VOLUMES = {"root_device_name": "/dev/sda", "swap": None, "ephemerals": [], "block_device_mapping": []}


class VirtAPI:
    """What nova-compute offers its driver: here Neutron has nothing to wait for; waited: what was waited for."""

    def __init__(self):
        self.waited = []

    @contextlib.contextmanager
    def wait_for_instance_event(self, instance, event_names, *arguments, **keywords):
        yield
        self.waited.extend(event_names)


class Compute:
    """A driver on a simulated host; glance: its image service."""

    def __init__(self, simulator, folder):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        password = os.path.join(folder, "password")
        with open(password, "w", encoding="utf-8") as file:
            file.write(simulator.password + "\n")
        self.glance = configuration.configure(folder, HOST)
        self.virtapi = VirtAPI()
        # As Nova does it: by the value of compute_driver.
        self.driver = drivers.load_compute_driver(self.virtapi, "powervm.PowerVMDriver")
        for name, value in {
                "endpoint": "http://127.0.0.1:%d" % simulator.http_port,
                "endpoint_user": simulator.user,
                "endpoint_password_file": password,
                "endpoint_tries": 1,
                "journal": os.path.join(folder, "journal"),
                # Other programs drive simulated systems with the same serial number at the same time.
                "host_lock": folder,
                "disk_driver": "ssp",
                # Each console is at a port of its own.
                "vnc_port": 0,
        }.items():
            CONF.set_override(name, value, group="powervm")
        CONF.set_override("vif_plugging_timeout", PATIENCE)
        self._numbers = itertools.count(1)

    def server(self, image):
        """A server to be: its instance, its image and its port."""
        number = next(self._numbers)
        wanted = instances.flavor(memory_mb=512, root_gb=1, proc_units="0.05")
        made = instances.instance(HOST, "threads-%d" % number, wanted, config_drive=True, image=image)
        network = model.Network(id=str(uuid.uuid4()), bridge="br-int", label="conformance", subnets=[],
                                meta={"mtu": 1450})
        port_id = str(uuid.uuid4())
        vif = model.VIF(id=port_id, address="fa:16:3e:00:%02x:%02x" % divmod(number, 256), network=network,
                        type="pvm_sea", details={"vlan": VLAN}, vnic_type="normal",
                        devname=("tap" + port_id)[:model.NIC_NAME_LEN], active=False)
        database.servers[made.uuid] = made
        return made, image, model.NetworkInfo([vif])

    def spawn(self, server):
        """Makes it, as nova-compute does."""
        made, image, ports = server
        made.task_state = "spawning"
        self.driver.spawn(made._context, made, instances.image_meta(image), [], "secret", {}, network_info=ports,
                          block_device_info=NO_VOLUMES)
        made.task_state = None

    def destroy(self, server):
        """Removes it."""
        made, _, ports = server
        made.task_state = "deleting"
        self.driver.destroy(made._context, made, ports, NO_VOLUMES, True)


def at_once(action, things):
    """Does it with each thing in a thread of its own, all from one moment on; gives the seconds until the last is done.

    The threads are green where Nova's backend is eventlet.
    """
    barrier = threading.Barrier(len(things) + 1)
    failures = []

    def run(thing):
        barrier.wait()
        try:
            action(thing)
        except Exception as error:  # whatever it is: the caller tells it
            failures.append("%s: %s" % (type(error).__name__, error))

    threads = [threading.Thread(target=run, args=(thing,), daemon=True) for thing in things]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join()
    if failures:
        raise Unmet("%d of %d failed: %s" % (len(failures), len(things), "; ".join(failures)))
    return time.monotonic() - began
