"""The driver beside a Nova older than the one that docs/nova-methods.md is of."""

import inspect

from nova.virt import driver as theirs
from nova.virt.powervm import driver
from nova.virt.powervm import support
from nova_today_suite import changes
from nova_today_suite import host
from nova_today_suite import life
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


# As nova_today's turns, of a Nova between the oldest and the newest: what its own code has most to do with.
SHORT = ((
    "ssp", "calm",
    (check_methods, life.check_services, life.check_life, changes.check_interfaces, changes.check_volumes,
     changes.check_resize, host.check_log, life.check_end),
),)
