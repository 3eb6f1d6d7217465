"""What checks share: the report, the simulator as its own interface shows it, and what earlier checks kept."""

import hashlib
import os
import re
import time

from pypowervm_suite import expect

BOOT_SECONDS = 30

# So many requests are remembered.
MOST = 4096


class Site:
    """A host and the cloud on it."""

    # What a disk holds, as far as the management partition can see.
    DISK_BYTES = 256 * 1024

    def __init__(self, report, simulator, cloud):
        self.report = report
        self.simulator = simulator
        self.cloud = cloud

    def check(self, name):
        """A check; see Report."""
        return self.report.check(name)

    def keep(self, name, value):
        """Keeps it for later checks, and gives it back."""
        setattr(self, name, value)
        return value

    def partition(self, server):
        """The server's partition; None if there is none."""
        found = [partition for partition in self.simulator.admin("/inventory")["partitions"]
                 if partition["uuid"].lower() == partition_uuid(server["id"])]
        return found[0] if found else None

    def check_runs(self, server):
        """Its guest runs, or does so soon: a partition is in its firmware first."""
        deadline = time.monotonic() + BOOT_SECONDS
        while self.partition(server)["state"] == "open firmware" and time.monotonic() < deadline:
            time.sleep(0.05)
        expect.equal(self.partition(server)["state"], "running", "its state")

    def disk(self, server):
        """The disk that a server with an image has: its UDID, and what lies on it."""
        name = re.sub("[^.0-9A-Z_a-z]", "_", self.partition(server)["name"])
        # A disk that is made anew is there before the old one goes: it has two names in turn.
        names = {"boot_" + name, "boot_%s." % name}
        names.update("b_%s%s%s" % (name[:8], mark, server["id"][:4]) for mark in "_.")
        found = [(udid, disk) for udid, disk in self.simulator.contents().items() if disk["name"] in names]
        return expect.single(found, "disks of %s among those that something lies on" % name)

    def asked(self):
        """How many requests the host has answered so far."""
        return self.simulator.admin("/requests?most=1")["total"]

    def jobs(self, operation, after):
        """The jobs of that name that were begun after so many requests: their URLs."""
        told = self.simulator.admin("/requests?after=%d&most=%d&method=PUT&contains=/do/%s" % (after, MOST, operation))
        return [request["url"] for request in told["requests"]]

    def seen_of(self, udid):
        """What the management partition sees of a disk."""
        return hashlib.sha256(udid.encode()).digest() * (self.DISK_BYTES // 32)

    def show_disks(self):
        """Lets the management partition see all disks, each with other bytes: files stand for them, named as Linux names
        disks.
        """
        folder = os.path.join(self.simulator.folder, "by-id")
        os.makedirs(folder, exist_ok=True)
        told = self.simulator.admin("/inventory")
        groups = [group for vios in told["virtual_io_servers"] for group in vios["volume_groups"]]
        disks = [disk for group in groups for disk in group["virtual_disks"]]
        for disk in disks + [unit for tier in told["tiers"] for unit in tier["logical_units"]]:
            with open(os.path.join(folder, "scsi-SIM%s" % disk["udid"]), "wb") as file:
                file.write(self.seen_of(disk["udid"]))

    def inventory(self):
        """A set of lines, one for each thing that a server is made of."""
        told = self.simulator.admin("/inventory")
        lines = set()
        for partition in told["partitions"]:
            lines.add("partition %s" % partition["name"])
            lines.update("adapter %s of %s" % (adapter, partition["name"]) for adapter in partition["network_adapters"])
        for vios in told["virtual_io_servers"]:
            for mapping in vios["scsi_mappings"]:
                lines.update("mapping %s of %s in slot %s to %s" % (
                    target, vios["name"], mapping["slot"], mapping["client"]) for target in mapping["targets"])
            for group in vios["volume_groups"]:
                lines.update("disk %s on %s" % (disk["name"], vios["name"]) for disk in group["virtual_disks"])
                lines.update("medium %s on %s" % (_name(medium), vios["name"]) for medium in group["media"])
        for tier in told["tiers"]:
            lines.update("unit %s" % unit["name"] for unit in tier["logical_units"])
        lines.update("file %s" % _name(file) for file in told["files"])
        return lines

    def compare(self, before):
        """What is left since then, and what is lost."""
        now = self.inventory()
        return sorted(now - before), sorted(before - now)


def _name(thing):
    return thing.get("name", thing) if isinstance(thing, dict) else thing


def partition_uuid(instance):
    """The UUID of an instance's partition: its first bit is never set."""
    return "%x%s" % (int(instance[0], 16) & 7, instance[1:].lower())


def name_of(subject):
    """A function full of checks, by module and name."""
    return "%s.%s" % (subject.__module__.rsplit(".", 1)[-1], subject.__name__)
