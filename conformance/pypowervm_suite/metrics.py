"""Performance and capacity monitoring: preferences, long term metrics, and what they tell."""

from pypowervm.tasks.monitor import host_cpu
from pypowervm.tasks.monitor import util as mon_util
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import monitor as pvm_mon
from pypowervm.wrappers.pcm import phyp as pcm_phyp
from pypowervm.wrappers.pcm import vios as pcm_vios

from pypowervm_suite import expect
from pypowervm_suite import partition
from pypowervm_suite import running

PERIOD = 30


def _preferences(site):
    response = site.adapter.read_by_href(site.adapter.build_href(
        "ManagedSystem", root_id=site.system.uuid, child_type=pvm_mon.PREFERENCES,
        service=pvm_mon.PCM_SERVICE))
    return expect.single(pvm_mon.PcmPref.wrap(response), "preferences")


def check(site):
    """With a server of its own that works."""
    _prefer(site)
    with site.check("a server for metrics runs and is removed"):
        with running.server(site, "conformance-metrics", vcpu=2, memory=2048) as made:
            site.simulator.advance(3 * PERIOD)
            _feed(site)
            _hypervisor(site, made)
            _servers(site)
            _partitions(site, made)
            _caches(site, made)


def _prefer(site):
    with site.check("monitoring is switched on, and its other preferences kept"):
        before = _preferences(site)
        expect.equal(before.system_name, site.system.system_name, "the system's name")
        mon_util.ensure_ltm_monitors(site.adapter, site.system.uuid)
        now = _preferences(site)
        expect.true(now.ltm_enabled, "long term monitoring is on")
        expect.true(not now.compute_ltm_enabled, "of all, not of partitions alone")
        expect.equal((now.stm_enabled, now.aggregation_enabled),
                     (before.stm_enabled, before.aggregation_enabled), "the others")
    with site.check("the other preferences go back to their defaults, if so told"):
        mon_util.ensure_ltm_monitors(site.adapter, site.system.uuid, override_to_default=True)
        now = _preferences(site)
        expect.equal((now.stm_enabled, now.aggregation_enabled), (False, True), "they")


def _feed(site):
    with site.check("the feed of long term metrics has all categories, every 30 seconds"):
        metrics = mon_util.query_ltm_feed(site.adapter, site.system.uuid)
        kinds = {metric.category for metric in metrics}
        wanted = {"phyp", "lpar"} | {"vios_%d" % vios.id for vios in site.vioses}
        expect.equal(kinds, wanted, "the categories")
        times = sorted({m.updated_datetime for m in metrics if m.category == "phyp"})
        expect.within(len(times), 2, 1000, "the samples")
        for early, late in zip(times, times[1:]):
            expect.equal((late - early).total_seconds(), float(PERIOD), "the seconds between")
        for metric in metrics:
            expect.true(metric.link.split("?")[0].endswith(".json"), "its link is to JSON")
            expect.equal(type(metric.published_datetime), type(metric.updated_datetime), "times")


def _read(site, category, kind, age=0):
    metrics = [m for m in mon_util.query_ltm_feed(site.adapter, site.system.uuid)
               if m.category == category]
    metrics.sort(key=lambda m: m.updated_datetime, reverse=True)
    return kind(site.adapter.read_by_href(metrics[age].link).body)


def _hypervisor(site, made):
    with site.check("the hypervisor's sample tells of the system, its servers and partitions"):
        now, before = (_read(site, "phyp", pcm_phyp.PhypInfo, age) for age in (0, 1))
        expect.equal(now.info.mtms, site.system.mtms.mtms_str, "the system")
        sample = now.sample
        expect.equal(sample.processor.total_proc_units, site.system.proc_units, "its processors")
        expect.equal(sample.memory.total_mem, site.system.memory_total, "its memory")
        expect.equal({v.id for v in sample.vioses}, {v.id for v in site.vioses}, "its servers")
        expect.equal({p.uuid.upper() for p in sample.lpars},
                     {p.uuid for p in pvm_lpar.LPAR.get(site.adapter)}, "its partitions")
        expect.within(sample.time_based_cycles - before.sample.time_based_cycles, 1, 1 << 62,
                      "the cycles between two samples")
        mine = expect.single([p for p in sample.lpars if p.uuid.upper() == made.uuid], "samples")
        earlier = expect.single([p for p in before.sample.lpars if p.uuid.upper() == made.uuid],
                                "earlier samples")
        expect.equal((mine.id, mine.name), (made.id, made.name), "id and name")
        expect.equal(mine.memory.logical_mem, 2048, "its memory")
        for name in ("entitled_proc_cycles", "util_cap_proc_cycles", "total_instructions"):
            expect.within(getattr(mine.processor, name) - getattr(earlier.processor, name),
                          0, 1 << 62, "the growth of " + name)
        expect.within(mine.processor.entitled_proc_cycles
                      - earlier.processor.entitled_proc_cycles, 1, 1 << 62, "entitled cycles")


def _servers(site):
    with site.check("a server's sample tells of its memory, network and storage"):
        for vios in site.vioses:
            sample = _read(site, "vios_%d" % vios.id, pcm_vios.ViosInfo).sample
            expect.equal(str(sample.id), str(vios.id), "its id")
            expect.equal(sample.name, vios.name, "its name")
            expect.within(sample.mem.utilized_mem, 1, 1 << 20, "the memory it uses")
            expect.some(sample.network.adpts, "network adapter")
            for port in expect.some(sample.storage.fc_adpts, "Fibre Channel adapter"):
                expect.matches(port.wwpn, r"[0-9a-fA-F]{16}", "its WWPN")
                expect.within(port.num_reads, 0, 1 << 62, "its reads")


def _partitions(site, made):
    with site.check("partitions tell of their memory through RMC, or why not"):
        metrics = mon_util.query_ltm_feed(site.adapter, site.system.uuid)
        info = mon_util.get_lpar_metrics(metrics, site.adapter)
        mine = info.find(made.uuid)
        expect.true(mine is not None, "the running one is told of")
        expect.within(mine.memory.pct_real_mem_free, 0, 100, "its free memory (%)")
        expect.within(mine.memory.real_mem_size_bytes, 1, 1 << 62, "its memory")
        with partition.temporary(site, "conformance-silent") as silent:
            site.simulator.advance(2 * PERIOD)
            info = mon_util.get_lpar_metrics(
                mon_util.query_ltm_feed(site.adapter, site.system.uuid), site.adapter)
            other = info.find(silent.uuid)
            expect.equal(other.memory.pct_real_mem_free, 100 if other else None,
                         "the free memory of one that is off (%)")


def _caches(site, made):
    with site.check("the caches of drivers and ceilometer are filled"):
        cache = mon_util.LparMetricCache(site.adapter, site.system.uuid, refresh_delta=0)
        site.simulator.advance(2 * PERIOD)
        date, now = cache.get_latest_metric(made.uuid)
        expect.true(date is not None and now is not None, "there is a metric of the partition")
        _, earlier = cache.get_previous_metric(made.uuid)
        expect.within(now.processor.entitled_proc_cycles
                      - earlier.processor.entitled_proc_cycles, 1, 1 << 62, "its cycles")
        expect.equal(now.memory.logical_mem, 2048, "its memory")
        expect.some(now.storage.virt_adpts, "virtual storage adapter")
    with site.check("the host's processors are told of, and add up"):
        host = _host_cache(site)
        total = host.total_cycles
        expect.within(host.total_user_cycles + host.total_fw_cycles, 0, total, "the cycles used")
        host.cur_date = None
        site.simulator.advance(2 * PERIOD)
        host.refresh()
        expect.within(host.total_cycles, total + 1, 1 << 62, "all cycles, later")


def _host_cache(site):
    """The client reads the processors' clock from /proc/cpuinfo, which says so on POWER only."""
    return host_cpu.HostCPUMetricCache(site.adapter, site.system.uuid)
