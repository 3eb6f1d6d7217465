"""Ten servers at once, and what that costs."""

import threading
import time

from nova_suite import glance
from nova_today_suite import changes
from nova_today_suite import ports
from nova_today_suite import ticks
from nova_today_suite import traffic
from pypowervm_suite import content
from pypowervm_suite import expect

CROWD = 10
IMAGE_BYTES = 300 * 1024
# Of the mappings of one Virtual I/O Server, for all of them together.
MOST_WRITES = 3
# The reference driver needs about 27 requests for each.
MOST_REQUESTS = 27 * CROWD
# A thread that is never held up runs about a hundred times a second, while ten servers boot for some seconds.
LEAST_TICKS = 20


def check(site):
    """On a host where things happen at once."""
    with site.check("boots ten servers with one request, and deletes them"):
        before = site.inventory()
        with ticks.ticking() as ran:
            _, servers = boot(site, "many", CROWD)
        expect.within(ran(), LEAST_TICKS, 1 << 30, "how often another thread could run meanwhile")
        delete(site, servers)
        expect.equal(changes.without_images(site.compare(before)), ([], []), "what is left or lost")


def check_cost(site):
    """On a host where things take their time."""
    cloud = site.cloud
    with site.check("boots one server from a new image"):
        site.keep("alone", boot(site, "alone", 1))
    with site.check("ten from another one share an upload and writes, meet no conflict, and ask less than the reference"):
        downloads = len(cloud.downloads)
        counted = traffic.Traffic(site.simulator)
        with ticks.ticking() as ran:
            seconds, servers = boot(site, "crowd", CROWD, is_held=True)
        requests, writes, conflicts = counted.read()
        print("# ten servers: %.1f s (one alone: %.1f s), %d requests, writes of mappings %s, conflicts %d" % (
            seconds, site.alone[0], requests, sorted(writes.values()), conflicts))
        expect.equal(len(cloud.downloads) - downloads, 1, "the downloads of their image")
        expect.within(requests, CROWD, MOST_REQUESTS, "the requests")
        expect.within(max(writes.values()), 1, MOST_WRITES, "the writes to one Virtual I/O Server")
        expect.equal(conflicts, 0, "the conflicts")
        expect.within(ran(), LEAST_TICKS, 1 << 30, "how often another thread could run meanwhile")
    with site.check("deletes them"):
        delete(site, site.alone[1] + servers)


def boot(site, name, count, is_held=False):
    """Servers from an image of their own, and the seconds until all of them run.

    is_held: the image stops on its way until there is a partition for each. Nova begins one server after the other, the
    slower the busier this machine is, and what they share shall not depend on that.
    """
    cloud = site.cloud
    image = glance.Image("image of " + name, content.pattern(IMAGE_BYTES, seed=len(cloud.glance.images)))
    cloud.add_image(image)
    go_on = cloud.stick(image["id"])
    if not is_held:
        go_on()
    flavor = cloud._create_flavor(name="small " + name, memory_mb=512, vcpu=1, disk=1, ephemeral=0, swap=0,
                                  extra_spec={"powervm:proc_units": "0.05"})
    request = dict(cloud._build_server(name, image["id"], flavor, networks="none"), min_count=count, max_count=count)
    before = len(_partitions(site))
    began = time.monotonic()
    thread = threading.Thread(target=ports.post, args=(cloud, request), daemon=True)
    thread.start()
    if is_held:
        ports.until(lambda: len(_partitions(site)) == before + count, "each has a partition")
        go_on()
    thread.join()
    made = [server for server in cloud.api.get_servers() if server["name"].startswith(name)]
    servers = [cloud.wait(server, "ACTIVE") for server in made]
    expect.equal(len(servers), count, "the servers")
    return time.monotonic() - began, servers


def _partitions(site):
    return site.simulator.admin("/inventory")["partitions"]


def delete(site, servers):
    """All of them, and waits for that."""
    for server in servers:
        site.cloud.api.delete_server(server["id"])
    for server in servers:
        site.cloud._wait_until_deleted(server)
