"""Ten servers are made, and nova-compute dies in the middle, or is stopped."""

import contextlib
import signal
import time

from nova.tests.functional.api import client

from nova_killed_suite import cloud as clouds
from nova_today_suite import site as sites
from pypowervm_suite import expect
from pypowervm_suite.report import Unmet

CROWD = 10
PATIENCE = 60


def check_begin(site):
    """The service in a process of its own."""
    cloud = site.cloud
    with site.check("nova-compute starts in a process of its own"):
        cloud.configure_compute()
        cloud.start_compute()
        cloud.map_host()
        services = cloud.api.get_services(binary="nova-compute")
        expect.equal([service["state"] for service in services], ["up"], "the state of nova-compute")
        site.keep("flavor", cloud._create_flavor(memory_mb=512, vcpu=1, disk=1, ephemeral=0, swap=0,
                                                 extra_spec={"powervm:proc_units": "0.05"}))
        site.keep("image", next(iter(cloud.glance.images)))
        site.keep("before", site.inventory())
        site.keep("known", _partitions(site))
    with site.check("it makes a server"):
        server = cloud.wait(_ask(site, "first", 1)[0], "ACTIVE")
        site.check_runs(server)
        _remove(site, [server])


def check_kill_early(site):
    """As soon as the first partitions are there."""
    _check_end(site, "killed while the first partitions are made", _has_begun, site.cloud.kill_compute)


def check_kill_late(site):
    """When some servers run already."""
    _check_end(site, "killed when some run already", lambda partitions: any(
        partition["state"] == "running" for partition in partitions) and len(partitions) >= CROWD // 2,
        site.cloud.kill_compute)


def check_stop(site):
    """As an operator stops the service: it is to leave no work for the next start."""

    def stop():
        seconds = site.cloud.end_compute(signal.SIGTERM)
        expect.within(int(seconds), 0, PATIENCE, "the seconds until it has ended")
        whole = [partition["name"] for partition in _new(site, site.known) if partition["state"] != "not activated"]
        units = [line for line in site.inventory() - site.before if line.startswith("unit boot_")]
        expect.equal(len(units), len(whole), "boot disks beside those that run (%s)" % whole)

    _check_end(site, "stopped while the first partitions are made", _has_begun, stop)


def check_interrupt(site):
    """As whoever started it in a terminal ends it."""
    _check_end(site, "interrupted while the first partitions are made", _has_begun,
               lambda: site.cloud.end_compute(signal.SIGINT))


def _has_begun(partitions):
    return len(partitions) >= 3


def _check_end(site, how, is_time, end):
    cloud = site.cloud
    servers = []
    with site.check("ten servers are asked for, and nova-compute is " + how):
        known = _partitions(site)
        servers = _ask(site, "many", CROWD)
        _until(lambda: is_time(_new(site, known)), "it is time")
        end()
        made = _new(site, known)
        running = [partition for partition in made if partition["state"] == "running"]
        expect.true(len(running) < CROWD, "they are not all there: %d" % len(running))
    if not servers:
        return
    with site.check("it starts again, and Nova sees it"):
        cloud.start_compute()
        _until(lambda: [service["state"] for service in cloud.api.get_services(binary="nova-compute")] == ["up"],
               "nova-compute is up")
    with site.check("each server is settled: it is there, or it failed"):
        _until(lambda: all(server["OS-EXT-STS:task_state"] is None and server["status"] in ("ACTIVE", "ERROR")
                           for server in _shown(site, servers)), "all servers are settled")
    with site.check("Nova and the host agree about each of them"):
        shown = _shown(site, servers)
        for server in shown:
            partition = site.partition(server)
            if server["status"] == "ACTIVE":
                expect.true(partition is not None and partition["state"] == "running",
                            "%s is ACTIVE and its partition runs: %s" % (server["id"], partition))
        known_ids = {sites.partition_uuid(server["id"]) for server in shown}
        strangers = [partition["name"] for partition in _new(site, known)
                     if partition["uuid"].lower() not in known_ids]
        expect.equal(strangers, [], "partitions of no server")
    with site.check("what was half made is not there any more"):
        whole = {line for server in _shown(site, servers) if site.partition(server) is not None
                 for line in [site.partition(server)["name"]]}
        units = [line for line in site.inventory() - site.before if line.startswith("unit boot_")]
        expect.equal(len(units), len(whole), "boot disks beside partitions %s" % sorted(whole))
        expect.equal([line for line in site.inventory() if line.startswith("file ")], [], "files")
    with site.check("it makes a server as before"):
        server = cloud.wait(_ask(site, "after", 1)[0], "ACTIVE")
        site.check_runs(server)
    with site.check("all are deleted, and nothing is left behind on the host, in Nova or in placement"):
        _remove(site, cloud.api.get_servers())
        left, lost = site.compare(site.before)
        expect.equal([line for line in left if not line.startswith(("unit image_", "disk i_"))], [], "what is left")
        expect.equal(lost, [], "what is lost")
        expect.equal(cloud.api.get_servers(), [], "the servers")
        usage = cloud._get_provider_usages(cloud._get_provider_uuid_by_host(clouds.HOST))
        expect.equal(set(usage.values()), {0}, "what is used")


def _ask(site, name, count):
    """Servers that begin to be made."""
    cloud = site.cloud
    request = dict(cloud._build_server(name, site.image, site.flavor, networks="none"),
                   min_count=count, max_count=count)
    cloud.api.post_server({"server": request})
    return [server for server in cloud.api.get_servers() if server["name"].startswith(name)]


def _remove(site, servers):
    """Nova's fixtures keep its tables in SQLite. That may say that it is locked, on a busy machine, and Nova leaves the
    server in ERROR then: who sees that asks again.
    """
    cloud = site.cloud
    ids = {server["id"] for server in servers}
    for server in ids:
        cloud.api.delete_server(server)

    def are_gone():
        left = [server for server in cloud.api.get_servers() if server["id"] in ids]
        for server in left:
            if server["status"] == "ERROR" and server["OS-EXT-STS:task_state"] is None:
                with contextlib.suppress(client.OpenStackApiNotFoundException):
                    cloud.api.delete_server(server["id"])
        return not left

    _until(are_gone, "they are deleted")


def _shown(site, servers):
    return [site.cloud.api.get_server(server["id"]) for server in servers]


def _partitions(site):
    return {partition["uuid"] for partition in site.simulator.admin("/inventory")["partitions"]}


def _new(site, known):
    return [partition for partition in site.simulator.admin("/inventory")["partitions"]
            if partition["uuid"] not in known]


def _until(is_so, what):
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise Unmet("after %d s it is not so that %s" % (PATIENCE, what))
        time.sleep(0.02)
