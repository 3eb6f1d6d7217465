"""A server's life through the compute API."""

import contextlib
import hashlib

from nova_suite import glance
from nova_suite import services
from nova_today_suite import cloud as clouds
from pypowervm_suite import content
from pypowervm_suite import expect

VLAN = 101
# Larger than the pieces in which it is sent, and no multiple of them.
IMAGE_BYTES = 300 * 1024 + 512


def check_services(site):
    """Before any server is made."""
    cloud = site.cloud
    services.check_listed(site, [clouds.HOST])
    with site.check("placement has the system's inventory and the driver's traits"):
        inventory = cloud._get_provider_inventory(cloud.provider())
        for name in ("VCPU", "MEMORY_MB", "DISK_GB"):
            expect.within(inventory[name]["total"], 1, 1 << 40, "the total of " + name)
        traits = set(cloud._get_provider_traits(cloud.provider()))
        expect.true("COMPUTE_IMAGE_TYPE_RAW" in traits, "raw images are supported")
        expect.true("COMPUTE_VOLUME_EXTEND" in traits, "volumes can grow")
        expect.true("COMPUTE_IMAGE_TYPE_QCOW2" not in traits, "qcow2 images are not")
    site.keep("before", site.inventory())


def check_life(site):
    """Keeps server, flavor and image."""
    cloud = site.cloud
    with site.check("creates a server with config drive and a SEA port"):
        image = site.keep("image", glance.Image("cloud image", content.pattern(IMAGE_BYTES)))
        cloud.add_image(image)
        flavor = cloud._create_flavor(name="powervm", memory_mb=1024, vcpu=1, disk=2, ephemeral=0, swap=0,
                                      extra_spec={"powervm:proc_units": "0.2"})
        site.keep("flavor", flavor)
        cloud.bind(cloud.neutron.port_1, VLAN)
        request = dict(cloud._build_server("first", image["id"], flavor, networks=[
            {"port": cloud.neutron.port_1["id"]}]), config_drive=True)
        made = cloud.api.post_server({"server": request})
        cloud.passwords.append(made["adminPass"])
        site.keep("server", cloud.wait(made, "ACTIVE"))
    with site.check("its partition runs, with an adapter, its disk and its config drive"):
        site.check_runs(site.server)
        partition = site.partition(site.server)
        expect.true(partition["network_adapters"], "it has adapters")
        lines = site.inventory()
        expect.true(any(line.startswith("medium cfg_") for line in lines), "there is a config drive")
    with site.check("its disk begins with the image"):
        # The image itself lies in the pool too, on a unit of its own.
        _, disk = site.disk(site.server)
        expect.equal(disk["sha256"], hashlib.sha256(site.image.data).hexdigest(), "what lies on it")
    with site.check("placement has its allocations"):
        found = cloud._get_allocations_by_server_uuid(site.server["id"])
        expect.equal(found[cloud.provider()]["resources"], {"VCPU": 1, "MEMORY_MB": 1024, "DISK_GB": 2},
                     "the allocations")
    with site.check("stops it"):
        cloud._stop_server(site.server)
        expect.equal(site.partition(site.server)["state"], "not activated", "its state")
    with site.check("starts it"):
        cloud._start_server(site.server)
        site.check_runs(site.server)
    for name, hard in (("softly", False), ("hard", True)):
        with site.check("reboots it " + name):
            asked = site.asked()
            # A guest that does not do it is followed by the firmware; a hard reboot asks neither.
            rule = {"job": "PowerOff", "first": 1, "fault": {"job_error": "the guest does not answer"}}
            with contextlib.nullcontext() if hard else site.simulator.fault(**rule):
                cloud._reboot_server(site.server, hard=hard)
            expect.equal(len(site.jobs("PowerOff", asked)), 1 if hard else 2, "the ways that it was told to start again")
            expect.equal(len(site.jobs("PowerOn", asked)), 0, "the starts beside these")
            site.check_runs(site.server)
    with site.check("the periodic tasks agree with the host"):
        cloud._run_periodics()
        usage = cloud._get_provider_usages(cloud.provider())
        expect.equal(usage["MEMORY_MB"], 1024, "the used memory")
        expect.equal(cloud.api.get_server(site.server["id"])["status"], "ACTIVE", "the server's status")


def check_refusals(site):
    """What cannot be."""
    cloud = site.cloud
    with site.check("a flavor with an unknown powervm: key is refused, and not tried elsewhere"):
        flavor = cloud._create_flavor(name="odd", memory_mb=1024, vcpu=1, disk=2,
                                      extra_spec={"powervm:proc_unit": "0.2"})
        made = cloud.api.post_server({"server": cloud._build_server(
            "odd", site.image["id"], flavor, networks="none")})
        failed = cloud.wait(made, "ERROR")
        expect.true("proc_unit" in failed["fault"]["message"], failed["fault"]["message"])
        cloud._delete_server(failed)
    with site.check("a server that does not fit gets no host"):
        flavor = cloud._create_flavor(name="huge", memory_mb=1 << 25, vcpu=1, disk=1)
        made = cloud.api.post_server({"server": cloud._build_server(
            "huge", site.image["id"], flavor, networks="none")})
        failed = cloud.wait(made, "ERROR")
        expect.true("No valid host" in failed["fault"]["message"], failed["fault"]["message"])
        cloud._delete_server(failed)


def check_end(site):
    """Deletes what was made."""
    cloud = site.cloud
    with site.check("deletes it, with its allocations"):
        cloud._delete_server(site.server)
        expect.equal(cloud._get_allocations_by_server_uuid(site.server["id"]), {}, "the allocations")
        expect.equal(site.partition(site.server), None, "its partition")
    with site.check("placement has no allocation left"):
        usage = cloud._get_provider_usages(cloud.provider())
        expect.equal(set(usage.values()), {0}, "what is used")
    with site.check("nothing is left, nothing is lost"):
        left, lost = site.compare(site.before)
        # Images stay in a volume group until nobody has needed them for a while.
        left = [line for line in left if not line.startswith("disk i_")]
        expect.equal(left, [], "what is left")
        expect.equal(lost, [], "what is lost")
