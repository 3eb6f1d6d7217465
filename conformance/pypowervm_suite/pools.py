"""Storage that is there from the start: volume groups, cluster, pool and tier."""

from pypowervm.tasks import storage as tsk_stg
from pypowervm.tasks import vopt as tsk_vopt
from pypowervm.wrappers import cluster as pvm_clust
from pypowervm.wrappers import storage as pvm_stg

from pypowervm_suite import expect
from pypowervm_suite import host


def check(site):
    """All of it; keeps data_vg, media_vios, media_vg, cluster, pool and tier."""
    _volume_groups(site)
    _pool(site)


def _volume_groups(site):
    with site.check("reads the volume groups"):
        data = []
        for vios in site.vioses:
            groups = expect.some(pvm_stg.VG.get(site.adapter, parent=vios), "volume group")
            expect.true("rootvg" in [group.name for group in groups], "rootvg is there")
            for group in groups:
                what = " of %s on %s" % (group.name, vios.name)
                expect.within(group.capacity, 1, 1 << 20, "the capacity (GB)" + what)
                expect.within(group.available_size, 0, group.capacity, "the free size" + what)
                expect.within(group.free_space, 0, group.capacity, "the free space" + what)
                expect.matches(group.serial_id, r"[0-9a-f]{32}", "the serial number" + what)
                expect.some(group.phys_vols, "physical volume" + what)
                expect.kind(list(group.virtual_disks), list, "the virtual disks" + what)
                if group.name != "rootvg":
                    data.append((vios, group))
        site.keep("data_vg", expect.some(data, "data volume group")[0])
    with site.check("a volume group is found by name"):
        vios, group = tsk_stg.find_vg(site.adapter, "rootvg", vios_name=site.vioses[1].name)
        expect.equal(vios.uuid, site.vioses[1].uuid, "its Virtual I/O Server")
        again = pvm_stg.VG.get(site.adapter, uuid=group.uuid, parent=vios)
        expect.equal(again.etag, group.etag, "its etag")
    with site.check("finds the media repository"):
        vios_uuid, group_uuid = tsk_vopt.validate_vopt_repo_exists(site.adapter)
        vios = expect.single([v for v in site.vioses if v.uuid == vios_uuid], "its server")
        group = pvm_stg.VG.get(site.adapter, uuid=group_uuid, parent=vios)
        repository = expect.single(group.vmedia_repos, "media repositories")
        expect.kind(repository.name, str, "its name")
        expect.within(repository.size, 0.1, 1024, "its size (GB)")
        site.keep("media_vios", vios)
        site.keep("media_vg", group)


def _pool(site):
    with site.check("reads the cluster"):
        cluster = expect.single(pvm_clust.Cluster.get(site.adapter), "clusters")
        expect.kind(cluster.name, str, "its name")
        expect.matches(cluster.id, r"22[0-9a-f]+", "its id")
        expect.matches(cluster.repos_pv.name, r"hdisk\d+", "its repository disk")
        nodes = {node.vios_uuid.upper(): node for node in cluster.nodes}
        expect.equal(set(nodes), {v.uuid.upper() for v in site.vioses}, "its nodes")
        for vios in site.vioses:
            node = nodes[vios.uuid.upper()]
            expect.equal(node.lpar_id, vios.id, "the node's partition id")
            expect.equal(node.state, pvm_clust.NodeState.UP, "the node's state")
            expect.matches(node.mtms.mtms_str, host.MTMS, "the node's machine")
            expect.true("/ManagedSystem/%s/" % site.system.uuid in node.vios_uri,
                        "the node's link runs through the system's UUID")
        site.keep("cluster", cluster)
    with site.check("reads the shared storage pool"):
        pool = expect.single(pvm_stg.SSP.get(site.adapter), "shared storage pools")
        expect.equal(pool.uuid, site.cluster.ssp_uuid, "the UUID in the cluster's link")
        by_link = pvm_stg.SSP.get_by_href(site.adapter, site.cluster.ssp_uri)
        expect.equal(by_link.etag, pool.etag, "the etag by the cluster's link")
        expect.kind(pool.name, str, "its name")
        expect.matches(pool.udid, r"24[0-9a-f]+", "its UDID")
        expect.within(pool.capacity, 1, 1 << 20, "its capacity (GB)")
        expect.within(pool.free_space, 0.1, pool.capacity, "its free space")
        expect.within(pool.over_commit_space, 0, 1 << 20, "its overcommitted space")
        expect.within(pool.total_lu_size, 0, 1 << 20, "the size of its logical units")
        expect.some(pool.physical_volumes, "physical volume of the pool")
        expect.kind(list(pool.logical_units), list, "its logical units")
        site.keep("pool", pool)
    with site.check("reads the tier"):
        tier = tsk_stg.default_tier_for_ssp(site.pool)
        expect.true(tier.is_default, "it is the default tier")
        expect.matches(tier.udid, r"25[0-9a-f]+", "its UDID")
        expect.within(tier.capacity, 1, 1 << 20, "its capacity (GB)")
        expect.equal(tier.ssp_uuid, site.pool.uuid, "its pool")
        by_uuid = pvm_stg.Tier.get(site.adapter, uuid=tier.uuid)
        expect.equal(by_uuid.name, tier.name, "the name by its own path")
        expect.equal(tier.refresh().uuid, tier.uuid, "the UUID after a refresh")
        site.keep("tier", tier)
    with site.check("reads the logical units"):
        for unit in pvm_stg.LUEnt.get(site.adapter, parent=site.tier):
            expect.matches(unit.udid, r"2[79][0-9a-f]{64}", "the UDID of " + unit.name)
            int(unit.udid[2:], 16)
            expect.kind(unit.in_use, bool, "whether in use: " + unit.name)
            expect.within(unit.capacity, 0.001, 1 << 20, "the capacity of " + unit.name)
