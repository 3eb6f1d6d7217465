"""What happened on the host, by the simulator's own counters."""

import collections


class Counts:
    """From now on."""

    def __init__(self, simulator):
        self._simulator = simulator
        self._before = simulator.admin("/counters")

    def read(self):
        """What was added: requests, uploads and preconditions_failed; mapping_writes by Virtual I/O Server."""
        now, before = self._simulator.admin("/counters"), self._before
        told = {name: now[name] - before[name] for name in ("requests", "uploads", "preconditions_failed")}
        writes = collections.Counter(now["mapping_writes"])
        writes.subtract(before["mapping_writes"])
        return dict(told, mapping_writes=dict(writes))
