"""Shared processor pools: read, sized, named, with partitions in them."""

from pypowervm import exceptions as pvm_ex
from pypowervm.wrappers import shared_proc_pool as pvm_spp

from pypowervm_suite import expect
from pypowervm_suite import partition

POOL = 5


def _pools(site):
    return {pool.id: pool for pool in pvm_spp.SharedProcPool.get(site.adapter,
                                                                 parent=site.system)}


def check(site):
    """With pool POOL, which is given back as it was."""
    with site.check("the pools are numbered, the first one is the default pool"):
        pools = _pools(site)
        expect.equal(sorted(pools), list(range(64)), "their numbers")
        expect.equal(pools[0].name, pvm_spp.DEFAULT_POOL_DISPLAY_NAME, "the first one's name")
        expect.equal([p.id for p in pools.values() if p.is_default], [0], "the default pools")
    with site.check("a pool is named and sized"):
        pool = pools[POOL]
        name = pool.name
        pool.name, pool.max_proc_units, pool.pend_rsrv_proc_units = "conform", 4, 1
        now = pool.update()
        expect.equal((now.name, now.max_proc_units, now.pend_rsrv_proc_units),
                     ("conform", 4.0, 1.0), "name, maximum and pending reserve")
        expect.equal(_pools(site)[POOL].etag, now.etag, "the etag")
    with site.check("a partition of the pool takes of its units"):
        with partition.temporary(site, "conformance-pool", proc_pool=POOL, vcpu=2,
                                 proc_units=1) as made:
            expect.equal(partition.now(site, made).proc_config.shared_proc_cfg.pool_id, POOL,
                         "its pool")
            _shrinking(site)
    with site.check("a partition in a pool without units, or in no pool, is refused"):
        for number in (POOL + 1, 64):
            expect.refused(
                pvm_ex.HttpError,
                lambda n=number: partition.create(site, "conformance-nopool", proc_pool=n),
                "pool %d" % number)
    with site.check("the default pool keeps its name"):
        default = _pools(site)[0]
        default.name = "other"
        expect.refused(pvm_ex.HttpError, default.update, "another name")
        expect.equal(_pools(site)[0].name, pvm_spp.DEFAULT_POOL_DISPLAY_NAME, "its name")
    with site.check("the pool is given back"):
        pool = _pools(site)[POOL]
        pool.name, pool.max_proc_units, pool.pend_rsrv_proc_units = name, 0, 0
        now = pool.update()
        expect.equal((now.name, now.max_proc_units), (name, 0.0), "name and maximum")


def _shrinking(site):
    with site.check("a pool with partitions is not made smaller than they need"):
        pool = _pools(site)[POOL]
        pool.max_proc_units = 0
        expect.refused(pvm_ex.HttpError, pool.update, "a maximum of 0")
        expect.equal(_pools(site)[POOL].max_proc_units, 4.0, "its maximum")
