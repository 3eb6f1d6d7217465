"""A server's life through the compute API."""

from pypowervm.utils import uuid as pvm_uuid
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import managed_system as pvm_ms
from pypowervm.wrappers import network as pvm_net

from nova_suite import cloud as clouds
from nova_suite import glance
from nova_suite import management
from nova_suite import node as nodes
from nova_suite import services
from pypowervm_suite import clients
from pypowervm_suite import content
from pypowervm_suite import expect

VLAN = 101


def check_services(site):
    """Before any server is made."""
    cloud = site.cloud
    services.check_listed(site, [clouds.HOST])
    with site.check("placement has the system's inventory"):
        system = expect.single(pvm_ms.System.get(site.adapter), "systems")
        inventory = cloud._get_provider_inventory(_provider(site))
        expect.equal(inventory["MEMORY_MB"]["total"], system.memory_configurable, "the memory")
        expect.equal(inventory["VCPU"]["total"], int(system.proc_units_configurable), "the vcpus")
        expect.within(inventory["DISK_GB"]["total"], 1, 1 << 30, "the disk")


def check_life(site):
    """Keeps server and partition."""
    cloud = site.cloud
    with site.check("creates a server with config drive and a SEA port"):
        image = site.keep("image", glance.Image("cloud image", content.pattern(nodes.IMAGE_BYTES)))
        cloud.add_image(image)
        flavor = cloud._create_flavor(
            name="powervm", memory_mb=1024, vcpu=1, disk=2, ephemeral=0, swap=0,
            extra_spec={"powervm:proc_units": "0.2"})
        site.keep("flavor", flavor)
        cloud.bind(cloud.neutron.port_1, VLAN)
        request = dict(
            cloud._build_server("first", image["id"], flavor, networks=[
                {"port": cloud.neutron.port_1["id"]}]),
            config_drive=True)
        made = cloud.api.post_server({"server": request})
        site.keep("server", cloud.wait(made, "ACTIVE"))
    with site.check("its partition runs and has the interface"):
        site.keep("partition", _partition(site, site.server))
        nodes.booted(site.partition)
        expect.equal(site.partition.proc_config.shared_proc_cfg.desired_units, 0.2, "its units")
        macs = {cna.mac: cna for cna in pvm_net.CNA.get(site.adapter, parent=site.partition)}
        expect.true(_mac(cloud.neutron.port_1) in macs, "the port is there")
        expect.equal(macs[_mac(cloud.neutron.port_1)].pvid, VLAN, "the port's VLAN")
    with site.check("placement has its allocations"):
        found = cloud._get_allocations_by_server_uuid(site.server["id"])
        expect.equal(found[_provider(site)]["resources"],
                     {"VCPU": 1, "MEMORY_MB": 1024, "DISK_GB": 2}, "the allocations")
    with site.check("stops it"):
        cloud._stop_server(site.server)
        expect.equal(_partition(site, site.server).state, "not activated", "its state")
    with site.check("starts it"):
        cloud._start_server(site.server)
        expect.equal(_partition(site, site.server).state, "running", "its state")
    for name, hard in (("softly", False), ("hard", True)):
        with site.check("reboots it " + name):
            cloud._reboot_server(site.server, hard=hard)
            expect.equal(_partition(site, site.server).state, "running", "its state")


def check_changes(site):
    """What else the API does with a server."""
    cloud = site.cloud
    with site.check("attaches an OVS interface and detaches it"):
        clients.wait_until(lambda: _partition(site, site.server).can_modify_io()[0], 30,
                           "the partition's RMC is active")
        port = cloud.neutron.port_2
        cloud._attach_interface(site.server, port["id"])
        expect.true(_mac(port) in _macs(site), "the interface is there")
        cloud._detach_interface(site.server, port["id"])
        expect.true(_mac(port) not in _macs(site), "the interface is gone")
    with site.check("snapshots it"):
        answer = cloud.api.post_server_action(site.server["id"],
                                              {"createImage": {"name": "captured"}})
        cloud._wait_for_server_parameter(site.server, {"OS-EXT-STS:task_state": None})
        image = cloud.glance.images[answer["image_id"]]
        expect.equal(image["status"], "active", "the image's status")
        expect.equal(len(cloud.glance._imagedata[answer["image_id"]]), management.DISK_BYTES,
                     "the image's size")
    with site.check("the periodic task tells the host's use"):
        cloud._run_periodics()
        usage = cloud._get_provider_usages(_provider(site))
        expect.equal(usage["MEMORY_MB"], 1024, "the used memory")
    # While the image is there: else all but one would wait half a minute for the one that sends it.
    with site.check("creates several with one request and deletes them"):
        request = dict(cloud._build_server("many", site.image["id"], site.flavor, networks="none"),
                       min_count=3, max_count=3)
        cloud.api.post_server({"server": request})
        servers = [cloud.wait(server, "ACTIVE")
                   for server in cloud.api.get_servers() if server["name"].startswith("many")]
        expect.equal(len(servers), 3, "the servers")
        for server in servers:
            cloud._delete_server(server)


def check_end(site):
    """Deletes what was made."""
    cloud = site.cloud
    with site.check("deletes it, with its allocations"):
        cloud._delete_server(site.server)
        expect.equal(cloud._get_allocations_by_server_uuid(site.server["id"]), {},
                     "the allocations")
        names = [partition.name for partition in pvm_lpar.LPAR.get(site.adapter)]
        expect.true(site.partition.name not in names, "its partition is gone")
    with site.check("a server that does not fit gets no host"):
        flavor = cloud._create_flavor(name="huge", memory_mb=1 << 25, vcpu=1, disk=1)
        made = cloud.api.post_server({"server": cloud._build_server(
            "huge", site.image["id"], flavor, networks="none")})
        failed = cloud.wait(made, "ERROR")
        expect.true("No valid host" in failed["fault"]["message"], failed["fault"]["message"])
        cloud._delete_server(failed)
    with site.check("placement has no allocation left"):
        usage = cloud._get_provider_usages(_provider(site))
        expect.equal(set(usage.values()), {0}, "what is used")


def _provider(site):
    return site.cloud._get_provider_uuid_by_host(clouds.HOST)


def _partition(site, server):
    return pvm_lpar.LPAR.get(
        site.adapter, uuid=pvm_uuid.convert_uuid_to_pvm(server["id"]).upper())


def _mac(port):
    return port["mac_address"].replace(":", "").upper()


def _macs(site):
    return {cna.mac for cna in pvm_net.CNA.get(site.adapter, parent=_partition(site, site.server))}
