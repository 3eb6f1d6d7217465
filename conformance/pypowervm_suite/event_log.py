"""The event log of a program's checks (docs/reports.md), where POWERVM_EVENTS names a file for it.

The calls of a check are the requests that came to the program's simulators while it ran.
"""

import datetime
import json
import os
import re
import sys

VARIABLE = "POWERVM_EVENTS"
# What a simulator keeps of its requests.
KEPT = 4096
LONGEST = 100_000
IDENTIFIER = re.compile(r"(?<=/)(?:[0-9a-fA-F-]{32,}|[0-9]+|(?:\(|%28)[^/]*)(?=/|$)")
# What answers say when a server cannot serve just now; 0: there was none.
TROUBLE = (0, 502, 503, 504)

_simulators = []


def simulator_begins(simulator):
    """From now on, what is asked of it is told."""
    _simulators.append(simulator)


def simulator_ends(simulator):
    """It can be asked no more."""
    if simulator in _simulators:
        _simulators.remove(simulator)


def begin():
    """The log that the environment names; None without one. Processes that this one starts have none."""
    path = os.environ.pop(VARIABLE, None)
    return Log(path) if path else None


class Log:
    """Writes events; what cannot be had of a simulator is not told."""

    def __init__(self, path):
        self._file = open(path, "ab", buffering=0)
        self._began = None
        self._heard = {}
        self._tell("log", format=1, producer="conformance, Python " + sys.version.split()[0])
        self._tell("run-begins", wall=_now(), target="powervm-sim")

    def test_begins(self, name):
        """A check begins."""
        self._began = _now()
        for simulator in _simulators:
            told = _ask(simulator, "/requests?most=0")
            if told:
                self._heard[simulator] = told["total"]
        self._tell("test-begins", wall=self._began, test=name)

    def test_ends(self, name, verdict, why=None, trace=None):
        """It ends: the calls of its time, what went wrong, how it ended."""
        now = _now()
        for simulator in _simulators:
            self._calls(name, simulator, now)
        if trace:
            self._tell("attachment", wall=now, test=name, name="traceback", text=trace[:LONGEST])
        reason = {"reason": why[:LONGEST]} if why else {}
        self._tell("test-ends", wall=now, test=name, verdict=verdict, **reason)

    def ends(self, verdict):
        """The program is at its end."""
        self._tell("run-ends", wall=_now(), verdict=verdict)
        self._file.close()

    def _calls(self, name, simulator, now):
        clock = _ask(simulator, "/clock")
        told = _ask(simulator, "/requests?after=%d&most=%d" % (self._heard.get(simulator, 0), KEPT))
        if not clock or not told:
            return
        self._heard[simulator] = told["total"]
        for request in told["requests"]:
            # The simulated present jumps now and then: a call stays within its check.
            ago = datetime.timedelta(milliseconds=clock["milliseconds"] - request["at"])
            took = datetime.timedelta(microseconds=request["real_us"])
            at = min(max(now - ago + took, self._began), now)
            path = IDENTIFIER.sub("{id}", request["url"].split("?")[0])
            status = {"status": request["status"]} if request["status"] else {}
            self._tell("call", wall=at, test=name, method=request["method"], path=path, took_us=request["real_us"],
                       sent=request["sent"] or 0, received=request["received"] or 0, **status)
            if request["faults"] or request["status"] in TROUBLE:
                fault = "answered with %d" % request["status"] if request["status"] else "no answer"
                self._tell("fault", wall=at, test=name, fault=fault, struck="%s %s" % (request["method"], path))

    def _tell(self, event, wall=None, **keys):
        line = {"event": event, **({"wall": wall.isoformat()} if wall else {}), **keys}
        self._file.write(json.dumps(line).encode() + b"\n")


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def _ask(simulator, path):
    try:
        return simulator.admin(path)
    except OSError:  # it is gone, or busy dying
        return None
