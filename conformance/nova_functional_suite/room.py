"""The machine room that a process's tests run in: some systems with one storage, put back before each test."""

import os

from pypowervm_suite import simulator as simulators
from pypowervm_suite.report import Unmet

# As many compute services as a test starts at most.
SYSTEMS = 4


# Nova's tests change a server as soon as it is there.
WEATHER = """base = "calm"
[pace.rmc]
low_ms = 0
high_ms = 0
"""


class Room:
    """A simulator, and which of its systems each compute service has."""

    def __init__(self, program, folder):
        self.folder = folder
        os.makedirs(folder, mode=0o700)
        weather = os.path.join(folder, "weather.toml")
        with open(weather, "w", encoding="utf-8") as file:
            file.write(WEATHER)
        self.simulator = simulators.Simulator(
            program, "novalink", folder,
            ["--systems", str(SYSTEMS), "--partitions", "0", "--shared-storage"], weather=weather)
        self._password = os.path.join(folder, "password")
        with open(self._password, "w", encoding="utf-8") as file:
            file.write(self.simulator.password + "\n")
        self._ports = [port for port, _ in self.simulator.novalinks()]
        self._hosts = []
        self._tests = 0
        self.simulator.order("POST", "/snapshots/empty")

    def renew(self):
        """Puts everything back to the beginning; hosts are forgotten."""
        self._hosts = []
        self._tests += 1
        self.simulator.order("POST", "/snapshots/empty/load")

    def number(self, host):
        """The number of that host's system."""
        if host not in self._hosts:
            if len(self._hosts) == len(self._ports):
                raise Unmet("there are no more than %d systems" % SYSTEMS)
            self._hosts.append(host)
        return self._hosts.index(host)

    def options(self, host):
        """What that host's nova.conf has in its group powervm."""
        number = self.number(host)
        return {
            "endpoint": "http://127.0.0.1:%d" % self._ports[number],
            "endpoint_user": self.simulator.user,
            "endpoint_password_file": self._password,
            "endpoint_tries": 1,
            "journal": os.path.join(self._journals(), "%d.journal" % number),
            # Other programs drive simulated systems with the same serial number at the same time.
            "host_lock": os.path.join(self._journals(), str(number)),
            "disk_driver": "ssp",
            "device_folder": os.path.join(self.folder, "by-id"),
        }

    def _journals(self):
        """A folder for each test."""
        path = os.path.join(self.folder, "journals-%d" % self._tests)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def used(self):
        """Whether anything was made since the beginning."""
        return bool(self.simulator.admin("/snapshots/empty/diff/now"))
