"""Servers that go to another host while they are off: cold migration and resize."""

from nova_suite import glance
from nova_suite import rest
from nova_suite import services
from nova_today_suite import life
from nova_today_suite import site as sites
from pypowervm_suite import content
from pypowervm_suite import expect

HOSTS = ("first", "second")


def check_services(site):
    """Keeps what each system tells, and what there is before."""
    with site.check("both consoles are logged on to"):
        links = site.cloud.links
        site.keep("consoles", {host: rest.Session(link) for host, link in links.items()})
    services.check_listed(site, HOSTS)
    with site.check("each host has the whole pool in placement, and gives out its share"):
        found = [site.cloud._get_provider_inventory(site.cloud.provider(host))["DISK_GB"] for host in HOSTS]
        pool = int(float(site.consoles[HOSTS[0]].values("SharedStoragePool", "Capacity")[0]))
        expect.equal([disk["total"] for disk in found], [pool] * len(HOSTS), "the disk of each")
        expect.equal(sum(disk["total"] * disk["allocation_ratio"] for disk in found), pool, "what all give out")
    site.keep("before", site.inventory())


def check_life(site):
    """Keeps server, flavor and image."""
    cloud = site.cloud
    with site.check("creates a server with a SEA port and a config drive on the first host"):
        image = site.keep("image", glance.Image("cloud image", content.pattern(life.IMAGE_BYTES)))
        cloud.add_image(image)
        flavor = site.keep("flavor", cloud._create_flavor(
            name="powervm", memory_mb=1024, vcpu=1, disk=2, ephemeral=0, swap=0,
            extra_spec={"powervm:proc_units": "0.2"}))
        cloud.bind(cloud.neutron.port_1, life.VLAN)
        request = dict(cloud._build_server("mover", image["id"], flavor, host="first", networks=[
            {"port": cloud.neutron.port_1["id"]}]), config_drive=True)
        site.keep("server", cloud.wait(cloud.api.post_server({"server": request}), "ACTIVE"))
        check_place(site, "first")


def check_kept(site):
    """With a store outside of the hosts."""
    with site.check("its slots are kept in Swift"):
        # Its NVRAM will be, once it has run for a while.
        expect.true(sites.partition_uuid(site.server["id"]) + "_slot_map" in site.store.objects,
                    "they are among %s" % sorted(site.store.objects))


def check_forgotten(site):
    """After its end."""
    with site.check("nothing of it is left in Swift"):
        expect.equal(sorted(site.store.objects), [], "the objects")


def check_disk(site):
    """Of one disk, as far as two simulators go."""
    with site.check("both hosts see its disk"):
        site.show_disk("boot_%s" % site.partition(site.server)["name"].replace("-", "_"), 2)
        units = [line for line in site.inventory() if ": unit boot_" in line]
        expect.equal(len(units), len(HOSTS), "the boot disks")


def check_migration(site):
    """To any other host."""
    cloud = site.cloud
    for word, end in (("reverts it", "revertResize"), ("confirms it", "confirmResize")):
        with site.check("migrates it to the other host while it is off, and " + word):
            before = site.inventory()
            cloud.api.post_server_action(site.server["id"], {"migrate": None})
            server = cloud.wait(site.server, "VERIFY_RESIZE")
            expect.equal(server["OS-EXT-SRV-ATTR:host"], "second", "its host")
            cloud.api.post_server_action(site.server["id"], {end: None})
            cloud.wait(site.server, "ACTIVE")
            check_place(site, "second" if end == "confirmResize" else "first")
            if end == "revertResize":
                left, lost = site.compare(before)
                expect.equal((things(left), things(lost)), ([], []), "what is left or lost")


def check_resize(site):
    """To another host, since it may not stay."""
    cloud = site.cloud
    for word, end, memory in (("reverts it", "revertResize", 1024), ("confirms it", "confirmResize", 2048)):
        with site.check("resizes it to another host, and " + word):
            larger = cloud._create_flavor(name="larger " + end, memory_mb=2048, vcpu=1, disk=2, ephemeral=0, swap=0)
            cloud.api.post_server_action(site.server["id"], {"resize": {"flavorRef": larger}})
            server = cloud.wait(site.server, "VERIFY_RESIZE")
            expect.equal(server["OS-EXT-SRV-ATTR:host"], "first", "its host")
            cloud.api.post_server_action(site.server["id"], {end: None})
            server = cloud.wait(site.server, "ACTIVE")
            expect.equal(server["flavor"]["ram"], memory, "the memory")
            check_place(site, "first" if end == "confirmResize" else "second", memory)


def check_end(site):
    """Deletes what was made."""
    cloud = site.cloud
    with site.check("deletes it, with its allocations"):
        cloud._delete_server(site.server)
        expect.equal(cloud._get_allocations_by_server_uuid(site.server["id"]), {}, "the allocations")
        for host in HOSTS:
            usage = cloud._get_provider_usages(cloud.provider(host))
            expect.equal(set(usage.values()), {0}, "what is used of the %s host" % host)
    with site.check("nothing is left, nothing is lost"):
        left, lost = site.compare(site.before)
        # A host removes a disk from the pool as it sees it: a second simulator is not told.
        left = [line for line in left if not line.startswith(tuple("%s: unit " % host for host in HOSTS))]
        expect.equal((left, lost), ([], []), "what is left or lost")


def check_place(site, host, memory=1024):
    """Within a check: the server runs on that host, and nothing of it is on the other one or booked there."""
    cloud, server = site.cloud, site.server
    told = cloud.api.get_server(server["id"])
    expect.equal(told["OS-EXT-SRV-ATTR:host"], host, "its host")
    uuid = sites.partition_uuid(server["id"])
    expect.equal([name for name in HOSTS if site.consoles[name].has(uuid)], [host], "the systems that have it")
    # Without anything to boot on its disk, a partition stays in its firmware.
    expect.true(site.partition(server)["state"] in ("running", "open firmware"), "it runs")
    found = cloud._get_allocations_by_server_uuid(server["id"])
    expect.equal({name: found[cloud.provider(name)]["resources"]["MEMORY_MB"]
                  for name in HOSTS if cloud.provider(name) in found}, {host: memory}, "the allocations")
    expect.equal(len(found), 1, "the providers that it has something of")


def things(lines):
    """Without what is named by numbers that change: slots and identifiers of adapters."""
    return [line for line in lines if "mapping " not in line and "adapter " not in line]
