"""The services of Nova in this process, and nova-compute in one of its own."""

import os
import subprocess
import sys
import threading
import time
from wsgiref import simple_server

import oslo_messaging.conffixture
from placement import deploy

from nova import context as contexts
from nova.objects import host_mapping
from nova import rpc
from nova.tests import fixtures
from nova.tests.functional import fixtures as functional
from nova_killed_suite import broker
from nova_killed_suite import compute
from nova_today_suite import cloud as clouds
from pypowervm_suite.report import Unmet

HOST = clouds.HOST
# Seconds until a nova-compute runs.
START = 90
CONFIGURATION = """[DEFAULT]
host = {host}
my_ip = 127.0.0.1
state_path = {folder}
log_file = {folder}/nova-compute.log
debug = true
compute_driver = powervm.PowerVMDriver
transport_url = {transport}
vif_plugging_timeout = 0
# Up to 20, nova-compute does not wait for what runs when it is stopped.
manager_shutdown_timeout = 20
[oslo_concurrency]
lock_path = {folder}
[placement]
auth_type = none
endpoint_override = {placement}
[powervm]
endpoint = http://127.0.0.1:{port}
endpoint_user = {user}
endpoint_password_file = {folder}/password
endpoint_tries = 1
host_lock = {folder}
disk_driver = ssp
"""


class Cloud(clouds.Cloud):
    """As its base, with a message queue that reaches other processes."""

    CAST_AS_CALL = False

    def __init__(self, simulator, folder):
        super().__init__(simulator, folder, "ssp")
        self._process = None
        self._ends = []

    def setUp(self):
        self._broker = subprocess.Popen([sys.executable, broker.__file__], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self._ends.append(self._broker.kill)
        self.transport = "rabbit://nova:nova@127.0.0.1:%d/" % int(self._broker.stdout.readline())
        # Nova's fixture chooses a queue that is in this process.
        queue = oslo_messaging.conffixture.ConfFixture
        queue.transport_url = property(lambda fixture: self.transport,
                                       lambda fixture, _: fixture.conf.set_override("transport_url", self.transport))
        # It carries objects of this process along with each request, too.
        fixtures.CheatingSerializer.serialize_context = rpc.RequestContextSerializer.serialize_context
        super().setUp()

    def useFixture(self, fixture):
        """Keeps placement's, which Nova 31 gives no name."""
        if isinstance(fixture, functional.PlacementFixture):
            self.placement_fixture = fixture
        return super().useFixture(fixture)

    def _setup_compute_service(self):
        """Later, once placement is served."""

    def serve_placement(self):
        """Placement on a port; gives its URL."""
        application = deploy.loadapp(self.placement_fixture.conf_fixture.conf)

        def trusting(environment, start):
            environment["HTTP_X_AUTH_TOKEN"] = self.placement_fixture.token
            return application(environment, start)

        server = simple_server.make_server("127.0.0.1", 0, trusting, handler_class=Quiet)
        threading.Thread(target=server.serve_forever, name="placement", daemon=True).start()
        self._ends.append(server.shutdown)
        return "http://127.0.0.1:%d" % server.server_port

    def configure_compute(self):
        """Writes its nova.conf."""
        path = os.path.join(self.folder, "nova.conf")
        with open(os.path.join(self.folder, "password"), "w", encoding="utf-8") as file:
            file.write(self.simulator.password + "\n")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(
                host=HOST, folder=self.folder, transport=self.transport, placement=self.serve_placement(),
                port=self.simulator.http_port, user=self.simulator.user))
        self._configuration = path

    def start_compute(self):
        """Starts nova-compute; gives the seconds that it took."""
        ready = self._configuration + ".ready"
        if os.path.exists(ready):
            os.remove(ready)
        began = time.monotonic()
        with open(os.path.join(self.folder, "nova-compute.txt"), "ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, compute.__file__, self._configuration], stdin=subprocess.PIPE, stdout=said,
                stderr=said, env=dict(os.environ, PYTHONPATH=os.path.dirname(os.path.dirname(__file__))))
        while not os.path.exists(ready):
            if self._process.poll() is not None:
                raise Unmet("nova-compute ended with %s: see %s" % (self._process.returncode, said.name))
            if time.monotonic() > began + START:
                raise Unmet("nova-compute did not start within %d s: see %s" % (START, said.name))
            time.sleep(0.05)
        return time.monotonic() - began

    def map_host(self):
        """What an operator does once with nova-manage."""
        host_mapping.discover_hosts(contexts.get_admin_context())

    def kill_compute(self):
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def end_compute(self, number):
        """Sends it a signal that it heeds; gives the seconds until it has ended."""
        began = time.monotonic()
        self._process.send_signal(number)
        try:
            self._process.wait(START)
        except subprocess.TimeoutExpired:
            self.kill_compute()
            raise Unmet("nova-compute still ran %d s after signal %d" % (START, number)) from None
        return time.monotonic() - began

    def end(self):
        """Ends what setUp does not."""
        if self._process is not None and self._process.poll() is None:
            self.kill_compute()
        for end in reversed(self._ends):
            end()


class Quiet(simple_server.WSGIRequestHandler):
    """Says nothing of requests."""

    def log_message(self, *arguments):
        pass
