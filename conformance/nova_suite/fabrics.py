"""The Fibre Channel fabrics as nova-powervm's configuration names them."""

from nova_suite import cinder


def ports(simulator):
    """The WWPNs of the physical ports by the name of their fabric (A, B …)."""
    found = {}
    for server in cinder.ask(simulator, "GET", "/san")["virtual_io_servers"]:
        for port in server["ports"]:
            found.setdefault(port["fabric"], []).append(port["wwpn"].upper())
    return {chr(ord("A") + number): found[name] for number, name in enumerate(sorted(found))}


def options(simulator):
    """Lines of nova.conf, to be read before the driver is imported."""
    there = ports(simulator)
    lines = ["fabrics = " + ",".join(there)]
    lines += ["fabric_%s_port_wwpns = %s" % (name, ",".join(wwpns))
              for name, wwpns in there.items()]
    return "\n".join(lines) + "\n"
