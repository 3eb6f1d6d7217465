"""Servers that go to another host while they run."""

import contextlib
import time

from nova.tests.functional.api import client
from nova_suite import cinder
from nova_today_suite import changes
from nova_today_suite import moving
from nova_today_suite import site as sites
from pypowervm_suite import expect
from pypowervm_suite.report import Unmet

REASON = "the mover ran out of breath"


def check_there_and_back(site):
    """With a volume; keeps that."""
    cloud = site.cloud
    with site.check("attaches a Fibre Channel volume"):
        changes.reachable(site)
        volume = site.keep("volume", cinder.Volume(site.simulator, "moving"))
        cloud.serve_volumes()
        cloud._attach_volume(site.server, volume.id)
    for host, other in (("second", "first"), ("first", "second")):
        with site.check("live-migrates it to the %s host, whose agents are told to connect its port" % host):
            changes.reachable(site)
            moving.listen(site)
            migrate(site, host)
            cloud.wait_for_move(site.server, "completed")
            cloud.wait(site.server, "ACTIVE")
            moving.check_place(site, host)
            expect.true("plug" in moving.heard(site, host), "they are told")
        with site.check("its volume is attached there, and no longer to the %s host" % other):
            attachments = [attachment for _, attachments in cloud.cinder.volume_to_attachment.items()
                           for attachment in attachments.values() if attachment["instance_uuid"] == site.server["id"]]
            expect.single(attachments, "attachments")
            # Those of both hosts have the same names.
            there = {uuid.upper() for uuid in site.consoles[host].values("VirtualIOServer?group=None", "PartitionUUID")}
            found = serving(site)
            expect.true(found and found <= there, "it has mappings on the %s host alone: %s" % (host, sorted(found)))
        with site.check("the periodic tasks agree with both hosts"):
            cloud._run_periodics()
            expect.equal(cloud._get_provider_usages(cloud.provider(host))["MEMORY_MB"], 1024, "the used memory there")
            expect.equal(cloud._get_provider_usages(cloud.provider(other))["MEMORY_MB"], 0, "the used memory here")
            expect.equal(cloud.api.get_server(site.server["id"])["status"], "ACTIVE", "the server's status")


def check_abort(site):
    """By an administrator."""
    cloud = site.cloud
    with site.check("a live migration is aborted, and the server stays"):
        changes.reachable(site)
        before = site.inventory()
        migrate(site, "second")
        moved = cloud.wait_for_move(site.server, "running")
        on_its_way(site)
        cloud.api.delete_migration(site.server["id"], moved["id"])
        cloud.wait_for_move(site.server, "cancelled")
        cloud.wait(site.server, "ACTIVE")
        moving.check_place(site, "first")
        # The driver takes the config drive out for the move, and puts it back.
        expect.equal([moving.things(lines) for lines in site.compare(before)], [[], []], "what is left or lost")


def check_failure(site):
    """On the way; at the end the volume goes."""
    cloud = site.cloud
    with site.check("a live migration that fails is rolled back on both hosts"):
        changes.reachable(site)
        before = site.inventory()
        cinder.ask(site.simulator, "POST", "/faults", {
            "job": "Migrate", "first": 1, "when": "after", "fault": {"job_error": REASON}})
        try:
            migrate(site, "second")
            cloud.wait_for_move(site.server, "failed")
        finally:
            cinder.ask(site.simulator, "DELETE", "/faults")
        cloud.wait(site.server, "ACTIVE")
        moving.check_place(site, "first")
        expect.equal([moving.things(lines) for lines in site.compare(before)], [[], []], "what is left or lost")
    with site.check("a server whose RMC is lost may not move, and stays"):
        name = site.partition(site.server)["name"]
        site.simulator.incident("rmc_lost", name)
        try:
            # Casts are calls here: what the conductor has found comes back to the API.
            with contextlib.suppress(client.OpenStackApiException):
                migrate(site, "second")
            cloud.wait_for_move(site.server, "error")
            cloud.wait(site.server, "ACTIVE")
            moving.check_place(site, "first")
        finally:
            site.simulator.incident("rmc_back", name)
    with site.check("detaches the volume"):
        changes.reachable(site)
        cloud.api.delete_server_volume(site.server["id"], site.volume.id)
        cloud._wait_for_volume_detach(site.server["id"], site.volume.id)


def serving(site):
    """The UUIDs of the Virtual I/O Servers that have mappings for the server."""
    client = sites.partition_uuid(site.server["id"]).upper()
    return {vios["uuid"].upper() for vios in site.simulator.admin("/inventory")["virtual_io_servers"]
            if any(mapping["client"] == client for mapping in vios["scsi_mappings"])}


def migrate(site, host):
    """Asks for it."""
    site.cloud.api.post_server_action(
        site.server["id"], {"os-migrateLive": {"host": host, "block_migration": "auto"}})


def on_its_way(site):
    """Waits until the host moves it."""
    deadline = time.monotonic() + 30
    while not site.partition(site.server)["state"].startswith("migrating"):
        if time.monotonic() > deadline:
            raise Unmet("it is not on its way after 30 s")
        time.sleep(0.05)
