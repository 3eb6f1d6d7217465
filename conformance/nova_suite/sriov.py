"""An interface that is a virtual NIC on SR-IOV ports."""

from nova import exception
from nova.network import model
from pypowervm.wrappers import iocard as pvm_card
from pypowervm.wrappers import managed_system as pvm_ms

from nova_suite import deploy
from nova_suite import instances
from nova_suite import neutron
from nova_suite import node as nodes
from pypowervm_suite import expect

# What ports are in that have no label.
PHYSICAL_NETWORK = "default"
CAPACITY = 0.04


def check(node):
    """With node.server, which runs, and a server of its own."""
    node.reachable(node.server)
    used = _used(node)
    vif = port(201, redundancy=2)
    with node.check("vNIC: attaches an interface to a running server"):
        node.virtapi.expect([vif])
        node.driver.attach_interface(node.context, node.server, None, vif)
        found = nics(node, node.server)[neutron.mac(vif)]
        expect.equal(found.pvid, 201, "its VLAN")
        node.virtapi.agent.hear("plug", vif)
    with node.check("vNIC: two ports of two adapters or servers stand behind it, each with its share"):
        found = nics(node, node.server)[neutron.mac(vif)]
        expect.equal(len(found.back_devs), 2, "the backing devices")
        expect.equal(len({device.vios_href for device in found.back_devs}), 2, "their servers")
        expect.equal({device.capacity for device in found.back_devs}, {CAPACITY}, "their capacity")
    with node.check("vNIC: attaches it once more without a second one"):
        node.driver.plug_vifs(node.server, [vif])
        expect.equal(len(nics(node, node.server)), 1, "the virtual NICs")
    with node.check("vNIC: detaches it"):
        node.driver.detach_interface(node.context, node.server, vif)
        expect.equal(nics(node, node.server), {}, "the virtual NICs")
        node.virtapi.agent.hear("unplug", vif)
    with node.check("vNIC: detaches it once more without a word"):
        node.driver.detach_interface(node.context, node.server, vif)
    with node.check("vNIC: a network without ports is refused"):
        lost = port(201, physical_network="nowhere")
        expect.refused(exception.VirtualInterfacePlugException,
                       lambda: node.driver.attach_interface(
                           node.context, node.server, None, lost), "a port nowhere")
    with node.check("vNIC: more redundancy than there are ports is refused"):
        expect.refused(Exception, lambda: node.driver.attach_interface(
            node.context, node.server, None, port(201, redundancy=64)), "64 ports")
        expect.equal(nics(node, node.server), {}, "the virtual NICs")
    _spawned(node, used)


def _spawned(node, used):
    vifs = [port(202), neutron.port("pvm_sea", deploy.VLAN, active=False)]
    with node.check("vNIC: spawns a server with one and waits for its port"):
        made = node.spawn("vnic", instances.flavor(), node.image, vifs)
        nodes.booted(node.partition(made))
        expect.equal(set(nics(node, made)), {neutron.mac(vifs[0])}, "the virtual NICs")
        expect.true(("network-vif-plugged", vifs[0]["id"]) in node.virtapi.waited,
                    "the driver waited for the port")
    with node.check("vNIC: its ports are free when the server is destroyed"):
        node.destroy(made, vifs)
        expect.equal(_used(node), used, "the logical ports")


def port(vlan, redundancy=1, physical_network=PHYSICAL_NETWORK):
    """A port as the SR-IOV mechanism driver has bound it."""
    return neutron.port(
        "pvm_sriov", vlan, active=False, redundancy=redundancy, capacity=CAPACITY,
        **{model.VIF_DETAILS_PHYSICAL_NETWORK: physical_network})


def nics(node, made):
    """The server's virtual NICs by their MAC."""
    return {nic.mac: nic for nic in pvm_card.VNIC.get(node.adapter, parent=node.partition(made))}


def _used(node):
    """How many logical ports each physical port has."""
    system = expect.single(pvm_ms.System.get(node.adapter), "systems")
    return {pport.loc_code: pport.cfg_lps for adapter in expect.some(
        system.asio_config.sriov_adapters, "SR-IOV adapter") for pport in adapter.phys_ports}
