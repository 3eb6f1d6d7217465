"""Our driver in the place of Nova's fake drivers, and what Nova's fixtures lack for it."""

import copy
import os
import sys
import threading
import warnings

from oslo_utils.fixture import uuidsentinel

from nova import conf
from nova import exception
from nova.tests.fixtures import cinder as volumes
from nova.tests.fixtures import conf as settings
from nova.tests.fixtures import neutron as networks
from nova.tests import fixtures
from nova.virt import fake
from nova.virt import powervm
from nova_functional_suite import images
from nova_suite import cinder
from nova_today_suite import site as sites

CONF = conf.CONF
VLAN = 101


class Drivers:
    """Which of our drivers were started since the last test."""

    def __init__(self, room):
        self.room = room
        self._lock = threading.Lock()
        self._open = []
        self.started = 0

    def started_one(self, driver):
        with self._lock:
            self._open.append(driver)
            self.started += 1

    def close(self):
        """Ends those that their test left open; gives how many were started."""
        with self._lock:
            left, self._open = self._open, []
            started, self.started = self.started, 0
        for driver in left:
            driver.cleanup_host(None)
        return started


def install(room):
    """From here on Nova's fake drivers are ours; gives the Drivers."""
    drivers = Drivers(room)

    class Driver(powervm.PowerVMDriver):
        """Ours, with a host and an address of its own: Nova's tests have one configuration for all hosts."""

        # Nova's tests read it from the class.
        vcpus, memory_mb, local_gb = 0, 0, 0

        def __init__(self, virtapi, read_only=False):
            super().__init__(virtapi)
            self._address = self._name = None

        def init_host(self, host):
            for name, value in room.options(host).items():
                CONF.set_override(name, value, group="powervm")
            self._address = "192.0.2.%d" % (room.number(host) + 1)
            self._name = host
            drivers.started_one(self)
            super().init_host(host)

        def get_available_nodes(self, refresh=False):
            return [self._name]

        def get_available_resource(self, nodename):
            found = super().get_available_resource(nodename)
            return dict(found, uuid=getattr(uuidsentinel, "node_%s" % nodename))

        def get_nodenames_by_uuid(self, refresh=False):
            # As Nova's fake driver has it.
            return {getattr(uuidsentinel, "node_%s" % self._name): self._name}

        def snapshot(self, *arguments, **keywords):
            # The management partition sees the disk.
            sites.Site(None, room.simulator, None).show_disks()
            super().snapshot(*arguments, **keywords)

        def get_host_ip_addr(self):
            return self._address

    theirs = fake.FakeDriver
    fake.FakeDriver = Driver
    for kind in list(vars(fake).values()):
        if isinstance(kind, type) and theirs in kind.__bases__:
            kind.__bases__ = tuple(Driver if base is theirs else base for base in kind.__bases__)
    # This one only slows migrations down.
    fake.FakeLiveMigrateDriver = Driver

    # Nova's fixture makes errors of what newer libraries warn of.
    _after(fixtures.WarningsFixture, "setUp", lambda self: warnings.filterwarnings("ignore"))
    _configure()
    images.install()
    _bind_ports()
    _give_volumes(room)
    return drivers


def _after(owner, name, function):
    """Lets function(self) run after a method."""
    method = getattr(owner, name)

    def both(self, *arguments, **keywords):
        result = method(self, *arguments, **keywords)
        function(self)
        return result

    setattr(owner, name, both)


def _configure():
    """Nova's fixtures look for this file beside Nova's source."""
    path = os.path.join(sys.prefix, "etc/nova/api-paste.ini")
    _after(settings.ConfFixture, "setUp", lambda self: self.conf.set_default("api_paste_config", path, group="wsgi"))


def _bind_ports():
    """Ports that the SEA mechanism driver has bound."""
    for port in vars(networks.NeutronFixture).values():
        if isinstance(port, dict) and port.get("binding:vif_type") == "ovs":
            port["binding:vif_type"] = "pvm_sea"
            port["binding:vif_details"] = {"vlan": VLAN}


def _give_volumes(room):
    """Volumes of the simulated storage, mapped for the connectors that they are attached with."""
    find = volumes.CinderFixture._find_connection_info

    def find_ours(self, volume_id, attachment_id):
        try:
            _, attachment, _ = self._find_attachment(attachment_id)
        except exception.VolumeAttachmentNotFound:
            attachment = {}
        connector = attachment.get("connector")
        if not connector or "wwpns" not in connector:
            return find(self, volume_id, attachment_id)
        made = self.__dict__.setdefault("_simulated", {})
        if volume_id not in made:
            made[volume_id] = cinder.Volume(room.simulator, "functional-%d" % len(made))
        plain = {key: value for key, value in connector.items() if key != "device"}
        told = cinder.ask(room.simulator, "POST", "/volumes/%s/map" % made[volume_id].id,
                          {"connector": plain, "chap": False})["connection_info"]
        told = copy.deepcopy(told)
        told["data"].update(volume_id=volume_id, attachment_id=attachment_id)
        return told

    volumes.CinderFixture._find_connection_info = find_ours
