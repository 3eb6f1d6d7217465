"""Nova's API, conductor, scheduler and compute service with placement, all in this process.

Nova's own fixtures (they come with its package) stand in for the message queue, the databases,
keystone, Neutron, Glance and Cinder. Requests reach the API without a socket, casts are made calls.
"""

import copy
import os
import sys

from nova import conf
from nova.tests.functional import integrated_helpers
import nova.privsep

CONF = conf.CONF
HOST = "conformance"
CHUNK = 64 * 1024


class Cloud(integrated_helpers._IntegratedTestBase):
    """Started by setUp, ended by doCleanups; api: a client of the compute API."""

    ADMIN_API = True
    microversion = "2.87"

    def setUp(self):
        CONF.set_override("api_paste_config", _packaged("etc/nova/api-paste.ini"), group="wsgi")
        CONF.set_override("compute_driver", "powervm.PowerVMDriver")
        CONF.set_override("disk_driver", "ssp", group="powervm")
        super().setUp()
        self.flags(ram=-1, group="quota")
        # The driver cannot do without one (it hands None to wait for then).
        self.flags(vif_plugging_timeout=60, vif_plugging_is_fatal=True)
        self.neutron._ports[self.neutron.port_2["id"]] = copy.deepcopy(self.neutron.port_2)

    def _setup_compute_service(self):
        # The fixture of the base class has just forbidden to start a privileged helper.
        nova.privsep.sys_admin_pctxt.set_client_mode(False)
        return self._start_compute(HOST)

    def stay(self):
        """The test that the base class wants to be given."""

    def serve_images(self):
        """Makes the Glance fixture, which keeps metadata only, keep and give bytes too."""
        glance = self.glance
        show, update = glance.show, glance.update

        def download(context, image_id, data=None, dst_path=None, trusted_certs=None):
            show(context, image_id)
            content = glance._imagedata[image_id]
            return (content[start:start + CHUNK] for start in range(0, len(content), CHUNK))

        def keep(context, image_id, metadata, data=None, purge_props=False):
            if data is not None:
                glance._imagedata[image_id] = data.read()
                metadata = dict(metadata, size=len(glance._imagedata[image_id]))
            return update(context, image_id, metadata, None, purge_props)

        glance.download, glance.update, glance.get = download, keep, show

    def add_image(self, image):
        """An image (glance.Image) that servers can be made of."""
        self.glance.images[image["id"]] = dict(image, visibility="public", tags=[])
        self.glance._imagedata[image["id"]] = image.data

    def bind(self, port, vlan):
        """Makes a port of the Neutron fixture one that the SEA mechanism driver has bound."""
        there = self.neutron._ports[port["id"]]
        there["binding:vif_type"] = "pvm_sea"
        there["binding:vif_details"] = {"vlan": vlan}

    def wait(self, server, status):
        """The server once it has that status."""
        return self._wait_for_state_change(server, status, max_retries=240)

    def server(self, server_id):
        """The server as the API tells of it."""
        return self.api.get_server(server_id)


def _packaged(name):
    """A file that the nova package installs outside its modules."""
    return os.path.join(sys.prefix, name)
