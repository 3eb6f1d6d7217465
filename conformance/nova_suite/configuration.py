"""Nova's configuration, and what stands in for the services around a driver."""

import os

from nova import conf
from nova import objects
import nova.privsep

from nova_suite import database
from nova_suite import glance as glances

CONF = conf.CONF
# Where consoles listen: port 5901 of an address that nobody else uses.
CONSOLE_ADDRESS = "127.59.1.1"


def configure(work, host, powervm=""):
    """Configures this process as the compute service of that host; gives the Glance that it has.

    powervm: lines of the section [powervm], which the driver reads when it is imported.
    """
    file = os.path.join(work, "nova.conf")
    with open(file, "w", encoding="utf-8") as text:
        text.write("[powervm]\n" + powervm)
    CONF([], project="nova", default_config_files=[file], default_config_dirs=[])
    for name, value in (("host", host), ("my_ip", "127.0.0.1"), ("state_path", work),
                        ("vif_plugging_timeout", 60)):
        CONF.set_override(name, value)
    CONF.set_override("lock_path", os.path.join(work, "locks"), group="oslo_concurrency")
    CONF.set_override("server_proxyclient_address", CONSOLE_ADDRESS, group="vnc")
    objects.register_all()
    nova.privsep.sys_admin_pctxt.set_client_mode(False)
    database.stand_in()
    glance = glances.Glance()
    glances.stand_in(glance)
    return glance
