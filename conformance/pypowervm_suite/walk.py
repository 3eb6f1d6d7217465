"""Every wrapper class over every feed: all that the library can read is read."""

import importlib
import inspect
import pkgutil

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm import wrappers as pvm_wrappers
from pypowervm.tasks import management_console as tsk_mc
from pypowervm.wrappers import base_partition as bp
from pypowervm.wrappers import cluster as pvm_clust
from pypowervm.wrappers import enterprise_pool as pvm_ep
from pypowervm.wrappers import entry_wrapper as ewrap
from pypowervm.wrappers import event as pvm_evt
from pypowervm.wrappers import http_error as pvm_he
from pypowervm.wrappers import iocard
from pypowervm.wrappers import job as pvm_job
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import managed_system as pvm_ms
from pypowervm.wrappers import management_console as pvm_mc
from pypowervm.wrappers import monitor as pvm_mon
from pypowervm.wrappers import network as pvm_net
from pypowervm.wrappers import pmem as pvm_pmem
from pypowervm.wrappers import shared_proc_pool as pvm_spp
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import vios_file as pvm_vf
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect
from pypowervm_suite import partition

# Feeds at the root, and below each entry of those.
ROOTS = (pvm_mc.ManagementConsole, pvm_ms.System, pvm_lpar.LPAR, pvm_vios.VIOS, pvm_clust.Cluster,
         pvm_stg.SSP, pvm_ep.Pool)
CHILDREN = {
    pvm_ms.System: (pvm_lpar.LPAR, pvm_vios.VIOS, pvm_net.VSwitch, pvm_net.VNet,
                    pvm_net.NetBridge, pvm_spp.SharedProcPool),
    pvm_lpar.LPAR: (pvm_net.CNA, iocard.VNIC, iocard.SRIOVEthLPort, pvm_stg.VFCClientAdapter),
    pvm_vios.VIOS: (pvm_stg.VG, pvm_net.CNA, pvm_vios.VSCSIBus, iocard.SRIOVEthLPort),
    pvm_stg.SSP: (pvm_stg.Tier,),
    pvm_stg.Tier: (pvm_stg.LUEnt,),
    pvm_ep.Pool: (pvm_ep.PoolMember,),
}
# The library refuses to ask for this property of volumes that it did not get through a server.
# How many entries of a feed are read alone, too.
ALONE = 2
# Of what has no link to itself: templates, errors, preferences.
OF_LINKED = ("related_href", "traits")
UNDERIVED = pvm_ex.UnableToBuildPG83EncodingMissingParent


def classes():
    """All concrete wrapper classes of the library, by type name and kind of wrapper."""
    for module in pkgutil.walk_packages(pvm_wrappers.__path__, pvm_wrappers.__name__ + "."):
        importlib.import_module(module.name)
    found, todo = set(), [ewrap.Wrapper]
    while todo:
        for subclass in todo.pop().__subclasses__():
            todo.append(subclass)
            if subclass.schema_type is not None:
                found.add(subclass)
    return found


def linked(wrapper):
    """Whether the server told where it is found."""
    return not isinstance(wrapper, ewrap.EntryWrapper) or wrapper.href is not None


class Walker:
    """Reads every property of a wrapper, and of what these give, down to the leaves."""

    def __init__(self):
        self.seen = {}
        self.properties = 0
        self.failures = []
        self._above = []

    def read(self, wrapper, where):
        """All properties; what raises is kept in failures."""
        if wrapper.element is None:
            # How the library says for some properties that there is none.
            return
        # A port leads back to its adapter, which leads to the port.
        element = wrapper.element.element
        if any(above is element for above in self._above):
            return
        self._above.append(element)
        self._read(wrapper, where)
        self._above.pop()

    def _read(self, wrapper, where):
        kind = type(wrapper)
        self.seen[kind] = self.seen.get(kind, 0) + 1
        for name, member in inspect.getmembers(kind, lambda it: isinstance(it, property)):
            if name in OF_LINKED and not linked(wrapper):
                continue
            self.properties += 1
            try:
                value = member.fget(wrapper)
            except UNDERIVED:
                continue
            except Exception as error:  # any at all is what the check is about
                self.failures.append("%s.%s at %s: %r" % (kind.__name__, name, where, error))
                continue
            self._below(value, "%s.%s" % (where, name))

    def _below(self, value, where):
        if isinstance(value, ewrap.ElementWrapper):
            self.read(value, where)
        elif isinstance(value, (ewrap.WrapperElemList, list, tuple)):
            for index, member in enumerate(value):
                self._below(member, "%s[%d]" % (where, index))


def check(site):
    """Reads everything that there is at the moment; keeps walker."""
    walker = Walker()
    with site.check("every property of every wrapper in every feed can be read"):
        for kind in ROOTS:
            for entry in _feed(site, walker, kind):
                _children(site, walker, entry)
        for kind, service in ((pvm_vf.File, "web"),):
            for file in kind.wrap(site.adapter.read(kind.schema_type, service=service)):
                walker.read(file, kind.schema_type)
        for event in pvm_evt.Event.get(site.adapter, "walk-%s" % site.session._sessToken[:8]):
            walker.read(event, "Event")
        expect.equal(walker.failures, [], "what could not be read")
        expect.within(walker.properties, 2000, 10 ** 7, "the properties read")
        site.keep("walker", walker)
    with site.check("persistent memory, which the systems lack, is refused or empty"):
        for kind in (pvm_pmem.PersistentMemoryDevice, pvm_pmem.PersistentMemoryVolume,
                     pvm_pmem.VirtualPMEMVolume):
            try:
                found = kind.get(site.adapter, parent=site.system)
            except pvm_ex.HttpError as error:
                expect.within(error.response.status, 400, 404, "the status")
            else:
                expect.equal(list(found), [], kind.schema_type)


def check_example(site):
    """With an inventory of everything, and what that cannot hold: no class is left out."""
    with site.check("finds the systems"):
        site.keep("system", expect.single(
            [system for system in pvm_ms.System.get(site.adapter) if system.system_name == "web-1"],
            "systems web-1"))
    with site.check("an IBM i partition, an authorized key and a file are made"):
        partition.create(site, "walk-ibmi", env=bp.LPARType.OS400, dedicated_proc=True, vcpu=1)
        tsk_mc.add_authorized_key(site.adapter, "ssh-rsa AAAAB3NzaC1yc2E walk@conformance")
        pvm_vf.File.bld(site.adapter, "walk.iso", pvm_vf.FileType.MEDIA_ISO,
                        pvm_vios.VIOS.get(site.adapter, parent=site.system)[0].uuid).create()
    check(site)
    with site.check("templates of jobs, errors and preferences can be read as well"):
        walker = site.walker
        walker.read(pvm_job.Job.wrap(site.adapter.read(
            "ManagedSystem", site.system.uuid, suffix_type="do", suffix_parm="GetNextWWPNs")),
            "JobRequest")
        error = expect.refused(pvm_ex.HttpNotFound,
                               lambda: pvm_lpar.LPAR.get(site.adapter, uuid=NOWHERE), NOWHERE)
        walker.read(pvm_he.HttpError.wrap(error.response.entry), "HttpErrorResponse")
        response = site.adapter.read("ManagedSystem", site.system.uuid, service="pcm",
                                     suffix_type=None, child_type="preferences")
        for preferences in pvm_mon.PcmPref.wrap(response):
            walker.read(preferences, "preferences")
        expect.equal(walker.failures, [], "what could not be read")
    with site.check("every class of the library was met, but for what no inventory has"):
        unmet = {kind.__name__ for kind in classes()} - {kind.__name__ for kind in site.walker.seen}
        expect.equal(sorted(unmet), sorted(UNMET | UNMET_BY[site.simulator.flavor]),
                     "the classes without an instance")


NOWHERE = "0DEAD000-BEEF-4000-8000-000000000000"
UNMET = {
    # Hardware that the simulator has not: persistent memory, RoCE ports.
    "PersistentMemoryDevice", "PersistentMemoryVolume", "VirtualPMEMVolume", "SRIOVRoCEPPort",
    # Disks of Linux Virtual I/O Servers, which only mappings name.
    "FileIO", "RBD", "_LUKSEncryptor",
    # Inside of others, or what others are made of.
    "AssociatedIOSlot", "AuthorizedKey", "IOAdapter", "VClientStorageAdapterElement",
    "VServerStorageAdapterElement",
}
UNMET_BY = {"hmc": {"VSCSIBus", "STDev"}, "novalink": set()}


def _groups(kind):
    return {pvm_vios.VIOS: [const.XAG.VIO_NET, const.XAG.VIO_STOR, const.XAG.VIO_SMAP,
                            const.XAG.VIO_FMAP],
            pvm_lpar.LPAR: [const.XAG.NVRAM]}.get(kind)


def _feed(site, walker, kind, parent=None):
    response_kind = {} if parent is None else {"parent": parent}
    entries = kind.get(site.adapter, xag=_groups(kind), **response_kind)
    for entry in entries:
        expect.equal(type(entry), kind, "the class of an entry")
        walker.read(entry, "%s %s" % (kind.schema_type, entry.uuid))
    return entries


def _children(site, walker, entry):
    for kind in CHILDREN.get(type(entry), ()):
        if kind is pvm_vios.VSCSIBus and not site.novalink:
            continue
        for number, child in enumerate(_feed(site, walker, kind, entry)):
            if number < ALONE:
                alone = kind.get(site.adapter, uuid=child.uuid, parent=entry)
                expect.equal(alone.uuid, child.uuid, "the entry alone")
            if not isinstance(child, (bp.BasePartition,)):
                _children(site, walker, child)
