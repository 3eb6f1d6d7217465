"""Neutron: ports, and an agent that hears the driver's events as the real one does."""

import contextlib
import json
import uuid

import eventlet
from nova.network import model
from pypowervm import adapter as pvm_adapter
from pypowervm.wrappers import managed_system as pvm_ms
from pypowervm.wrappers import network as pvm_net

from pypowervm_suite import clients

SWITCH = "NovaLinkVEABridge"
PROVIDER = "NOVA_PVM_VIF"
_numbers = iter(range(1, 1 << 24))


def port(kind, vlan=None, active=True, **details):
    """A port bound as kind (pvm_sea, ovs or pvm_sriov): what the driver is told of it."""
    number = next(_numbers)
    network = model.Network(
        id=str(uuid.uuid4()), bridge="br-int", label="conformance",
        subnets=[model.Subnet(cidr="10.1.0.0/16", version=4, dns=[], routes=[],
                              gateway=model.IP("10.1.0.1", type="gateway"),
                              ips=[model.FixedIP(address="10.1.%d.%d" % divmod(number, 250))])],
        meta={"mtu": 1450})
    port_id = str(uuid.uuid4())
    if vlan is not None:
        details["vlan"] = vlan
    return model.VIF(
        id=port_id, address="fa:16:3e:%02x:%02x:%02x" % (
            number >> 16 & 255, number >> 8 & 255, number & 255),
        network=network, type=kind, details=details, ovs_interfaceid=port_id,
        vnic_type="direct" if kind == "pvm_sriov" else "normal",
        devname=("tap" + port_id)[:model.NIC_NAME_LEN], active=active)


def make_switch(node):
    """Makes the switch of OVS ports, as whoever sets up a node does.

    nova-powervm can make it too, but then loses its way: it notes the slot of the first adapter on it
    in a list of switches that it read before.
    """
    with node.check("the switch for OVS ports is made"):
        system = pvm_ms.System.get(node.adapter)[0]
        pvm_net.VSwitch.bld(node.adapter, SWITCH).create(parent=system)


def mac(vif):
    """The port's address as PowerVM writes it."""
    return vif["address"].replace(":", "").upper()


class Agent(pvm_adapter.RawEventHandler):
    """Hears of plugs and unplugs through the REST API's events; a port is up once it did."""

    def __init__(self, session):
        self.heard = []
        self._listener = session.get_event_listener()
        self._listener.subscribe(self)

    def process(self, events):
        for event in events:
            if event["EventType"] == "CUSTOM_CLIENT_EVENT" and PROVIDER in (
                    event["EventDetail"] or ""):
                detail = json.loads(event["EventDetail"])
                self.heard.append((detail["action"], detail["mac"], event["EventData"]))

    def having(self, action, vif):
        """The events of that action for that port."""
        return [event for event in self.heard if event[:2] == (action, mac(vif))]

    def hear(self, action, vif):
        """Waits for such an event; gives the first."""
        return clients.wait_until(lambda: self.having(action, vif), 30,
                                  "event %s of the port" % action)[0]

    def close(self):
        """Hears no more."""
        self._listener.unsubscribe(self)


class VirtAPI:
    """What nova-compute offers the driver: waiting until ports are up."""

    def __init__(self, agent):
        self.agent = agent
        self.ports = {}
        self.waited = []

    def expect(self, vifs):
        """Ports that may be waited for."""
        self.ports.update({vif["id"]: vif for vif in vifs})
        return model.NetworkInfo(vifs)

    @contextlib.contextmanager
    def wait_for_instance_event(self, instance, event_names, deadline=300, error_callback=None):
        """Waits until the agent heard of each port that is named."""
        yield
        with eventlet.timeout.Timeout(min(deadline, 60)):
            for name, port_id in event_names or []:
                self.waited.append((name, port_id))
                while not self.agent.having("plug", self.ports[port_id]):
                    eventlet.sleep(0.05)
