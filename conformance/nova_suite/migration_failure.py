"""Moves that are refused or fail: the server stays where it is, the destination is as before."""

from nova.compute import power_state
from pypowervm.tasks import migration as pvm_mig

from nova_suite import cinder
from nova_suite import migration
from nova_suite import neutron
from nova_suite import node as nodes
from nova_suite import peer
from pypowervm_suite import clients
from pypowervm_suite import expect

# Simulated time goes so much slower while a move is to take too long.
SLOWLY = 0.02
# How long the servers are out of reach: longer than a move takes.
LOST_MS = 5000
REASON = "HSCL366B The partition cannot be migrated"


def check(site):
    """With a server of its own, on the first host."""
    first, second = site.hosts
    vifs = [neutron.port("pvm_sea", migration.VLAN, active=False), neutron.port("ovs")]
    with site.check("failing: spawns a server with a volume"):
        server = site.keep("failing", migration.new_server(first, "failing", vifs))
        volume = site.keep("failing_volume", cinder.Volume(site.simulator, "failing"))
        migration.build(first, server, [volume])
        migration.reachable(first, server)
    with site.check("failing: a server whose RMC is lost may not move"):
        _incident(site, "rmc_lost", nodes.uuid_of(server.made))
        error = expect.refused(
            peer.Refused, lambda: migration.check_may_move(first, second, server), "the move")
        expect.equal(error.kind, "MigrationPreCheckError", "what was raised")
        _incident(site, "rmc_back", nodes.uuid_of(server.made))
        migration.reachable(first, server)
    with site.check("failing: a host whose memory comes in other pieces is refused"):
        other = dict(second.resources, stats=dict(
            second.resources["stats"], memory_region_size=1))
        error = expect.refused(peer.Refused, lambda: second.ask(
            "check_destination", server, source=first.resources, destination=other), "the move")
        expect.equal(error.kind, "MigrationPreCheckError", "what was raised")
    _fails(site, "the job fails", first.ask, _job_fails, REASON)
    _fails(site, "the movers are lost on the way", first.ask, _movers_lost, "mover", _recover)
    _fails(site, "it takes too long and is aborted", site.impatient, _slowly, "seconds")
    with site.check("failing: moves at last, and is destroyed there"):
        migration.reachable(first, server)
        migration.move(first, second, server)
        second.ask("destroy", server, volumes=server.volumes)
        expect.true(not second.has(server), "its partition is gone")
        volume.disconnect(next(iter(server.volumes.values()))["connector"])
        volume.delete()


def _fails(site, what, source, strike, text, recover=None):
    """A move that fails on the way: source is the service that is to send the server off."""
    first, second = site.hosts
    server = site.failing
    with site.check("failing: %s: Nova is told to recover" % what):
        migration.reachable(first, server)
        before = [each for each in first.backings(server) if each[0] != "VOptMedia"]
        udids = {udid for kind, udid, _ in before if kind == "PV"}
        adapters = set(first.adapters(server))
        data = second.ask("check_destination", server,
                          source=first.resources, destination=second.resources)
        data = source("check_source", server, data=data, volumes=server.volumes)
        ready = second.ask("prepare", server, data=data, volumes=server.volumes)
        expect.equal(len(second.disks(udids)), 2, "the volume's disks there")
        strike(site)
        try:
            done = source("migrate", server, data=ready["data"], volumes=server.volumes,
                          destination=second.name)
        finally:
            cinder.ask(site.simulator, "PUT", "/clock", {"scale": 1.0})
            cinder.ask(site.simulator, "DELETE", "/faults")
        expect.equal(done["called"], ["recover_method"], "what the driver called: %s" % done)
        expect.matches(done["raised"], "LiveMigrationFailed: .*%s.*" % text, "what it raised")
    if recover is not None:
        recover(site)
    with site.check("failing: %s: the server runs where it was, with all that it had" % what):
        expect.equal(first.partition(server).migration_state, "Not_Migrating", "its migration")
        expect.equal(first.partition(server).state, "running", "its state")
        expect.equal(first.ask("state", server), power_state.RUNNING, "its state")
        expect.equal(first.backings(server), before, "its disks")
        expect.equal(set(first.adapters(server)), adapters, "its adapters")
        expect.true(not second.has(server), "it is not on the destination")
    with site.check("failing: %s: the destination gives up what it had prepared" % what):
        second.ask("forget", server, data=ready["data"], volumes=ready["volumes"])
        expect.equal(second.disks(udids), set(), "the volume's disks there")
        ovs = server.made.info_cache.network_info[1]
        expect.equal(second.trunks(ovs), [], "the trunks there")
        expect.equal(len(first.trunks(ovs)), 1, "the trunks here")


def _job_fails(site):
    _fault(site, {"job_error": REASON})


def _movers_lost(site):
    # A move without movers cannot be undone by itself.
    for vios in site.hosts[0].node.vioses():
        _fault(site, {"rmc_lost": {"target": vios.uuid, "for_ms": LOST_MS}})


def _recover(site):
    first, server = site.hosts[0], site.failing
    # The driver would, but it looks at what it read before the move.
    with site.check("failing: what could not be undone is recovered by hand"):
        partition = first.partition(server)
        expect.equal(partition.migration_state, "Migration_Failed", "its migration")
        pvm_mig.migrate_recover(partition, force=True)
        clients.wait_until(lambda: all(vios.rmc_state == "active" for vios in first.node.vioses()),
                           30, "the servers are in reach again")


def _slowly(site):
    cinder.ask(site.simulator, "PUT", "/clock", {"scale": SLOWLY})


def _fault(site, what):
    cinder.ask(site.simulator, "POST", "/faults", {
        "job": "Migrate", "first": 1, "when": "after", "fault": what})


def _incident(site, what, target):
    cinder.ask(site.simulator, "POST", "/incidents", {"incident": what, "target": target})
