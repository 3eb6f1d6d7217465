"""Starts powervm-sim on free ports and ends it."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request

from pypowervm_suite import event_log
from pypowervm_suite.report import Unmet

START_SECONDS = 30
STOP_SECONDS = 10


class Simulator:
    """A powervm-sim of one flavour with its URLs and credentials.

    Its folder holds the ready file, the token files and what it printed.
    """

    def __init__(self, program, flavor, folder, arguments=(), weather="calm"):
        """program: path of powervm-sim; flavor: novalink or hmc; folder: made here."""
        self.flavor = flavor
        self.folder = folder
        os.makedirs(os.path.join(folder, "tokens"), mode=0o700, exist_ok=True)
        ready_file = os.path.join(folder, "ready.json")
        if os.path.exists(ready_file):
            os.remove(ready_file)
        sized = ("--inventory", "--systems", "--vios", "--partitions", "--shared-storage")
        if not any(argument in sized for argument in arguments):
            # The checks count what they made themselves, so they want a host without partitions.
            arguments = ("--partitions", "0", *arguments)
        self._log = open(os.path.join(folder, "powervm-sim.log"), "wb")
        self._process = subprocess.Popen(
            [program, "serve", "--flavor", flavor,
             "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0",
             "--token-dir", os.path.join(folder, "tokens"),
             "--admin", "127.0.0.1:0", "--ready-file", ready_file, "--weather", weather, "--check-invariants",
             "--seed", "1", *arguments],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)
        self.ready = self._wait(ready_file)
        self.http_port = _port(self.ready["http"])
        self.https_port = _port(self.ready["https"])
        self.user = self.ready["user"]
        self.password = self.ready["password"]
        event_log.simulator_begins(self)

    def _wait(self, ready_file):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise Unmet("powervm-sim ended at its start: " + self.said())
            try:
                with open(ready_file, encoding="utf-8") as file:
                    return json.load(file)
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.02)
        self.kill()
        raise Unmet("powervm-sim was not ready after %d s: %s" % (START_SECONDS, self.said()))

    def admin(self, path):
        """What the simulator's own API answers: its view, not that of the PowerVM API."""
        return self.order("GET", path)

    def order(self, method, path, body=None):
        """A request to the simulator's own API; gives the answer, or None without one."""
        request = urllib.request.Request(
            self.ready["admin"] + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.ready["admin_token"],
                     "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    @contextlib.contextmanager
    def fault(self, **rule):
        """Within it, a rule of faults (see GET /openapi.json) holds; gives a function: its hits."""
        number = self.order("POST", "/faults", rule)["id"]

        def hits():
            return [listed["hits"] for listed in self.admin("/faults")
                    if listed["id"] == number][0]

        try:
            yield hits
        finally:
            self.order("DELETE", "/faults/%d" % number)

    @contextlib.contextmanager
    def held_jobs(self):
        """Within it, jobs wait before their start."""
        self.order("PUT", "/stepping", {"hold_jobs": True})
        try:
            yield
        finally:
            self.order("PUT", "/stepping", {"hold_jobs": False})

    def advance(self, seconds):
        """Lets so much simulated time pass at once."""
        self.order("POST", "/clock/advance", {"milliseconds": int(seconds * 1000)})

    def incident(self, what, target):
        """down, up, rmc_lost or rmc_back befalls a partition or Virtual I/O Server."""
        self.order("POST", "/incidents", {"incident": what, "target": target})

    def novalinks(self):
        """Port and address of each NovaLink: the first system's, then its neighbours'."""
        every = [self.ready["http"], *(other["http"] for other in self.ready["neighbours"])]
        return [(_port(url), url.split("//")[-1].split("/")[0]) for url in every]

    def contents(self):
        """Size and SHA-256 of what was written to each disk, by UDID."""
        return self.admin("/contents")

    def said(self):
        """The end of what it printed."""
        with open(self._log.name, "rb") as file:
            text = file.read().decode("utf-8", "replace")
        return " ".join(text[-1500:].split())

    def running(self):
        """Whether the process still lives."""
        return self._process.poll() is None

    def stop(self):
        """Asks it to end with SIGTERM; gives the exit code and the seconds that it took."""
        begin = time.monotonic()
        event_log.simulator_ends(self)
        if self.running():
            self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Unmet("powervm-sim still ran %d s after SIGTERM" % STOP_SECONDS) from None
        finally:
            self._log.close()
        return code, time.monotonic() - begin

    def kill(self):
        """Ends it at once."""
        event_log.simulator_ends(self)
        if self.running():
            self._process.kill()
            self._process.wait()


def _port(url):
    """The port of http://127.0.0.1:PORT or of 127.0.0.1:PORT."""
    return int(url.rstrip("/").rsplit(":", 1)[1].split("/")[0])
