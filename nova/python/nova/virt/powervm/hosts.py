"""How the host and what runs on it are doing."""

import threading

from oslo_log import log as logging

import nova.conf
from nova.virt.powervm import _native
from nova.virt.powervm import errors

LOG = logging.getLogger(__name__)
CONF = nova.conf.CONF

# Nova's counts of processor time, and the driver's.
TIMES = {"kernel": "kernel_ns", "user": "user_ns", "idle": "idle_ns", "iowait": "iowait_ns"}


class Meters:
    """Of the compute driver: the part about meters."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self._times = dict.fromkeys(TIMES, 0)
        self._sampled = None
        self._times_lock = threading.Lock()

    def _begin_meters(self):
        """Has the host take samples, where an operator wants Nova to read them."""
        if not any(name.startswith("cpu.") or name == "virt_driver" for name in CONF.compute_monitors):
            return
        try:
            self._call("monitor", {})
        except _native.Trouble as trouble:
            LOG.warning("The host's long term monitor could not be switched on: %s", errors.Failure(trouble).message)

    def get_host_uptime(self):
        with errors.told():
            return self._call("uptime", {})["text"]

    def get_host_cpu_stats(self):
        """Running totals since this process began; a sample is taken every 30 s."""
        with errors.told():
            told = self._call("host_meters", {})
            clock = self._call("clock", {})
        with self._times_lock:
            if told["cpu"] and told["sampled_at"] != self._sampled:
                self._sampled = told["sampled_at"]
                for name, field in TIMES.items():
                    self._times[name] += told["cpu"][field]
            return dict(self._times, frequency=clock or 0)

    def get_diagnostics(self, instance):
        """As a flat dictionary: the names are those that other drivers give to the same."""
        with errors.told():
            told = self._call("diagnostics", {"instance": instance.uuid}, instance=instance)
        flat = {"memory": told["memory_details"]["maximum"] * 1024, "uptime": told["uptime"]}
        for number, cpu in enumerate(told["cpu_details"]):
            flat["cpu%d_time" % number] = cpu["time"]
        for nic in told["nic_details"]:
            name = (nic["mac_address"] or "unknown").replace(":", "")
            for ours, theirs in (("rx_octets", "rx"), ("rx_packets", "rx_packets"), ("rx_drop", "rx_drop"),
                                 ("rx_errors", "rx_errors"), ("tx_octets", "tx"), ("tx_packets", "tx_packets"),
                                 ("tx_errors", "tx_errors")):
                flat["%s_%s" % (name, theirs)] = nic[ours]
        for number, disk in enumerate(told["disk_details"]):
            for ours, theirs in (("read_requests", "read_req"), ("read_bytes", "read"),
                                 ("write_requests", "write_req"), ("write_bytes", "write")):
                flat["disk%d_%s" % (number, theirs)] = disk[ours]
        return {name: value for name, value in flat.items() if value is not None}
