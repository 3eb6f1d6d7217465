"""Sessions and adapters as OpenStack's drivers make them, and what a run shares."""

import contextlib
import os
import ssl
import time

from pypowervm import adapter as pvm_adapter
from pypowervm.helpers import log_helper
from pypowervm.helpers import vios_busy

from pypowervm_suite.report import Unmet

HOST = "127.0.0.1"
CALL_SECONDS = 60


def isolate():
    """Keeps the surroundings away from requests, which pypowervm calls with its defaults.

    A CA bundle would override pypowervm's choice not to verify, a proxy would get loopback calls.
    """
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PYPOWERVM_SESSION_CONFIG"):
        os.environ.pop(name, None)
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]


@contextlib.contextmanager
def trusted(simulator):
    """Within it, requests trusts the simulator's certificate and nothing else."""
    name = os.path.join(simulator.folder, "certificate.pem")
    with open(name, "w", encoding="ascii") as file:
        file.write(ssl.get_server_certificate((HOST, simulator.https_port)))
    os.environ["REQUESTS_CA_BUNDLE"] = name
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]


def password_session(simulator, user=None, password=None, verified=False):
    """Logs on over https. verified: against the certificates that requests trusts."""
    nowhere = os.path.join(simulator.folder, "no-certificates") + "/"
    return pvm_adapter.Session(
        host=HOST, username=user or simulator.user, password=password or simulator.password,
        port=simulator.https_port, protocol="https", certpath=nowhere if verified else None,
        timeout=CALL_SECONDS)


def plain_session(simulator):
    """Logs on with a password over http, which spares a handshake a call."""
    return pvm_adapter.Session(
        host=HOST, username=simulator.user, password=simulator.password,
        port=simulator.http_port, protocol="http", timeout=CALL_SECONDS)


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
