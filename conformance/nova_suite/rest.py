"""The REST API, asked without any client. It needs no pypowervm."""

import html
import json
import re
import urllib.error
import urllib.request

LOGON = """<LogonRequest schemaVersion="V1_0" xmlns="http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/">
<UserID>%s</UserID><Password>%s</Password></LogonRequest>"""
UNIT = """<LogicalUnit xmlns="http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/" schemaVersion="V1_0">
<ThinDevice>true</ThinDevice><UnitCapacity>%d</UnitCapacity><LogicalUnitType>VirtualIO_Disk</LogicalUnitType>
<UnitName>%s</UnitName></LogicalUnit>"""
EVENTS = "Event?QUEUE_CLIENTKEY_METHOD=USE_APPLICATIONID&QUEUE_APPLICATIONID=c0f0"
PROVIDER = "NOVA_PVM_VIF"
UNIT_TYPE = "application/vnd.ibm.powervm.uom+xml; type=LogicalUnit"
LOGON_TYPE = "application/vnd.ibm.powervm.web+xml; type=LogonRequest"


class Session:
    """Logged on to one console."""

    def __init__(self, link):
        """link: a Simulator, or one of its NovaLinks."""
        self._url = "http://127.0.0.1:%d/rest/api/" % link.http_port
        request = urllib.request.Request(
            self._url + "web/Logon", method="PUT", data=(LOGON % (link.user, link.password)).encode(),
            headers={"Content-Type": LOGON_TYPE})
        with urllib.request.urlopen(request, timeout=30) as answer:
            self._token = re.search(r"<X-API-Session[^>]*>([^<]+)<", answer.read().decode()).group(1)

    def _ask(self, method, path, body=None, **headers):
        request = urllib.request.Request(self._url + "uom/" + path, method=method, data=body,
                                         headers={"X-API-Session": self._token, **headers})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def has(self, partition):
        """Whether a partition with this UUID is there."""
        try:
            self._ask("GET", "LogicalPartition/%s/quick/PartitionState" % partition.upper())
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return False
        return True

    def values(self, path, element):
        """What all elements of that name say in an answer."""
        return re.findall(r"<%s(?: [^>]*)?>([^<]*)</%s>" % (element, element), self._ask("GET", path).decode())

    def told(self):
        """What Neutron's agents on the host were told since the last call: what was done, and the address of the interface.

        The first call begins to listen. Without any news it waits for some.
        """
        details = [html.unescape(detail) for detail in self.values(EVENTS, "EventDetail")]
        news = [json.loads(detail) for detail in details if PROVIDER in detail]
        return [(found["action"], found["mac"]) for found in news]

    def add_unit(self, tier, name, gigabytes):
        """Makes a logical unit."""
        self._ask("PUT", "Tier/%s/LogicalUnit" % tier, (UNIT % (gigabytes, name)).encode(),
                  **{"Content-Type": UNIT_TYPE})
