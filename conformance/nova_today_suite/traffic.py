"""What the compute service asks of the host, as the simulator has logged it."""

import collections
import re
import urllib.parse

from pypowervm_suite import expect

# So many requests are remembered.
MOST = 4096
EVENTS = "/uom/Event?"
VIOS = re.compile(r"/VirtualIOServer/([0-9A-Fa-f-]{36})$")


class Traffic:
    """Requests from now on."""

    def __init__(self, simulator):
        self._simulator = simulator
        self._after = simulator.admin("/requests?most=1")["total"]

    def read(self):
        """What there was until now, waiting for events aside.

        Gives the number of requests, writes of mappings by Virtual I/O Server, and the number of conflicts.
        """
        told = self._simulator.admin("/requests?after=%d&most=%d" % (self._after, MOST))
        expect.equal(len(told["requests"]), told["total"] - self._after, "the requests that are remembered")
        requests = [request for request in told["requests"] if EVENTS not in request["url"]]
        writes = collections.Counter(vios for request in requests for vios in [written(request)] if vios)
        refused = [request for request in requests if request["status"] == 412]
        return len(requests), writes, len(refused)


def written(request):
    """The Virtual I/O Server whose mappings a request writes; nothing for other requests."""
    url = urllib.parse.urlsplit(request["url"])
    found = VIOS.search(url.path)
    if request["method"] != "POST" or not found:
        return None
    groups = urllib.parse.parse_qs(url.query).get("group")
    return found.group(1) if groups is None or "ViosSCSIMapping" in groups[0] else None
