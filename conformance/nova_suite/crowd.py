"""Ten servers at once."""

import eventlet
from nova import conf
from nova.compute import power_state
from pypowervm.wrappers import storage as pvm_stg

from nova_suite import deploy
from nova_suite import instances
from nova_suite import neutron
from pypowervm_suite import content
from pypowervm_suite import expect

CONF = conf.CONF
SERVERS = 10


def check(node):
    """While node.server lives: with it lives the image in the pool.

    Were the image new, all but one would wait half a minute or more for the one that sends it.
    """
    servers = []
    with node.check("spawns %d servers at once" % SERVERS):
        image = node.image
        for number in range(SERVERS):
            vifs = [neutron.port("pvm_sea", deploy.VLAN, active=False), neutron.port("ovs")]
            servers.append((instances.instance(
                CONF.host, "crowd-%d" % number, instances.flavor(), config_drive=True,
                image=image), vifs))
        failures = _at_once(lambda made, vifs: node.run(made, image, vifs), servers)
        expect.equal(failures, [], "what failed")
    with node.check("all of them run, each with its own disk that holds the image"):
        for made, vifs in servers:
            expect.equal(node.state(made), power_state.RUNNING, "the state of " + made.name)
            disks = {mapping.backing_storage.udid
                     for mappings in node.mappings(node.partition(made).id).values()
                     for mapping in mappings
                     if not isinstance(mapping.backing_storage, pvm_stg.VOptMedia)}
            content.arrived(node, expect.single(disks, "disks of " + made.name), image.data)
    if CONF.powervm.disk_driver == "ssp":
        with node.check("the image was sent once"):
            expect.equal(node.glance.downloads.count(image["id"]), 1, "complete downloads")
    with node.check("destroys all of them at once"):
        # Of several removals from one volume group at once, the driver for local disks lets some
        # fail: it does not repeat an update that came too late. Nova's user would repeat those.
        repeats = 1 if CONF.powervm.disk_driver == "ssp" else SERVERS
        left = servers
        for _ in range(repeats):
            failures = _at_once(lambda made, vifs: node.destroy(made, vifs), left)
            failed = [uuid for uuid, _ in failures]
            left = [(made, vifs) for made, vifs in left if made.uuid in failed]
        expect.equal(failures, [], "what failed")
        expect.true(not [name for name in node.driver.list_instances()
                         if name in [made.name for made, _ in servers]], "no partition is left")


def _at_once(action, servers):
    """Runs the action on all servers at once; gives what failed as pairs of UUID and why."""
    failures = []

    def run(made, vifs):
        try:
            action(made, vifs)
        except Exception as error:  # whatever it is: the caller tells it
            failures.append((made.uuid, "%s: %s" % (type(error).__name__, str(error)[:300])))

    pool = eventlet.GreenPool(len(servers))
    for made, vifs in servers:
        pool.spawn(run, made, vifs)
    pool.waitall()
    return failures
