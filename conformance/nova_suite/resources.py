"""What a node says of itself."""

from nova import conf
from nova.compute import provider_tree
from pypowervm.wrappers import managed_system as pvm_ms

from pypowervm_suite import expect

CONF = conf.CONF
HOST = "conformance"


def check(node):
    """Starts the driver; keeps nothing."""
    with node.check("init_host logs on, finds its servers, its disks and itself"):
        node.driver.init_host(HOST)
        expect.true(node.driver.adapter.session.mc_type == "PVM", "a NovaLink")
    with node.check("get_available_nodes names the host"):
        expect.equal(node.driver.get_available_nodes(), [CONF.host], "the nodes")
    with node.check("get_available_resource tells what the system has"):
        system = expect.single(pvm_ms.System.get(node.adapter), "systems")
        found = node.driver.get_available_resource(CONF.host)
        expect.equal(found["hypervisor_type"], "phyp", "the hypervisor")
        expect.equal(found["hypervisor_hostname"], CONF.host, "its name")
        expect.equal(found["memory_mb"], system.memory_configurable, "its memory")
        expect.equal(found["memory_mb_used"], system.memory_configurable - system.memory_free,
                     "its used memory")
        expect.equal(found["vcpus"], int(system.proc_units_configurable), "its processors")
        expect.within(found["vcpus_used"], 1, found["vcpus"], "its used processors")
        expect.within(found["local_gb"], 1, 1 << 30, "its disk space")
        expect.within(found["local_gb_used"], 0, found["local_gb"], "its used disk space")
        expect.equal(found["stats"]["memory_region_size"], system.memory_region_size,
                     "its memory region size")
        node.keep("resource", found)
    with node.check("update_provider_tree inventories processors, memory and disk"):
        tree = provider_tree.ProviderTree()
        tree.new_root(CONF.host, "00000000-0000-4000-8000-000000000001")
        node.driver.update_provider_tree(tree, CONF.host)
        inventory = tree.data(CONF.host).inventory
        expect.equal(sorted(inventory), ["DISK_GB", "MEMORY_MB", "VCPU"], "the classes")
        expect.equal(inventory["MEMORY_MB"]["total"], node.resource["memory_mb"], "the memory")
        expect.equal(inventory["VCPU"]["total"], node.resource["vcpus"], "the processors")
        expect.equal(inventory["DISK_GB"]["total"], int(node.resource["local_gb"]), "the disk")
    with node.check("list_instances names no partition that manages"):
        names = node.driver.list_instances()
        expect.true("novalink" not in names, "%s does not name the management partition" % names)
    with node.check("get_volume_connector names the ports and the host"):
        made = node.driver.get_volume_connector(_nobody())
        expect.equal(made["host"], CONF.host, "the host")
        for wwpn in expect.some(made["wwpns"], "port"):
            expect.matches(wwpn, r"[0-9A-Fa-f]{16}", "the port's WWPN")


def _nobody():
    from nova_suite import instances

    return instances.instance(CONF.host, "nobody", instances.flavor())
