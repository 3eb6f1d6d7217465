"""What placement has of a host, beside what the host really has and what its servers are."""

import math

from nova_suite import rest
from pypowervm_suite import expect

# Names in placement, and in the flavor of a server.
BOOKED = {"VCPU": "vcpus", "MEMORY_MB": "ram", "DISK_GB": "disk"}


class Book:
    """Holds placement against the hosts; their systems are asked once for what they have."""

    def __init__(self, site):
        self._site = site
        self._wanted = {}

    def check(self, subject):
        """A check, after a subject of that name."""
        cloud = self._site.cloud
        with self._site.check("after %s, placement has what hosts have, and what servers were given" % subject):
            servers = [server for server in cloud.api.get_servers()
                       if server["status"] not in ("SHELVED_OFFLOADED", "ERROR")]
            for host, link in cloud.links.items():
                provider = cloud.provider(host)
                if host not in self._wanted:
                    self._wanted[host] = has(rest.Session(link), cloud.disks)
                inventory = cloud._get_provider_inventory(provider)
                expect.equal({name: inventory[name]["total"] for name in BOOKED}, self._wanted[host],
                             "the inventory of " + host)
                flavors = [server["flavor"] for server in servers if server["OS-EXT-SRV-ATTR:host"] == host]
                given = {name: sum(flavor[key] for flavor in flavors) for name, key in BOOKED.items()}
                expect.equal(cloud._get_provider_usages(provider), given, "what is used of " + host)


def has(session, disks):
    """What a system has, as its console tells it."""
    (units,) = session.values("ManagedSystem", "ConfigurableSystemProcessorUnits")
    (memory,) = session.values("ManagedSystem", "ConfigurableSystemMemory")
    if disks == "ssp":
        disk = session.values("SharedStoragePool", "Capacity")[0]
    else:
        disk = volume_group(session, "datavg")
    return {"VCPU": math.ceil(float(units)), "MEMORY_MB": int(memory), "DISK_GB": int(float(disk))}


def volume_group(session, name):
    """The size of the volume group of that name."""
    for vios in session.values("VirtualIOServer?group=None", "PartitionUUID"):
        path = "VirtualIOServer/%s/VolumeGroup" % vios
        sizes = dict(zip(session.values(path, "GroupName"), session.values(path, "GroupCapacity")))
        if name in sizes:
            return sizes[name]
    return None
