"""Sessions and adapters as OpenStack's drivers make them, and what a run shares."""

import os
import ssl
import time

from pypowervm import adapter as pvm_adapter
from pypowervm.helpers import log_helper
from pypowervm.helpers import vios_busy

from pypowervm_suite.report import Unmet

HOST = "127.0.0.1"
CALL_SECONDS = 60


def install_certificate(simulator):
    """Puts the server's certificate where pypowervm looks for it; gives that folder."""
    folder = os.path.join(simulator.folder, "certificates") + "/"
    os.makedirs(folder, exist_ok=True)
    certificate = ssl.get_server_certificate((HOST, simulator.https_port))
    name = HOST.replace(".", "_") + ".crt"
    with open(os.path.join(folder, name), "w", encoding="ascii") as file:
        file.write(certificate)
    return folder


def password_session(simulator, user=None, password=None, certificates=None):
    """Logs on over https. certificates: a folder from install_certificate, or unverified."""
    return pvm_adapter.Session(
        host=HOST, username=user or simulator.user, password=password or simulator.password,
        port=simulator.https_port, protocol="https", certpath=certificates,
        timeout=CALL_SECONDS)


def token_file_session(simulator):
    """Logs on over http by reading the token from the file that the server names."""
    return pvm_adapter.Session(host=HOST, port=simulator.http_port, timeout=CALL_SECONDS)


class Site:
    """What the checks of one run share: the report, the client, and what was found so far."""

    def __init__(self, report, simulator, session):
        self.report = report
        self.simulator = simulator
        self.session = session
        self.adapter = pvm_adapter.Adapter(
            session, helpers=[log_helper.log_helper, vios_busy.vios_busy_retry_helper])
        self._found = {}

    @property
    def novalink(self):
        """Whether the server is a NovaLink (else an HMC)."""
        return self.simulator.flavor == "novalink"

    def check(self, name):
        """A named check, see Report.check."""
        return self.report.check(name)

    def keep(self, name, value):
        """Keeps what a check found for those that build on it."""
        self._found[name] = value
        return value

    def __getattr__(self, name):
        try:
            return self.__dict__["_found"][name]
        except KeyError:
            raise Unmet("needs %s, which an earlier check did not find" % name) from None


def wait_until(condition, seconds, what):
    """Polls until the condition gives something true; gives that."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Unmet("not within %d s: %s" % (seconds, what))
        time.sleep(0.1)
