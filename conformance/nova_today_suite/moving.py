"""Servers that go to another host while they are off: cold migration and resize."""

import contextlib
import threading
import time

from nova import context as contexts
from nova_suite import glance
from nova_suite import rest
from nova_suite import services
from nova_today_suite import cloud as clouds
from nova_today_suite import life
from nova_today_suite import ports
from nova_today_suite import site as sites
from pypowervm_suite import content
from pypowervm_suite import expect

HOSTS = ("first", "second")


def check_services(site):
    """Keeps what each system tells, and what there is before."""
    with site.check("both consoles are logged on to"):
        links = site.cloud.links
        site.keep("consoles", {host: rest.Session(link) for host, link in links.items()})
        site.keep("listening", [])
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
    with site.check("its slots are kept in %s" % site.store.kind):
        # Its NVRAM will be, once it has run for a while.
        expect.true(sites.partition_uuid(site.server["id"]) + "_slot_map" in site.store.objects,
                    "they are among %s" % sorted(site.store.objects))


def check_modes(site):
    """Of files."""
    with site.check("nobody else may read what is kept"):
        expect.equal(site.store.modes(), ["0o600", "0o700"], "the modes")


def check_forgotten(site):
    """After its end."""
    with site.check("nothing of it is left in %s" % site.store.kind):
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
        with site.check("migrates it to the other host while it is off, where it waits for its port, and " + word):
            before = site.inventory()
            listen(site)
            with port_down(site, lambda: cloud.api.post_server_action(site.server["id"], {"migrate": None})):
                plug(site, "second")
                ports.report(cloud, site.server, cloud.neutron.port_1, "completed")
            server = cloud.wait(site.server, "VERIFY_RESIZE")
            expect.equal(server["OS-EXT-SRV-ATTR:host"], "second", "its host")
            cloud.api.post_server_action(site.server["id"], {end: None})
            cloud.wait(site.server, "ACTIVE")
            check_place(site, "second" if end == "confirmResize" else "first")
            if end == "revertResize":
                # Neutron has bound its port to this host again: somebody has to connect it.
                expect.equal(heard(site, "first"), ["plug"], "what agents of the first host hear of its port")
                left, lost = site.compare(before)
                expect.equal((things(left), things(lost)), ([], []), "what is left or lost")


def check_unplugged(site):
    """A port that Neutron cannot connect where the server goes; with servers of its own."""
    cloud = site.cloud
    with site.check("a server whose port cannot be connected on the other host fails, and nothing of it is there"):
        before = site.inventory()
        port = cloud.neutron.port_2
        cloud.bind(port, life.VLAN)
        server = cloud.wait(cloud.api.post_server({"server": cloud._build_server(
            "unplugged", site.image["id"], site.flavor, host="first", networks=[{"port": port["id"]}])}), "ACTIVE")
        site.show_disk("boot_%s" % site.partition(server)["name"].replace("-", "_"), 2)
        with port_down(site, lambda: cloud.api.post_server_action(server["id"], {"migrate": None}), port):
            ports.until(lambda: site.consoles["second"].has(sites.partition_uuid(server["id"])), "it is there")
            ports.report(cloud, server, port, "failed")
        cloud.wait(server, "ERROR")
        has = [host for host in HOSTS if site.consoles[host].has(sites.partition_uuid(server["id"]))]
        expect.equal(has, ["first"], "the hosts that have it")
        # What is left where it was is removed once Nova sees there a server that it has deleted.
        cloud._delete_server(server)
        cloud.computes["first"].manager._cleanup_running_deleted_instances(contexts.get_admin_context())
        left, lost = site.compare(before)
        left = [line for line in left if ": unit " not in line]
        expect.equal((left, lost), ([], []), "what is left or lost")


def listen(site):
    """Within a check: from now on what agents of each host are told counts."""
    for host in HOSTS:
        # Nothing may be there to be told of: the first call says that somebody listens, and no later one may wait.
        if host not in site.listening:
            site.listening.append(host)
            site.consoles[host].told()


def heard(site, host):
    """What agents of that host were told of the server's port since the last time that somebody asked."""
    address = site.cloud.neutron.port_1["mac_address"].replace(":", "").upper()
    return [action for action, mac in site.consoles[host].told() if mac == address]


def plug(site, host):
    """Within a check: the server is on that host with its port, of which agents are told, and waits with its start."""
    server, console = site.server, site.consoles[host]
    uuid = sites.partition_uuid(server["id"])
    ports.until(lambda: console.has(uuid), "its partition is there")
    news = []

    def is_told():
        news.extend(heard(site, host))
        return "plug" in news

    ports.until(is_told, "agents are told of its port")
    # A start would not have taken longer.
    time.sleep(ports.CALM)
    expect.equal(console.values("LogicalPartition/%s" % uuid.upper(), "PartitionState"), ["not activated"], "its state")


@contextlib.contextmanager
def port_down(site, action, port=None):
    """Neutron says that the port is down while Nova does something; ends with that. Casts are calls here."""
    cloud = site.cloud
    there = cloud.neutron._ports[(port or cloud.neutron.port_1)["id"]]
    there["status"] = "DOWN"

    def act():
        try:
            action()
        except Exception as error:  # the server's own status tells the rest
            cloud.said.append(error)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(2 * clouds.PATIENCE)
        there["status"] = "ACTIVE"


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
