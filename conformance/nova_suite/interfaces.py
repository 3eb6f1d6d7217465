"""Interfaces of a running server, attached and detached."""

from nova import exception

from nova_suite import deploy
from nova_suite import neutron
from pypowervm_suite import expect


def check(node):
    """With node.server, which runs."""
    node.reachable(node.server)
    for kind, vlan in (("pvm_sea", 102), ("ovs", None)):
        vif = neutron.port(kind, vlan, active=False)
        with node.check("attaches an interface of type %s to a running server" % kind):
            node.virtapi.expect([vif])
            node.driver.attach_interface(node.context, node.server, None, vif)
            expect.true(neutron.mac(vif) in deploy.adapters(node, node.server), "it is there")
            node.virtapi.agent.hear("plug", vif)
        with node.check("attaches it once more without a second adapter (%s)" % kind):
            before = len(deploy.adapters(node, node.server))
            node.driver.plug_vifs(node.server, [vif])
            expect.equal(len(deploy.adapters(node, node.server)), before, "the adapters")
        with node.check("detaches it (%s)" % kind):
            node.driver.detach_interface(node.context, node.server, vif)
            expect.true(neutron.mac(vif) not in deploy.adapters(node, node.server), "it is gone")
            node.virtapi.agent.hear("unplug", vif)
        with node.check("detaches it once more without a word (%s)" % kind):
            node.driver.detach_interface(node.context, node.server, vif)
    with node.check("refuses an interface of an unknown type"):
        expect.refused(exception.VirtualInterfacePlugException,
                       lambda: node.driver.attach_interface(
                           node.context, node.server, None, neutron.port("unknown")),
                       "a port of an unknown type")
