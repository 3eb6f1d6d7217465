"""A server whose host is lost."""

import base64

from nova import context as contexts
from nova import objects
from nova_today_suite import moving
from nova_today_suite import site as sites
from pypowervm_suite import expect

MACHINE = "first"
NVRAM = base64.b64encode(bytes(range(256)))


def check(site):
    """The host that the server is on goes, and comes back."""
    cloud = site.cloud
    with site.check("the host's compute service is down"):
        moving.check_place(site, MACHINE, 2048)
        contents = site.keep("contents", site.simulator.contents())
        expect.true(contents, "something lies on disks")
        cloud.computes[MACHINE].stop()
        force_down(cloud, True)
    with site.check("evacuates the server: it is made anew on the other host, with its disk, its slots and its NVRAM, "
                    "and waits for its port"):
        uuid = sites.partition_uuid(site.server["id"])
        # The guest of a simulated host writes none.
        site.store.objects[uuid] = NVRAM
        with moving.port_down(site, lambda: cloud.api.post_server_action(
                site.server["id"], {"evacuate": {"host": "second"}})):
            moving.plug(site, "second")
            report(site)
        cloud.wait_for_move(site.server, "done")
        server = cloud.wait(site.server, "SHUTOFF")
        expect.equal(server["OS-EXT-SRV-ATTR:host"], "second", "its host")
        expect.true(site.consoles["second"].has(sites.partition_uuid(server["id"])), "its partition is there")
        found = site.consoles["second"].values("LogicalPartition/%s?group=NVRAM" % uuid.upper(), "PartitionNVRAM")
        expect.equal(found, [NVRAM.decode()], "its NVRAM")
        expect.true(("GET", uuid + "_slot_map") in site.store.asked, "its slots were fetched")
        expect.equal(hashes(site.simulator.contents()), hashes(site.contents), "what lies on the disks")
    with site.check("the lost host comes back, and what was left of the server there is removed"):
        # Nova wants it in this order.
        cloud.start_host(MACHINE)
        force_down(cloud, False)
        cloud._start_server(site.server)
        moving.check_place(site, "second", 2048)
        usage = cloud._get_provider_usages(cloud.provider(MACHINE))
        expect.equal(set(usage.values()), {0}, "what is used there")


def report(site):
    """Neutron has connected the port. Nova tells all hosts that have to do with the server, and would wait here for the
    lost one to answer.
    """
    cloud = site.cloud
    context = contexts.get_admin_context()
    instance = objects.Instance.get_by_uuid(context, site.server["id"])
    event = objects.InstanceExternalEvent(
        instance_uuid=instance.uuid, name="network-vif-plugged", status="completed", tag=cloud.neutron.port_1["id"])
    cloud.computes["second"].manager.external_instance_event(context, [instance], [event])


def force_down(cloud, is_down):
    """Tells Nova that the host is down, or no longer."""
    service = expect.single([service for service in cloud.api.get_services()
                             if (service["host"], service["binary"]) == (MACHINE, "nova-compute")], "services")
    cloud.api.put_service_force_down(service["id"], is_down)


def hashes(contents):
    return sorted(disk["sha256"] for disk in contents.values())
