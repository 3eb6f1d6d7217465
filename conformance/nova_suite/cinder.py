"""Cinder: volumes of the simulator's storage network, made and mapped by its own API."""

import json
import urllib.request

from nova_suite import instances

LARGER_GB = 3


class Mapping(dict):
    """A block device mapping as nova-compute hands it to a driver."""

    def __init__(self, volume):
        super().__init__(guest_format=None, boot_index=None, mount_device="/dev/sdb",
                         connection_info=None, disk_bus=None, device_type="disk",
                         delete_on_termination=False)
        self.volume_id = volume.id
        self.save = instances.Saves()


class Volume:
    """A volume; info: how to reach it, once it is mapped."""

    def __init__(self, simulator, name, gigabytes=2, protocol="fibre_channel"):
        self._simulator = simulator
        made = ask(simulator, "POST", "/volumes", {
            "name": name, "gigabytes": gigabytes, "protocol": protocol})
        self.id = made["id"]
        self.naa = made["naa"]
        self.info = None
        self.mapping = Mapping(self)

    @classmethod
    def known(cls, simulator, volume_id, info):
        """One that somebody else made; info: how to reach it, as far as anybody knows."""
        volume = cls.__new__(cls)
        volume._simulator = simulator
        volume.id, volume.info = volume_id, info
        volume.mapping = Mapping(volume)
        volume.mapping["connection_info"] = info
        return volume

    def connect(self, connector, chap=False):
        """Lets the host that the connector describes use it; gives what Nova is told of it."""
        answer = ask(self._simulator, "POST", "/volumes/%s/map" % self.id,
                     {"connector": connector, "chap": chap})
        self.info = answer["connection_info"]
        # As nova-compute does.
        self.info["connector"] = connector
        self.mapping["connection_info"] = self.info
        return self.info

    def extend(self, gigabytes=LARGER_GB):
        """Makes it larger."""
        ask(self._simulator, "POST", "/volumes/%s/extend" % self.id, {"gigabytes": gigabytes})

    def disconnect(self, connector):
        """The host may not use it any more."""
        ask(self._simulator, "POST", "/volumes/%s/unmap" % self.id, {"connector": connector})

    def delete(self):
        """Removes it from the storage."""
        ask(self._simulator, "DELETE", "/volumes/%s" % self.id)

    def shown(self):
        """What the storage says of it."""
        return ask(self._simulator, "GET", "/volumes/%s" % self.id)


def ask(simulator, method, path, body=None):
    """A request to the simulator's own API; gives the answer, if there is one."""
    request = urllib.request.Request(
        simulator.ready["admin"] + path, method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + simulator.ready["admin_token"],
                 "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None
