"""nova-api, conductor, scheduler and compute service with placement, all in this process."""

import contextlib
import copy
import io
import logging
import os
import socket
import sys
import threading
import time
import uuid
import warnings

from nova import conf
from nova import context as contexts
from nova import exception
from nova import objects
from nova.tests.functional import integrated_helpers
from nova.virt import node
from nova.virt.powervm import options
from nova_suite import cinder
from nova_today_suite import certificates
from nova_today_suite import screen
from oslo_log import formatters
from oslo_messaging import opts as messaging
from pypowervm_suite.report import Unmet

CONF = conf.CONF
HOST = "conformance"
CHUNK = 64 * 1024
# Seconds that a server may take to get a status.
PATIENCE = 60
# Threads for requests of each service: more than the servers of a crowd.
EXECUTORS = 16
# Seconds between two looks at a server; an answer takes the interpreter, which everything in it shares, tens of milliseconds.
LOOK = 0.2


class Cloud(integrated_helpers._IntegratedTestBase):
    """Started by setUp, ended by doCleanups; api: a client of the compute API."""

    ADMIN_API = True
    microversion = "2.96"
    compute_driver = "powervm.PowerVMDriver"

    def __init__(self, simulator, folder, disks, links=None):
        """links: by the name of a compute host, the simulator or that of its NovaLinks which it drives."""
        super().__init__("stay")
        self.simulator = simulator
        self.folder = folder
        self.disks = disks
        self.links = links or {HOST: simulator}
        self.machines = {}
        self.said = []
        self.passwords = []
        self.log = io.StringIO()
        # More options of the group, by name.
        self.options = {}
        # Each console is at a port of its own.
        self.vnc_port = 0
        self.authority = None

    def secure_consoles(self):
        """Before setUp: all consoles shall be at one port, with TLS, for whoever has a certificate."""
        # Other programs on this machine serve consoles as well.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.vnc_port = listener.getsockname()[1]
        self.authority = certificates.Authority(self.folder)
        self.proxy = self.authority.vouch("proxy")
        folder = os.path.join(self.folder, "stranger")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.strangers = certificates.Authority(folder).vouch("stranger")

    def trust_consoles(self):
        """Has Nova's proxy ask for TLS, and show its certificate."""
        certificate, key = self.proxy
        self.flags(auth_schemes=["vencrypt"], vencrypt_ca_certs=self.authority.file, vencrypt_client_cert=certificate,
                   vencrypt_client_key=key, group="vnc")

    def setUp(self):
        CONF.set_override("api_paste_config", os.path.join(sys.prefix, "etc/nova/api-paste.ini"), group="wsgi")
        CONF.set_override("compute_driver", self.compute_driver)
        # A host alone.
        CONF.set_override("allow_resize_to_same_host", len(self.links) == 1)
        CONF.set_override("shelved_offload_time", 0)
        # Each of them has the whole pool, as far as placement knows.
        CONF.set_override("disk_allocation_ratio", 1 / len(self.links))
        CONF.set_override("compute_monitors", ["cpu.virt_driver"])
        CONF.set_override("device_spec", ['{"physical_network": "default"}'], group="pci")
        # Nova's answers are not what is tested here, and to hold each against its schema takes longer than to make it.
        CONF.set_override("response_validation", "ignore", group="api")
        # Four services in one process: their idle threads wake each second, and the interpreter runs one at a time.
        CONF.register_opts([option for group, known in messaging.list_opts() if group is None
                            for option in known if option.name == "executor_thread_pool_size"])
        CONF.set_override("executor_thread_pool_size", EXECUTORS)
        options.register(CONF)
        self._keep_log()
        self.screen = screen.Screen()
        self.addCleanup(self.screen.close)
        super().setUp()
        if self.authority:
            self.trust_consoles()
        # Nova's fixture makes errors of what newer libraries warn of.
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
        logging.getLogger("nova.thread_pool_factory").setLevel(logging.WARNING)
        self.flags(ram=-1, cores=-1, instances=-1, group="quota")
        self.neutron._ports[self.neutron.port_2["id"]] = copy.deepcopy(self.neutron.port_2)

    def _keep_log(self):
        """Keeps what the driver logs, as oslo.log writes it into files."""
        handler = logging.StreamHandler(self.log)
        handler.setFormatter(formatters.ContextFormatter(config=CONF, project="nova", version="34"))
        logger = logging.getLogger("nova.virt.powervm")
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)

    def secrets(self):
        """By what they are."""
        found = {"the endpoint's password": self.simulator.password}
        found.update((name, value) for name, value in self.options.items() if "password" in name)
        found.update(("an administrator's password", password) for password in self.passwords)
        return found

    @contextlib.contextmanager
    def older(self, version):
        """Within it, the API is asked as of that microversion."""
        now, self.api.microversion = self.api.microversion, version
        try:
            yield
        finally:
            self.api.microversion = now

    def _console_command(self, folder):
        """What opens consoles: it says the port of a VNC server."""
        path = os.path.join(folder, "mkvterm")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho %d\n" % self.screen.port)
        os.chmod(path, 0o700)
        return path

    def configure(self, host):
        """What an operator would write into that host's nova.conf."""
        link = self.links[host]
        folder = os.path.join(self.folder, host)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        password = os.path.join(folder, "password")
        with open(password, "w", encoding="utf-8") as file:
            file.write(link.password + "\n")
        for name, value in {
                "endpoint": "http://127.0.0.1:%d" % link.http_port,
                "endpoint_user": link.user,
                "endpoint_password_file": password,
                "endpoint_tries": 1,
                "journal": os.path.join(folder, "journal"),
                # Other programs drive simulated systems with the same serial number at the same time.
                "host_lock": folder,
                "disk_driver": self.disks,
                "device_folder": os.path.join(self.folder, "by-id"),
                "mkvterm": self._console_command(folder),
                "volume_group_name": "datavg",
                "vnc_port": self.vnc_port,
                **self._secured(),
                **self.options,
        }.items():
            CONF.set_override(name, value, group="powervm")

    def _secured(self):
        """The options of consoles with TLS."""
        if not self.authority:
            return {}
        certificate, key = self.authority.vouch("host")
        return {"vnc_use_x509_auth": True, "vnc_ca_certs": self.authority.file, "vnc_server_cert": certificate,
                "vnc_server_key": key}

    def _setup_compute_service(self):
        # Nova's fixture has just chosen not to wait.
        self.flags(vif_plugging_timeout=PATIENCE, vif_plugging_is_fatal=True)
        for host in self.links:
            self.start_host(host)
        return self.computes[next(iter(self.links))]

    def start_host(self, host):
        """nova-compute of that host, for the first time or again."""
        self.configure(host)
        # Nova keeps for a process what tells its machine from others: each host is a machine of its own.
        node.LOCAL_NODE_UUID = self.machines.get(host)
        service = self._start_compute(host)
        self.machines[host] = node.get_local_node_uuid()
        return service

    def save_log(self):
        """Keeps what the services logged: the fixture forgets it at its end."""
        with open(os.path.join(self.folder, "nova.log"), "w", encoding="utf-8") as log:
            log.write(self.stdlog.logger.output)

    def stay(self):
        """The test that the base class wants to be given."""

    def serve_images(self):
        """Makes the Glance fixture, which keeps metadata only, keep and give bytes too."""
        glance = self.glance
        show, update = glance.show, glance.update
        self.downloads = []
        self._stuck = {}

        def download(context, image_id, data=None, dst_path=None, trusted_certs=None):
            show(context, image_id)
            content = glance._imagedata[image_id]
            self.downloads.append(image_id)
            return self._chunks(content, self._stuck.get(image_id))

        def keep(context, image_id, metadata, data=None, purge_props=False):
            if data is not None:
                parts = iter(lambda: data.read(CHUNK), b"")
                glance._imagedata[image_id] = b"".join(parts)
                metadata = dict(metadata, size=len(glance._imagedata[image_id]))
            return update(context, image_id, metadata, None, purge_props)

        glance.download, glance.update = download, keep

    @staticmethod
    def _chunks(content, gate):
        for start in range(0, len(content), CHUNK):
            if start and gate:
                gate.wait(PATIENCE)
            yield content[start:start + CHUNK]

    def stick(self, image_id):
        """Has downloads of an image stop after their first piece, until what this gives is called."""
        gate = self._stuck[image_id] = threading.Event()
        return gate.set

    def add_image(self, image):
        """An image (nova_suite.glance.Image) that servers can be made of."""
        self.glance.images[image["id"]] = dict(image, visibility="public", tags=[])
        self.glance._imagedata[image["id"]] = image.data

    def bind(self, port, vlan, kind="pvm_sea"):
        """Makes a port of the Neutron fixture one that a mechanism driver has bound, by default that for SEAs."""
        there = self.neutron._ports[port["id"]]
        there["binding:vif_type"] = kind
        there["binding:vif_details"] = {"vlan": vlan} if vlan else {}

    def sea_port(self, vlan):
        """A new port on a VLAN that the mechanism driver for SEAs has bound: its id."""
        number = len(self.neutron._ports)
        port = dict(copy.deepcopy(self.neutron.port_2), id=str(uuid.uuid4()), mac_address="fa:16:3e:64:00:%02x" % number)
        self.neutron._ports[port["id"]] = port
        self.bind(port, vlan)
        return port["id"]

    def direct_port(self, label, vlan):
        """A port that the mechanism driver for SR-IOV has bound."""
        port = copy.deepcopy(self.neutron.sriov_port)
        self.neutron._ports[port["id"]] = port
        port.update({"binding:vif_type": "pvm_sriov", "status": "ACTIVE",
                     "binding:vif_details": {"vlan": vlan, "physical_network": label}})
        network = dict(copy.deepcopy(self.neutron.network_2), **{"provider:physical_network": label})
        self.neutron._networks[network["id"]] = network
        self.neutron._subnets[self.neutron.subnet_2["id"]] = copy.deepcopy(self.neutron.subnet_2)
        return port

    def pci_pools(self):
        """The devices that the host has left for servers, by kind."""
        node = objects.ComputeNode.get_first_node_by_host_for_old_compat(contexts.get_admin_context(), HOST)
        return [dict(pool.to_dict(), tags=dict(pool.tags)) for pool in node.pci_device_pools]

    def serve_volumes(self):
        """Makes the Cinder fixture tell of the simulator's volumes, mapped for the connectors that it is given."""
        fixture = self.cinder
        mapped = {}

        def find(volume_id, attachment_id):
            try:
                _, attachment, _ = fixture._find_attachment(attachment_id)
            except exception.VolumeAttachmentNotFound:
                # It is being made, and nobody looks at what it tells before that.
                return {"data": {}, "volume_id": volume_id, "serial": volume_id}
            connector = attachment["connector"]
            if connector and attachment_id not in mapped:
                plain = {key: value for key, value in connector.items() if key != "device"}
                mapped[attachment_id] = cinder.ask(
                    self.simulator, "POST", "/volumes/%s/map" % volume_id,
                    {"connector": plain, "chap": False})["connection_info"]
            return dict(mapped.get(attachment_id, {}), volume_id=volume_id, serial=volume_id)

        fixture._find_connection_info = find

    def wait_for_move(self, server, status):
        """The migration of a server, once its last one has that status."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self.api.api_get("/os-migrations?instance_uuid=%s" % server["id"]).body["migrations"]
            last = max(found, key=lambda migration: migration["id"], default=None)
            if last is not None and last["status"] == status:
                return last
            time.sleep(LOOK)
        raise Unmet("the migration is %s after %d s, not %s" % (last and last["status"], PATIENCE, status))

    def wait(self, server, status):
        """The server once it has that status."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            server = self.api.get_server(server["id"])
            if server["status"] == status and server["OS-EXT-STS:task_state"] is None:
                return server
            if server["status"] == "ERROR" and status != "ERROR" and server["OS-EXT-STS:task_state"] is None:
                raise Unmet("the server failed: %s" % server.get("fault"))
            time.sleep(LOOK)
        raise Unmet("the server is %s (%s) after %d s, not %s" % (
            server["status"], server["OS-EXT-STS:task_state"], PATIENCE, status))

    def provider(self, host=HOST):
        """The resource provider of the host."""
        return self._get_provider_uuid_by_host(host)
