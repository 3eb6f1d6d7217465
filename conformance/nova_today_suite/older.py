"""The driver beside the class of a Nova older than the one that docs/nova-methods.md is of."""

import inspect

from nova.virt import driver as theirs
from nova.virt.powervm import driver
from nova.virt.powervm import support
from pypowervm_suite import expect


def check_methods(site):
    """Without any host."""
    with site.check("each method takes what this Nova's takes, at the same places"):
        found = []
        for name in support.methods():
            wanted = list(inspect.signature(getattr(theirs.ComputeDriver, name)).parameters)
            taken = list(inspect.signature(getattr(driver.PowerVMDriver, name)).parameters)
            if taken[:len(wanted)] != wanted:
                found.append("%s: %s" % (name, ", ".join(wanted)))
        expect.equal(found, [], "what is wrong")
