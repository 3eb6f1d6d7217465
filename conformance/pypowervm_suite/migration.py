"""Migration between two systems that share their storage: validated, done, aborted, recovered."""

import contextlib

from pypowervm import adapter as pvm_adapter
from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import management_console as tsk_mc
from pypowervm.tasks import migration as tsk_mig
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.tasks import vfc_mapper as tsk_vfc
from pypowervm.wrappers import base_partition as bp
from pypowervm.wrappers import cluster as pvm_clust
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import managed_system as pvm_ms
from pypowervm.wrappers import network as pvm_net
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import clients
from pypowervm_suite import expect
from pypowervm_suite import partition
from pypowervm_suite import running

GROUPS = [const.XAG.VIO_SMAP, const.XAG.VIO_FMAP]
VLAN = 105


class Side:
    """One of the two systems, with a client of its own."""

    def __init__(self, site, system, address):
        self.site = site
        self.adapter = site.adapter
        self.address = address
        site.keep("system", system)
        site.keep("vioses", sorted(pvm_vios.VIOS.get(self.adapter, parent=system),
                                   key=lambda vios: vios.id))
        pool = pvm_stg.SSP.get(self.adapter)[0]
        site.keep("tier", pvm_stg.Tier.get(self.adapter, parent=pool)[0])

    @property
    def system(self):
        """As it is now."""
        return pvm_ms.System.get(self.adapter, uuid=self.site.system.uuid)

    def partition(self, uuid):
        """The partition, if this system has it, else None."""
        return {p.uuid: p for p in pvm_lpar.LPAR.get(
            self.adapter, parent=self.site.system)}.get(uuid)

    def servers(self):
        """With their mappings."""
        return pvm_vios.VIOS.get(self.adapter, parent=self.site.system, xag=GROUPS)


def check(report, simulator):
    """Starts with a simulator of two systems."""
    _check(report, lambda: _sides(report, simulator))


def check_peers(report, peers):
    """Starts with two simulators of one system each, by the names that they have for each other."""
    _check(report, lambda: [_side(report, simulator, simulator.http_port, name)
                            for simulator, name in peers])


def check_silence(report, simulator, silent):
    """What holds when the other simulator, of this name, has ended."""
    with report.check("a peer that has ended leaves the partition where it is"):
        source = _side(report, simulator, simulator.http_port, None)
        with running.server(source.site, "conformance-mobile") as made:
            for validate_only in (True, False):
                error = expect.refused(pvm_ex.JobRequestFailed, lambda: tsk_mig.migrate_lpar(
                    source.partition(made.uuid), "neo2", tgt_mgmt_svr=silent,
                    tgt_mgmt_usr="wlp", validate_only=validate_only), "the migration")
                expect.true("cannot be reached" in str(error), "it says why: %s" % error)
            now = source.partition(made.uuid)
            expect.equal((now.state, now.migration_state),
                         (bp.LPARState.RUNNING, "Not_Migrating"), "its states")


def _check(report, find):
    sides = []
    with report.check("there are two systems, each with two servers of one cluster"):
        sides = find()
        expect.equal(len({side.site.system.uuid for side in sides}), 2, "the systems")
        for side in sides:
            expect.equal(len(side.site.vioses), 2, "the servers")
            cluster = expect.single(pvm_clust.Cluster.get(side.adapter), "clusters")
            nodes = {n.vios_uuid.upper() for n in cluster.nodes if n.vios_uuid}
            expect.true({v.uuid for v in side.site.vioses} <= nodes, "they are nodes")
    if len(sides) != 2:
        return
    source, target = sides
    inventory = None
    with report.check("takes the inventory of both"):
        inventory = _inventory(sides)
    _keys(report, source, target)
    with report.check("a server for migrations runs and is removed"):
        with _server(source) as made:
            _validate(report, source, target, made)
            _refused(report, source, target, made)
            _there(report, source, target, made)
            _back(report, source, target, made)
            _abort(report, source, target, made)
    with report.check("nothing is left, nothing is lost on either system"):
        now = _inventory(sides)
        expect.equal(sorted(now - inventory), [], "what is left")
        expect.equal(sorted(inventory - now), [], "what is lost")


def _sides(report, simulator):
    if simulator.flavor == "hmc":
        session = clients.plain_session(simulator)
        systems = pvm_ms.System.get(pvm_adapter.Adapter(session))
        expect.equal(len(systems), 2, "the systems")
        return [Side(clients.Site(report, simulator, session), system, None)
                for system in sorted(systems, key=lambda s: s.system_name)]
    return [_side(report, simulator, port, address) for port, address in simulator.novalinks()]


def _side(report, simulator, port, address):
    """The only system of an endpoint."""
    session = pvm_adapter.Session(host=clients.HOST, port=port, protocol="http",
                                  username=simulator.user, password=simulator.password)
    site = clients.Site(report, simulator, session)
    system = expect.single(pvm_ms.System.get(site.adapter), "systems of an endpoint")
    return Side(site, system, address)


def _inventory(sides):
    lines = set()
    for number, side in enumerate(sides):
        system = side.system
        lines.add("%d: %d MB, %s units" % (number, system.memory_free, system.proc_units_avail))
        for client in pvm_lpar.LPAR.get(side.adapter, parent=system):
            lines.add("%d: partition %s" % (number, client.name))
        for vios in side.servers():
            lines.add("%d: %s has %d and %d mappings" % (
                number, vios.name, len(vios.scsi_mappings), len(vios.vfc_mappings)))
        for unit in pvm_stg.LUEnt.get(side.adapter, parent=side.site.tier):
            lines.add("%d: unit %s" % (number, unit.name))
    return lines


@contextlib.contextmanager
def _server(side):
    """Running, with a disk from the pool, an adapter and a virtual Fibre Channel port."""
    with running.server(side.site, "conformance-mobile", memory=2048) as made:
        switch = [s for s in pvm_net.VSwitch.get(side.adapter, parent=side.site.system)
                  if s.switch_id == 0][0]
        pvm_net.CNA.bld(side.adapter, VLAN, switch.related_href).create(parent=made)
        servers = side.servers()
        ports = [port.wwpn for vios in servers for port in vios.pfc_ports]
        port_map = tsk_vfc.derive_base_npiv_map(servers, ports, 1)[0]
        vios = tsk_vfc.find_vios_for_port_map(servers, port_map)
        tsk_vfc.add_map(vios, side.site.system.uuid, made.uuid, port_map)
        vios.update()
        try:
            yield made
        finally:
            for vios in side.servers():
                tsk_vfc.remove_maps(vios, partition.now(side.site, made).id)
                vios.update()


def _keys(report, source, target):
    if target.site.simulator.flavor == "hmc":
        return
    with report.check("each console trusts the other's"):
        for one, other in ((source, target), (target, source)):
            key = tsk_mc.get_public_key(one.adapter)
            tsk_mc.add_authorized_key(other.adapter, key)
            expect.true(key in tsk_mc.get_authorized_keys(other.adapter), "the key is there")


def _migrate(source, target, made, **options):
    """As nova-powervm does; the target chooses the Fibre Channel ports."""
    slots = [m.client_adapter.lpar_slot_num for vios in source.servers()
             for m in tsk_vfc.find_maps(vios.vfc_mappings, made.uuid)]
    ports = [port.wwpn for vios in target.servers() for port in vios.pfc_ports]
    texts = tsk_vfc.build_migration_mappings_for_fabric(target.servers(), ports, slots)
    if target.address is not None:
        options = {"tgt_mgmt_svr": target.address, "tgt_mgmt_usr": "wlp", **options}
    tsk_mig.migrate_lpar(source.partition(made.uuid), target.site.system.system_name,
                         virtual_fc_mappings=texts, sdn_override=True,
                         vlan_check_override=True, **options)


def _validate(report, source, target, made):
    with report.check("a migration is validated, and changes nothing"):
        before = source.partition(made.uuid)
        expect.equal(before.migration_state, "Not_Migrating", "its state")
        _migrate(source, target, made, validate_only=True)
        expect.equal(source.partition(made.uuid).state, bp.LPARState.RUNNING, "its state")
        expect.equal(target.partition(made.uuid), None, "what the target has of it")


def _refused(report, source, target, made):
    with report.check("a migration to a system that is not there is refused"):
        options = {} if target.address is None else {"tgt_mgmt_svr": target.address,
                                                     "tgt_mgmt_usr": "wlp"}
        expect.refused(pvm_ex.JobRequestFailed, lambda: tsk_mig.migrate_lpar(
            source.partition(made.uuid), "nosuchsystem", **options), "the migration")
        expect.equal(source.partition(made.uuid).migration_state, "Not_Migrating", "its state")
    with report.check("a migration without RMC is refused"):
        source.site.simulator.incident("rmc_lost", made.uuid)
        try:
            expect.refused(pvm_ex.JobRequestFailed, lambda: _migrate(source, target, made),
                           "the migration")
        finally:
            source.site.simulator.incident("rmc_back", made.uuid)
        expect.equal(source.partition(made.uuid).state, bp.LPARState.RUNNING, "its state")


def _belongings(side, made):
    """What a partition has: WWPNs, units with their servers, MAC addresses, VLANs."""
    servers = side.servers()
    wwpns = {w.upper() for v in servers for m in tsk_vfc.find_maps(v.vfc_mappings, made.uuid)
             for w in m.client_adapter.wwpns}
    units = {m.backing_storage.udid for v in servers
             for m in tsk_map.find_maps(v.scsi_mappings, client_lpar_id=made.uuid)}
    cnas = pvm_net.CNA.get(side.adapter, parent=side.partition(made.uuid))
    return wwpns, units, {cna.mac for cna in cnas}, {cna.pvid for cna in cnas}


def _move(source, target, made):
    """A migration with all that is to hold afterwards."""
    before, free = _belongings(source, made), target.system.memory_free
    _migrate(source, target, made)
    expect.equal(source.partition(made.uuid), None, "what the source has of it")
    now = target.partition(made.uuid)
    expect.equal((now.name, now.state), ("conformance-mobile", bp.LPARState.RUNNING),
                 "name and state at the target")
    expect.equal(now.migration_state, "Not_Migrating", "its migration's state")
    expect.equal(now.assoc_sys_uuid.lower(), target.site.system.uuid.lower(), "its system")
    expect.equal(_belongings(target, made), before, "WWPNs, units, MAC addresses and VLANs")
    expect.within(free - target.system.memory_free, 2048, 4096, "the memory that it took (MB)")
    for vios in source.servers():
        left = [m for m in (*vios.scsi_mappings, *vios.vfc_mappings)
                if made.uuid in (m.client_lpar_href or "").upper()]
        expect.equal(left, [], "its mappings that are left on " + vios.name)


def _there(report, source, target, made):
    with report.check("a running partition migrates with storage, network and memory"):
        _move(source, target, made)
    if target.address is not None:
        with report.check("what is gone answers 404 at the source"):
            expect.refused(pvm_ex.HttpNotFound,
                           lambda: pvm_lpar.LPAR.get(source.adapter, uuid=made.uuid), "its entry")


def _back(report, source, target, made):
    with report.check("and back again"):
        running.booted(target.site, made)
        _move(target, source, made)
        running.booted(source.site, made)


def _abort(report, source, target, made):
    with report.check("there is nothing to abort when nothing migrates"):
        expect.refused(pvm_ex.JobRequestFailed,
                       lambda: tsk_mig.migrate_abort(source.partition(made.uuid)), "an abort")
    with report.check("a migration that fails leaves the partition where it was"):
        with source.site.simulator.fault(job="Migrate", first=1, fault={"firmware": "HSCLA2CF"}):
            error = expect.refused(pvm_ex.JobRequestFailed,
                                   lambda: _migrate(source, target, made), "the migration")
            expect.true("HSCLA2CF" in str(error), "it says HSCLA2CF: %s" % error)
        expect.equal(source.partition(made.uuid).state, bp.LPARState.RUNNING, "its state")
        expect.equal(target.partition(made.uuid), None, "what the target has of it")
    with report.check("a forced recovery of what needs none does no harm"):
        try:
            tsk_mig.migrate_recover(source.partition(made.uuid), force=True)
        except pvm_ex.JobRequestFailed as error:
            expect.true(str(error), "it says why")
        expect.equal(source.partition(made.uuid).state, bp.LPARState.RUNNING, "its state")
