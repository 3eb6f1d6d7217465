"""Our own package beside a Nova that still has a PowerVM driver: refused by one, with the options of the other."""

import importlib.util
import os
import subprocess
import sys

from nova import conf

from pypowervm_suite import expect

CONF = conf.CONF
FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "nova", "python", "nova", "virt"))
# As if pip had put our modules over Nova's own, then as nova-compute begins.
START = """
import logging, sys
logging.basicConfig()
import nova.virt
nova.virt.__path__.insert(0, sys.argv.pop())
from nova.virt import driver
driver.load_compute_driver(None, "powervm.PowerVMDriver")
"""
# Options that have another default or range with us, and why.
OTHER = {
    "image_meta_local_path": "does nothing any more, nor did it then",
    "fc_npiv_adapter_api": "the adapters are built in",
    "fc_vscsi_adapter_api": "the adapters are built in",
    "ports_per_fabric": "no more than eight were ever of use",
    "nvram_store": "files as well",
}


def check_refused(site):
    """In an environment whose Nova has its own driver."""
    with site.check("our package refuses to start in a Nova with a driver of its own, and says what to do"):
        ended = subprocess.run([sys.executable, "-c", START, FOLDER], capture_output=True, text=True, timeout=60,
                               env=dict(os.environ, OS_NOVA_DISABLE_EVENTLET_PATCHING="yes",
                                        PYTHONDONTWRITEBYTECODE="1"))
        last = ended.stderr.strip().splitlines()[-1]
        expect.equal(ended.returncode, 1, "the exit code of nova-compute")
        expect.true("brings a PowerVM driver of its own" in last and "uninstall powervm-nova" in last,
                    "its last words are why: " + last)


def check_options(node):
    """In an environment whose driver has all options that there ever were."""
    with node.check("our package knows each option of this driver, with its default and range"):
        spec = importlib.util.spec_from_file_location("our_options", os.path.join(FOLDER, "powervm", "options.py"))
        options = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(options)
        ours = {option.dest: option for option in options.KNOWN + options.OURS + options.HERE}
        ours.update((option.dest, option) for option in options.fabrics(CONF.powervm.fabrics))
        theirs = [known["opt"] for known in CONF._groups["powervm"]._opts.values()]
        expect.true(len(theirs) > 30, "it has many: %d" % len(theirs))
        found = [wrong for option in theirs for wrong in _differences(option, ours.get(option.dest))]
        expect.equal(found, [], "what differs")


def _differences(theirs, ours):
    name = theirs.dest
    if ours is None:
        yield "%s is missing" % name
        return
    if name in OTHER:
        return
    if (theirs.default or None) != (ours.default or None):
        yield "the default of %s is %r, not %r" % (name, ours.default, theirs.default)
    for bound in ("min", "max", "choices", "ignore_case"):
        was, now = (getattr(option.type, bound, None) or None for option in (theirs, ours))
        if (sorted(was) if bound == "choices" and was else was) != (sorted(now) if bound == "choices" and now else now):
            yield "%s of %s is %r, not %r" % (bound, name, now, was)
    if theirs.secret != ours.secret:
        yield "%s is a secret here or there only" % name
