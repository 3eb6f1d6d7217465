"""A server that moves between two systems while it runs, with two compute services."""

from nova.compute import power_state
from pypowervm.tasks import partition as pvm_tpar
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import management_console as pvm_mc
from pypowervm.wrappers import network as pvm_net
from pypowervm import const

from nova_suite import cinder
from nova_suite import fabrics
from nova_suite import instances
from nova_suite import neutron
from nova_suite import node as nodes
from nova_suite import peer
from pypowervm_suite import clients
from pypowervm_suite import content
from pypowervm_suite import expect

VLAN = 101
IMAGE = "11111111-2222-4333-8444-555555555555"


class Host:
    """A compute service, and a second pair of eyes on its system."""

    def __init__(self, service, node):
        self.name = service.host
        self.ask = service
        self.node = node
        self.resources = None

    def has(self, server):
        """Whether the server's partition is on this system."""
        return any(partition.name == server.name for partition in self.partitions())

    def partitions(self):
        """The partitions of this system."""
        return pvm_lpar.LPAR.get(self.node.adapter)

    def partition(self, server):
        """The server's partition."""
        return self.node.partition(server.made)

    def adapters(self, server):
        """Its network adapters, by MAC."""
        return {cna.mac: cna for cna in pvm_net.CNA.get(
            self.node.adapter, parent=self.partition(server))}

    def trunks(self, vif):
        """The trunk adapters of a port on the management partition."""
        manager = pvm_tpar.get_mgmt_partition(self.node.adapter)
        return [cna for cna in pvm_net.CNA.get(self.node.adapter, parent=manager)
                if cna.trunk_pri and cna.dev_name == vif["devname"]]

    def disks(self, udids):
        """The physical volumes with these UDIDs, by server and name."""
        return {(vios.name, disk.name) for vios in self.node.vioses(const.XAG.VIO_STOR)
                for disk in vios.phys_vols if disk.udid in udids}

    def backings(self, server):
        """What is mapped to the server over vSCSI: kind, UDID and Virtual I/O Server."""
        found = self.node.mappings(self.partition(server).id)
        return sorted((type(mapping.backing_storage).__name__, mapping.backing_storage.udid, vios)
                      for vios, mappings in found.items() for mapping in mappings
                      if mapping.backing_storage is not None)

    def ports(self, server):
        """The server's virtual Fibre Channel mappings."""
        partition = self.partition(server).id
        return [mapping for vios in self.node.vioses(const.XAG.VIO_FMAP)
                for mapping in vios.vfc_mappings if mapping.server_adapter.lpar_id == partition]

    def keys(self):
        """The keys that may log on to this management partition."""
        return expect.single(pvm_mc.ManagementConsole.get(self.node.adapter),
                             "consoles").ssh_authorized_keys


def reachable(host, server):
    """Waits until the server's partition can be moved."""
    clients.wait_until(lambda: host.partition(server).can_modify_io()[0], 30,
                       "RMC of %s is active" % server.name)


def new_server(host, name, vifs=()):
    """One that is about to be built on that host."""
    made = instances.instance(host.name, name, instances.flavor(memory_mb=1024), config_drive=True)
    made.image_ref = IMAGE
    made.system_metadata = {"image_base_image_ref": IMAGE}
    made.obj_reset_changes()
    return peer.Server(made, list(vifs))


def build(host, server, volumes=()):
    """Builds it with these volumes, which are mapped to the host for that."""
    connector = host.ask("connector", server)
    told = {volume.id: volume.connect(connector) for volume in volumes}
    server.volumes = host.ask("spawn", server, image=IMAGE, volumes=told)


def check_may_move(source, target, server):
    """Both hosts are asked; gives the data that they agree on."""
    data = target.ask("check_destination", server,
                      source=source.resources, destination=target.resources)
    return source.ask("check_source", server, data=data, volumes=server.volumes)


def move(source, target, server):
    """All of it, as Nova does; gives what the driver called."""
    data = check_may_move(source, target, server)
    ready = target.ask("prepare", server, data=data, volumes=server.volumes)
    done = source.ask("migrate", server, data=ready["data"], volumes=server.volumes,
                      destination=target.name)
    expect.equal(done, {"called": ["post_method"], "raised": None}, "what the driver did")
    server.volumes = ready["volumes"]
    return target.ask("receive", server, volumes=server.volumes)


def check_moved(site, source, target, server, prefix):
    """After it."""
    with site.check(prefix + "it runs there and is no longer here"):
        nodes.booted(target.partition(server))
        expect.true(not source.has(server), "the source has it no more")
        expect.equal(target.ask("state", server), power_state.RUNNING, "its state there")
        error = expect.refused(peer.Refused, lambda: source.ask("state", server), "its state here")
        expect.equal(error.kind, "InstanceNotFound", "what was raised")
        expect.equal(server.made.host, target.name, "its host")


def check_life(site):
    """With a pool's disk, a Fibre Channel volume through the servers, SEA and OVS ports; there and back."""
    first, second = site.hosts
    vifs = [neutron.port("pvm_sea", VLAN, active=False), neutron.port("ovs")]
    with site.check("spawns a server with image, config drive, volume, SEA and OVS interface"):
        server = site.keep("server", new_server(first, "mover", vifs))
        volume = site.keep("volume", cinder.Volume(site.simulator, "moving"))
        build(first, server, [volume])
        reachable(first, server)
        before = [each for each in first.backings(server) if each[0] != "VOptMedia"]
        # The driver has one object for the unit in the mappings of both servers; who builds the second
        # before the first was sent takes it out of that one. So there may be one only.
        kinds = [kind for kind, _, _ in before]
        expect.one_of(kinds, (["LU", "LU", "PV", "PV"], ["LU", "PV", "PV"]), "its disks")
        udids = {udid for kind, udid, _ in before if kind == "PV"}
        expect.single(udids, "volumes")
    with site.check("both hosts allow the move, and the config drive's medium is taken out"):
        data = check_may_move(first, second, server)
        kinds = {kind for kind, _, _ in first.backings(server)}
        expect.true("VOptMedia" not in kinds, "its mappings are of %s" % sorted(kinds))
    with site.check("the destination prepares: the source's key, the volume, a trunk for OVS"):
        ready = second.ask("prepare", server, data=data, volumes=server.volumes)
        key = ready["data"]["nova_object.data"]["public_key"]
        expect.true(key in second.keys(), "the source's key may log on")
        expect.equal(len(second.disks(udids)), 2, "the destination's disks of the volume")
        expect.single(second.trunks(vifs[1]), "trunks for the OVS port")
        expect.true(not second.has(server), "the server is not there yet")
    with site.check("migrates, and Nova is told so"):
        done = first.ask("migrate", server, data=ready["data"], volumes=server.volumes,
                         destination=second.name)
        expect.equal(done, {"called": ["post_method"], "raised": None}, "what the driver did")
        server.volumes = ready["volumes"]
        received = second.ask("receive", server, volumes=server.volumes)
        expect.equal(received["state"], power_state.RUNNING, "its state")
        expect.true(all(count > 0 for count in received["saved"]), "the mappings were saved")
    check_moved(site, first, second, server, "")
    with site.check("its disks are the same ones, on the destination's servers"):
        after = second.backings(server)
        expect.equal({each[:2] for each in after}, {each[:2] for each in before}, "the disks")
        expect.equal(len(after), len(before), "the mappings")
        boot = expect.single({udid for kind, udid, _ in after if kind == "LU"}, "boot disks")
        content.arrived(site, boot, content.pattern(nodes.IMAGE_BYTES))
    with site.check("its interfaces have their addresses, and VLANs as the destination wants them"):
        found = second.adapters(server)
        sea, ovs = (found[neutron.mac(vif)] for vif in vifs)
        expect.equal(sea.pvid, VLAN, "the VLAN of the SEA port")
        trunk = expect.single(second.trunks(vifs[1]), "trunks for the OVS port")
        expect.equal(ovs.pvid, trunk.pvid, "the VLAN of the OVS port")
        expect.equal(len(found), 3, "its adapters, the one for management among them")
    with site.check("the source keeps neither disk nor trunk"):
        expect.equal(first.disks(udids), set(), "the disks of the volume")
        expect.equal(first.trunks(vifs[1]), [], "the trunks of the OVS port")
    with site.check("moves back"):
        reachable(second, server)
        move(second, first, server)
    check_moved(site, second, first, server, "back: ")
    with site.check("back: its disks are as they were"):
        expect.equal({each[:2] for each in first.backings(server)}, {each[:2] for each in before},
                     "the disks")
        expect.equal(second.disks(udids), set(), "the disks of the volume there")


def destroy(site):
    """Removes site.server where it is now."""
    with site.check("destroys it"):
        first, server = site.hosts[0], site.server
        first.ask("destroy", server, volumes=server.volumes)
        expect.true(not first.has(server), "its partition is gone")
        site.volume.disconnect(server.volumes[site.volume.id]["connector"])
        site.volume.delete()


def check_npiv(site):
    """A volume through virtual ports of the server's own."""
    first, second = site.hosts
    for host in site.hosts:
        host.ask("attach_by", strategy="npiv")
    with site.check("NPIV: spawns a server with a volume"):
        server = new_server(first, "npiv-mover")
        volume = cinder.Volume(site.simulator, "npiv-moving")
        build(first, server, [volume])
        reachable(first, server)
        before = _pairs(first, server)
        expect.equal(len(before), 2, "its ports")
    with site.check("NPIV: moves, its volume is mapped to its other ports there"):
        move(first, second, server)
        expect.equal({frozenset(pair) for pair in _pairs(second, server)},
                     {frozenset(pair) for pair in before}, "its pairs of WWPNs")
    check_moved(site, first, second, server, "NPIV: ")
    with site.check("NPIV: the ports that log on now are the second ones of the pairs"):
        connector = second.ask("connector", server)
        expect.equal({wwpn.upper() for wwpn in connector["wwpns"]},
                     {pair[1] for pair in before}, "the connector's ports")
        expect.equal(set(volume.shown()["hosts"]), {pair[1].lower() for pair in before},
                     "who may use the volume")
    with site.check("NPIV: its ports are on both fabrics, behind ports of the destination"):
        there = _fabrics(second)
        backing = {mapping.backing_port.wwpn.upper() for mapping in second.ports(server)}
        for wwpns in there.values():
            expect.single(backing & set(wwpns), "ports on one fabric")
        expect.equal(_left_ports(first, server), [], "what is left on the source")
    with site.check("NPIV: moves back and is destroyed"):
        reachable(second, server)
        move(second, first, server)
        expect.equal({wwpn.upper() for wwpn in first.ask("connector", server)["wwpns"]},
                     {pair[0] for pair in before}, "the connector's ports")
        first.ask("destroy", server, volumes=server.volumes)
        volume.disconnect(list(server.volumes.values())[0]["connector"])
        volume.delete()
    for host in site.hosts:
        host.ask("attach_by", strategy="vscsi")


def _pairs(host, server):
    """The pairs of WWPNs of the server's virtual ports."""
    return sorted(tuple(wwpn.upper() for wwpn in mapping.client_adapter.wwpns)
                  for mapping in host.ports(server))


def _left_ports(host, server):
    """Mappings with one of the server's ports on a host that it has left."""
    mine = set(server.made.system_metadata.values())
    return [mapping for vios in host.node.vioses(const.XAG.VIO_FMAP)
            for mapping in vios.vfc_mappings if mapping.client_adapter is not None
            and any(wwpn.upper() in value.upper() for value in mine if isinstance(value, str)
                    for wwpn in mapping.client_adapter.wwpns)]


def _fabrics(host):
    return fabrics.ports(host.node.simulator,
                         {vios.uuid.upper() for vios in host.node.vioses()})
