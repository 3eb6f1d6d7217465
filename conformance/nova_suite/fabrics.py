"""The Fibre Channel fabrics as nova-powervm's configuration names them."""

from nova_suite import cinder


def ports(simulator, vioses=None):
    """The WWPNs of the physical ports by the name of their fabric (A, B …).

    vioses: the UUIDs of the Virtual I/O Servers that count, if not all do.
    """
    found = {}
    for server in cinder.ask(simulator, "GET", "/san")["virtual_io_servers"]:
        if vioses is not None and server["uuid"].upper() not in vioses:
            continue
        for port in server["ports"]:
            found.setdefault(port["fabric"], []).append(port["wwpn"].upper())
    return {chr(ord("A") + number): found[name] for number, name in enumerate(sorted(found))}


def options(there):
    """Lines of nova.conf about these ports, to be read before the driver is imported."""
    lines = ["fabrics = " + ",".join(there)]
    lines += ["fabric_%s_port_wwpns = %s" % (name, ",".join(wwpns))
              for name, wwpns in there.items()]
    return "\n".join(lines) + "\n"
