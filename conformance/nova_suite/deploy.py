"""A server built, looked at and destroyed."""

import hashlib
import uuid

from nova import conf
from nova import exception
from nova.compute import power_state
from pypowervm.tasks import cna as pvm_cna
from pypowervm.wrappers import network as pvm_net
from pypowervm.wrappers import storage as pvm_stg

from nova_suite import instances
from nova_suite import neutron
from nova_suite import node as nodes
from pypowervm_suite import content
from pypowervm_suite import expect

CONF = conf.CONF
VLAN = 101


def check(node):
    """Keeps image, server, vifs."""
    with node.check("spawns a server with image, config drive, SEA and OVS interface"):
        image = node.keep("image", node.glance.add(
            "conformance image", content.pattern(nodes.IMAGE_BYTES)))
        vifs = node.keep("vifs", [neutron.port("pvm_sea", VLAN, active=False), neutron.port("ovs")])
        node.keep("server", node.spawn("server", instances.flavor(
            vcpus=2, memory_mb=2048, proc_units="0.4", max_mem="4096", max_vcpu="4"),
            image, vifs, config_drive=True))
    with node.check("the server's partition is what its flavor says"):
        partition = node.partition(node.server)
        nodes.booted(partition)
        expect.equal(partition.name, node.server.name, "its name")
        memory = partition.mem_config
        expect.equal((memory.min, memory.desired, memory.max), (2048, 2048, 4096), "its memory")
        shared = partition.proc_config.shared_proc_cfg
        expect.equal((shared.desired_virtual, shared.max_virtual), (2, 4), "its vcpus")
        expect.equal(shared.desired_units, 0.4, "its processing units")
        expect.equal(partition.proc_config.sharing_mode, "uncapped", "its sharing mode")
    with node.check("its RMC connection comes up"):
        node.reachable(node.server)
    with node.check("get_info and list_instances know the server"):
        expect.equal(node.state(node.server), power_state.RUNNING, "its state")
        expect.true(node.server.name in node.driver.list_instances(), "its name is listed")
    check_interfaces(node)
    check_disks(node)
    with node.check("a server that is not there is InstanceNotFound"):
        nobody = instances.instance(CONF.host, "nobody", instances.flavor())
        nobody.uuid = str(uuid.UUID("00000000-0000-4000-8000-00000000dead"))
        expect.refused(exception.InstanceNotFound, lambda: node.driver.get_info(nobody),
                       "the state of nobody")


def adapters(node, made):
    """The server's client network adapters by their MAC."""
    return {cna.mac: cna for cna in pvm_net.CNA.get(node.adapter, parent=node.partition(made))}


def check_interfaces(node):
    """The interfaces of node.server."""
    sea, ovs = node.vifs
    with node.check("the SEA interface is a client adapter on its VLAN, and its event was heard"):
        found = adapters(node, node.server)
        adapter = found[neutron.mac(sea)]
        expect.equal(adapter.pvid, VLAN, "its VLAN")
        heard = node.virtapi.agent.hear("plug", sea)
        expect.equal(nodes.id_of(heard[2]), adapter.uuid, "whose event it is")
        expect.true(("network-vif-plugged", sea["id"]) in node.virtapi.waited,
                    "the driver waited for the port")
    with node.check("the OVS interface is a pair with a trunk on the management partition"):
        adapter = adapters(node, node.server)[neutron.mac(ovs)]
        trunk = expect.single(pvm_cna.find_trunks(node.adapter, adapter), "trunks")
        expect.equal(trunk.pvid, adapter.pvid, "the trunk's VLAN")
        expect.equal(trunk.dev_name, ovs["devname"], "its device")
        expect.equal(trunk.ovs_bridge, "br-int", "its bridge")
        expect.true("iface-id=" + ovs["id"] in trunk.ovs_ext_ids, "it names the port")
        expect.true(adapter.vswitch_id != adapters(node, node.server)[
            neutron.mac(node.vifs[0])].vswitch_id, "it has a switch of its own")
    with node.check("the third interface is the one for management"):
        names = {neutron.mac(vif) for vif in node.vifs}
        other = expect.single([cna for mac, cna in adapters(node, node.server).items()
                               if mac not in names], "other adapters")
        expect.equal(other.pvid, 4094, "its VLAN")


def check_disks(node):
    """The disks of node.server."""
    with node.check("the boot disk holds the image, mapped once for each server that can"):
        found = node.mappings(node.partition(node.server).id)
        disks = [mapping.backing_storage for mappings in found.values() for mapping in mappings
                 if not isinstance(mapping.backing_storage, pvm_stg.VOptMedia)]
        ssp = CONF.powervm.disk_driver == "ssp"
        expect.equal(len(disks), 2 if ssp else 1, "the mappings of disks")
        expect.equal(len({disk.udid for disk in disks}), 1, "the disks")
        content.arrived(node, disks[0].udid, node.image.data)
        expect.matches(disks[0].name, ("boot_" if ssp else "b_") + ".*", "its name")
    with node.check("the config drive is in the media library and mapped"):
        media = expect.single(
            [mapping.backing_storage for mappings in found.values() for mapping in mappings
             if isinstance(mapping.backing_storage, pvm_stg.VOptMedia)], "media")
        expect.equal(media.name, ("cfg_" + node.server.uuid.replace("-", ""))[:33] + ".iso",
                     "its name")
        lies = node.simulator.contents()[media.udid]
        expect.true(lies["bytes"] > 32768, "%d bytes of it lie there" % lies["bytes"])
        expect.true(lies["sha256"] != hashlib.sha256(b"").hexdigest(), "it holds something")


def destroy(node):
    """Destroys node.server."""
    with node.check("destroys the server"):
        node.destroy(node.server, node.vifs)
        expect.refused(exception.InstanceNotFound, lambda: node.driver.get_info(node.server),
                       "the state of what was destroyed")
    with node.check("destroys it once more without a word"):
        node.destroy(node.server, node.vifs)
    with node.check("the interfaces' removal was told"):
        for vif in node.vifs:
            node.virtapi.agent.hear("unplug", vif)


def check_image_cache(node):
    """After all servers have gone."""
    if not node.driver.capabilities["has_imagecache"]:
        return
    with node.check("the image cache gives back what no server uses"):
        cached = {disk for disk in _disks(node) if disk.startswith("i_")}
        expect.some(cached, "cached image")
        node.driver.manage_image_cache(node.context, [])
        expect.equal(cached & _disks(node), set(), "the cached images that are left")


def _disks(node):
    """The names of all virtual disks."""
    return {disk.name for vios in node.vioses() for group in pvm_stg.VG.get(
        node.adapter, parent=vios) for disk in group.virtual_disks}


def check_failure(node):
    """A server whose image breaks off."""
    vifs = [neutron.port("pvm_sea", VLAN)]
    with node.check("a spawn whose image breaks off fails, and destroy cleans up after it"):
        image = node.glance.add("broken image", content.pattern(nodes.IMAGE_BYTES))
        node.glance.broken.add(image["id"])
        made = instances.instance(CONF.host, "broken", instances.flavor(), image=image)
        expect.refused(Exception, lambda: node.run(made, image, vifs), "an image that breaks off")
        node.destroy(made, vifs)
    with node.check("a flavor that no system can run is refused, and nothing was made"):
        made = instances.instance(CONF.host, "huge", instances.flavor(memory_mb=1 << 26))
        expect.refused(Exception, lambda: node.run(made, node.image, vifs), "64 TiB of memory")
        node.destroy(made, vifs)
