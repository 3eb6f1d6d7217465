"""The management console: its keys, and who is master of a system."""

from pypowervm.tasks import management_console as tsk_mc
from pypowervm.tasks import master_mode
from pypowervm.wrappers import managed_system as pvm_ms
from pypowervm.wrappers import management_console as pvm_mc

from pypowervm_suite import expect

KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDconformance%d conformance@example"


def check(site):
    """Keys come and go."""
    if not site.novalink:
        _other_names(site)
        return
    with site.check("the console has a public key of its own"):
        expect.matches(tsk_mc.get_public_key(site.adapter), r"ssh-\S+ \S+.*", "the key")
    with site.check("keys are authorized, each once"):
        before = tuple(tsk_mc.get_authorized_keys(site.adapter))
        for number in (1, 2, 1):
            tsk_mc.add_authorized_key(site.adapter, KEY % number)
        now = tsk_mc.get_authorized_keys(site.adapter)
        expect.equal(sorted(set(now) - set(before)), [KEY % 1, KEY % 2], "the new keys")
        expect.equal(len(now), len(before) + 2, "how many")
    with site.check("keys are taken away again"):
        console = pvm_mc.ManagementConsole.get(site.adapter)[0]
        console.ssh_authorized_keys = before
        console.update()
        expect.equal(tuple(tsk_mc.get_authorized_keys(site.adapter)), before, "the keys")
    _master(site)


def _other_names(site):
    with site.check("an HMC names its keys otherwise: the client sees none, and does no harm"):
        before = pvm_mc.ManagementConsole.get(site.adapter)[0]
        expect.equal(tsk_mc.get_public_key(site.adapter), None, "the public key")
        expect.equal(tuple(tsk_mc.get_authorized_keys(site.adapter)), (), "the keys")
        expect.true("PublicSSHKeyValue" in before.toxmlstring().decode(), "it has one")


def _master(site):
    def is_master():
        return pvm_ms.System.get(site.adapter, uuid=site.system.uuid).session_is_master

    with site.check("the master's role is released and requested"):
        expect.true(is_master(), "it is master")
        master_mode.release_master(site.system)
        expect.true(not is_master(), "it is not, after releasing it")
        master_mode.request_master(site.system, mode=master_mode.MasterMode.TEMP)
        expect.true(is_master(), "it is, for a time")
        master_mode.request_master(site.system)
        expect.true(is_master(), "it is, for good")
