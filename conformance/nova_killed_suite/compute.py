"""nova-compute: Nova's own command, with what a host has beside it stood in for.

Its argument is the nova.conf; a file of that name with .ready appended appears once the service runs. It ends with its
standard input.
"""

from nova_today_suite import begin  # noqa: F401  (before all that imports Nova)

import os
import select
import sys
import threading
import warnings

import fixtures

from nova.cmd import compute
from nova import conf
from nova import service
from nova.tests.fixtures import glance
from nova.tests.fixtures import neutron
from nova.virt.powervm import options
from nova_functional_suite import images

CONF = conf.CONF


class Beside(fixtures.Fixture):
    """What Nova's fixtures want of the test that uses them."""

    def stub_out(self, name, value):
        self.useFixture(fixtures.MonkeyPatch(name, value))

    def flags(self, group=None, **values):
        for name, value in values.items():
            CONF.set_override(name, value, group=group)


def main(path):
    warnings.simplefilter("ignore")
    options.register(CONF)
    sys.argv[1:] = ["--config-file", path]
    start = service.Service.start

    def tell(self):
        start(self)
        with open(path + ".ready", "w", encoding="utf-8"):
            pass

    service.Service.start = tell
    threading.Thread(target=_watch, name="parent", daemon=True).start()
    images.install()
    with Beside() as beside:
        beside.useFixture(glance.GlanceFixture(beside))
        beside.useFixture(neutron.NeutronFixture(beside))
        compute.main()


def _watch():
    """Whoever started this has ended. Nothing is ever written there; a read would hold up all green threads."""
    select.select([sys.stdin], [], [])
    os._exit(1)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
