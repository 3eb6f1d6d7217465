"""Two hosts, each on a simulator of its own, with one pool between them.

A console knows no partition of another one, so that a server which goes from one to the other can be on both for a
while. Two simulators do not tell each other of the units of their pool: who moves a server shows its disk to the other.
"""

from nova_today_suite import site as sites


class Pair(sites.Site):
    """As Site; simulators: by the names of the hosts."""

    def __init__(self, report, cloud, simulators):
        super().__init__(report, next(iter(simulators.values())), cloud)
        self.simulators = simulators

    def partition(self, server):
        """The server's partition on the host that Nova has it on; None if there is none."""
        self.simulator = self.simulators[self.cloud.api.get_server(server["id"])["OS-EXT-SRV-ATTR:host"]]
        return super().partition(server)

    def inventory(self):
        """As Site's, with the host before each line."""
        lines = set()
        for host, simulator in self.simulators.items():
            self.simulator = simulator
            lines.update("%s: %s" % (host, line) for line in super(Pair, self).inventory())
        return lines

    def show_disk(self, name, gigabytes):
        """Has the unit in the pool as every host sees it."""
        for host, simulator in self.simulators.items():
            (tier,) = simulator.admin("/inventory")["tiers"]
            if name not in {unit["name"] for unit in tier["logical_units"]}:
                self.consoles[host].add_unit(tier["uuid"], name, gigabytes)
