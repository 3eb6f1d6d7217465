"""Ports that Neutron has to connect, and those of Open vSwitch and of SR-IOV adapters."""

import threading
import time

from nova_today_suite import changes
from nova_today_suite import life
from pypowervm_suite import expect
from pypowervm_suite.report import Unmet

# The network of physical ports without a label.
LABEL = "default"
# Seconds.
CALM = 2


def check(site):
    """With site.server, and servers of their own."""
    _check_plugging(site)
    _check_ovs(site)
    _check_sriov(site)


def _check_plugging(site):
    cloud = site.cloud
    port = cloud.neutron.port_2
    there = cloud.neutron._ports[port["id"]]
    before = site.inventory()
    for status, wanted in (("completed", "ACTIVE"), ("failed", "ERROR")):
        with site.check("a server whose port is down waits with its start; Neutron says %s: it is %s" % (
                status, wanted)):
            there["status"] = "DOWN"
            cloud.bind(port, life.VLAN + 2)
            name = "waiting " + status
            request = cloud._build_server(name, site.image["id"], site.flavor, networks=[{"port": port["id"]}])
            # Casts are calls here: the request lasts as long as the build.
            thread = threading.Thread(target=post, args=(cloud, request), daemon=True)
            thread.start()
            server = appearing(cloud, name)
            until(lambda: len((site.partition(server) or {"network_adapters": ()})["network_adapters"]) > 1,
                   "its adapters are there")
            # A start would not have taken longer.
            time.sleep(CALM)
            expect.equal(cloud.api.get_server(server["id"])["status"], "BUILD", "its status")
            expect.equal(site.partition(server)["state"], "not activated", "its state")
            report(cloud, server, port, status)
            server = cloud.wait(server, wanted)
            thread.join()
            found = site.partition(server)
            expect.equal(found and found["state"], "running" if wanted == "ACTIVE" else None, "its partition's state")
            cloud._delete_server(server)
            expect.equal(changes.without_images(site.compare(before)), ([], []), "what is left or lost")
    there["status"] = "ACTIVE"


def _check_ovs(site):
    cloud = site.cloud
    with site.check("attaches a port of Open vSwitch with its trunk adapter, and detaches both"):
        changes.reachable(site)
        port = cloud.neutron.port_2
        cloud.bind(port, None, "ovs")
        before = site.inventory()
        cloud._attach_interface(site.server, port["id"])
        made = site.inventory() - before
        expect.equal(sorted(line.split(" of ")[1] for line in made if line.startswith("adapter ")),
                     sorted(["novalink", site.partition(site.server)["name"]]), "whose adapters were made")
        cloud._detach_interface(site.server, port["id"])
        expect.equal(site.compare(before), ([], []), "what is left or lost")


def _check_sriov(site):
    cloud = site.cloud
    with site.check("the ports of SR-IOV adapters are devices that Nova can claim"):
        cloud._run_periodics()
        (pool,) = cloud.pci_pools()
        expect.equal(pool["tags"]["physical_network"], LABEL, "their network")
        expect.within(pool["count"], 1, 1 << 16, "how many")
        site.keep("logical_ports", pool["count"])
    with site.check("boots a server with a port of the vnic_type direct, and deletes it"):
        before = site.inventory()
        port = cloud.direct_port(LABEL, life.VLAN + 3)
        request = cloud._build_server("direct", site.image["id"], site.flavor, networks=[{"port": port["id"]}])
        server = cloud.wait(cloud.api.post_server({"server": request}), "ACTIVE")
        site.check_runs(server)
        (pool,) = cloud.pci_pools()
        expect.equal(pool["count"], site.logical_ports - 1, "the free ones")
        cloud._delete_server(server)
        (pool,) = cloud.pci_pools()
        expect.equal(pool["count"], site.logical_ports, "the free ones")
        expect.equal(changes.without_images(site.compare(before)), ([], []), "what is left or lost")


def report(cloud, server, port, status):
    """What Neutron tells Nova of a port that it has connected (completed), or could not (failed)."""
    event = {"name": "network-vif-plugged", "server_uuid": server["id"], "tag": port["id"], "status": status}
    cloud.api.api_post("/os-server-external-events", {"events": [event]})


def post(cloud, request):
    try:
        cloud.api.post_server({"server": request})
    except Exception as error:  # the server's own status tells the rest
        cloud.said.append(error)


def appearing(cloud, name):
    """The server of that name, as soon as a host has it."""
    def found():
        return [server for server in cloud.api.get_servers()
                if server["name"] == name and server["OS-EXT-SRV-ATTR:host"]]

    until(found, "a host has " + name)
    return found()[0]


def until(holds, what):
    deadline = time.monotonic() + 60
    while not holds():
        if time.monotonic() > deadline:
            raise Unmet("after 60 s it is not so that " + what)
        time.sleep(0.05)
