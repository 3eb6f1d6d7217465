"""What else the compute API does with a server."""

import contextlib
import hashlib
import time

from nova.tests.functional.api import client
from nova_suite import cinder
from nova_today_suite import life
from pypowervm_suite import content
from pypowervm_suite import expect
from pypowervm_suite.report import Unmet

# Seconds after which the driver takes a state for settled, and some more.
SETTLES = 18


def check_interfaces(site):
    """Adapters of a server that runs."""
    cloud = site.cloud
    with site.check("attaches an interface and detaches it"):
        reachable(site)
        port = cloud.neutron.port_2
        cloud.bind(port, life.VLAN + 1)
        before = len(site.partition(site.server)["network_adapters"])
        cloud._attach_interface(site.server, port["id"])
        expect.equal(len(site.partition(site.server)["network_adapters"]), before + 1, "the adapters")
        cloud._detach_interface(site.server, port["id"])
        expect.equal(len(site.partition(site.server)["network_adapters"]), before, "the adapters")


def check_volumes(site):
    """Volumes of a server that runs."""
    cloud = site.cloud
    with site.check("attaches a Fibre Channel volume, with its connector from the host"):
        reachable(site)
        volume = site.keep("volume", cinder.Volume(site.simulator, "conformance"))
        cloud.serve_volumes()
        before = site.keep("mappings", mappings(site))
        cloud._attach_volumes(site.server, [volume.id])
        expect.within(len(mappings(site)) - len(before), 1, 2, "the new mappings")
    with site.check("extends it"):
        volume, asked = site.volume, site.asked()
        volume.extend()
        event = {"name": "volume-extended", "server_uuid": site.server["id"], "tag": volume.id}
        cloud.api.api_post("/os-server-external-events", {"events": [event]})
        # Each Virtual I/O Server that maps it looks how large its disk is now.
        expect.equal(len(site.jobs("RescanVirtualDisk", asked)), len(mappings(site)) - len(site.mappings),
                     "the looks at the disk")
    with site.check("detaches it"):
        cloud.api.delete_server_volume(site.server["id"], site.volume.id)
        cloud._wait_for_volume_detach(site.server["id"], site.volume.id)
        expect.equal(mappings(site), site.mappings, "the mappings")
    with site.check("boots from a volume, and has no disk beside it"):
        disks = {line for line in site.inventory() if line.startswith(("unit boot_", "disk b_"))}
        request = dict(cloud._build_server("volumed", "", site.flavor, networks="none"), block_device_mapping_v2=[
            {"boot_index": 0, "uuid": site.volume.id, "source_type": "volume", "destination_type": "volume"}])
        request.pop("imageRef")
        server = cloud.wait(cloud.api.post_server({"server": request}), "ACTIVE")
        expect.equal({line for line in site.inventory() if line.startswith(("unit boot_", "disk b_"))}, disks,
                     "the boot disks")
        name = site.partition(server)["uuid"]
        expect.within(len([line for line in mappings(site) if line.endswith(" to " + name)]), 1, 2,
                      "the mappings of the volume")
        cloud._delete_server(server)
        expect.equal(mappings(site), site.mappings, "the mappings")


def check_images(site):
    """Images of a server, and servers of other images."""
    cloud = site.cloud
    with site.check("rescues it and unrescues it"):
        before = site.inventory()
        cloud.api.post_server_action(site.server["id"], {"rescue": {"rescue_image_ref": site.image["id"]}})
        cloud.wait(site.server, "RESCUE")
        rescue = [line for line in site.inventory() - before if line.startswith(("unit rescue_", "disk r_"))]
        expect.single(rescue, "rescue disks")
        site.check_runs(site.server)
        cloud.api.post_server_action(site.server["id"], {"unrescue": None})
        cloud.wait(site.server, "ACTIVE")
        expect.equal(site.compare(before), ([], []), "what is left or lost")
    with site.check("rebuilds it in place from another image"):
        number = site.partition(site.server)["id"]
        data = content.pattern(life.IMAGE_BYTES, seed=1)
        image = type(site.image)("another image", data)
        cloud.add_image(image)
        cloud.api.post_server_action(site.server["id"], {"rebuild": {"imageRef": image["id"]}})
        cloud.wait(site.server, "ACTIVE")
        _, disk = site.disk(site.server)
        expect.equal(disk["sha256"], hashlib.sha256(data).hexdigest(), "what lies on its disk")
        site.check_runs(site.server)
        expect.equal(site.partition(site.server)["id"], number, "its partition's number")
    if cloud.disks == "localdisk":
        with site.check("a snapshot is refused, and the server goes on"):
            made = len(cloud.glance.images)
            with contextlib.suppress(client.OpenStackApiException):
                cloud.api.post_server_action(site.server["id"], {"createImage": {"name": "captured"}})
            cloud._wait_for_server_parameter(site.server, {"OS-EXT-STS:task_state": None, "status": "ACTIVE"})
            expect.equal(len(cloud.glance.images), made, "the images")
        return
    with site.check("snapshots it, as a stream from its disk to Glance"):
        site.show_disks()
        udid, _ = site.disk(site.server)
        answer = cloud.api.post_server_action(site.server["id"], {"createImage": {"name": "captured"}})
        cloud._wait_for_server_parameter(site.server, {"OS-EXT-STS:task_state": None})
        image = cloud.glance.images[answer["image_id"]]
        expect.equal(image["status"], "active", "the image's status")
        expect.true(cloud.glance._imagedata[answer["image_id"]] == site.seen_of(udid), "the image is what lies on it")
    with site.check("shelves it and unshelves it"):
        site.show_disks()
        udid, _ = site.disk(site.server)
        cloud.api.post_server_action(site.server["id"], {"shelve": None})
        cloud.wait(site.server, "SHELVED_OFFLOADED")
        expect.equal(site.partition(site.server), None, "its partition")
        cloud.api.post_server_action(site.server["id"], {"unshelve": None})
        cloud.wait(site.server, "ACTIVE")
        _, disk = site.disk(site.server)
        expect.equal(disk["sha256"], hashlib.sha256(site.seen_of(udid)).hexdigest(), "what lies on its new disk")
        site.check_runs(site.server)


def check_resize(site):
    """Other sizes on the same host, with a volume."""
    cloud = site.cloud
    with site.check("attaches the volume again"):
        reachable(site)
        cloud._attach_volumes(site.server, [site.volume.id])
        attached = site.keep("attached", len(mappings(site)))
        expect.within(attached - len(site.mappings), 1, 2, "the new mappings")
    for name, end in (("reverts it", "revertResize"), ("confirms it", "confirmResize")):
        with site.check("resizes it and %s; its volume comes along" % name):
            larger = cloud._create_flavor(name="larger " + end, memory_mb=2048, vcpu=1, disk=2, ephemeral=0, swap=0)
            cloud.api.post_server_action(site.server["id"], {"resize": {"flavorRef": larger}})
            cloud.wait(site.server, "VERIFY_RESIZE")
            expect.equal(len(mappings(site)), site.attached, "the mappings")
            cloud.api.post_server_action(site.server["id"], {end: None})
            server = cloud.wait(site.server, "ACTIVE")
            wanted = 2048 if end == "confirmResize" else 1024
            expect.equal(server["flavor"]["ram"], wanted, "the memory")
            site.check_runs(site.server)
            expect.equal(len(mappings(site)), site.attached, "the mappings")
            found = cloud._get_allocations_by_server_uuid(site.server["id"])
            expect.equal(found[cloud.provider()]["resources"]["MEMORY_MB"], wanted, "the allocation")
    with site.check("detaches the volume again"):
        reachable(site)
        cloud.api.delete_server_volume(site.server["id"], site.volume.id)
        cloud._wait_for_volume_detach(site.server["id"], site.volume.id)
        expect.equal(len(mappings(site)), len(site.mappings), "the mappings")

def check_shutdown(site):
    """What a guest does by itself."""
    cloud = site.cloud
    with site.check("sees that the guest has shut down"):
        # The driver believes a state once it has lasted for a while.
        time.sleep(SETTLES)
        site.simulator.incident("down", site.partition(site.server)["name"])
        cloud.wait(site.server, "SHUTOFF")
        expect.equal(site.partition(site.server)["state"], "not activated", "its state")
        cloud._start_server(site.server)


def reachable(site):
    """Waits until the server's partition can be changed while it runs."""
    deadline = time.monotonic() + 30
    while site.partition(site.server)["rmc"] != "active":
        if time.monotonic() > deadline:
            raise Unmet("its RMC is not active after 30 s")
        time.sleep(0.1)


def mappings(site):
    return sorted(line for line in site.inventory() if line.startswith("mapping "))


def without_images(compared):
    return tuple([line for line in lines if not line.startswith(("disk i_", "unit image_"))] for lines in compared)
