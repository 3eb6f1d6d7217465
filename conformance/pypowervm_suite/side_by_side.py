"""Runs in processes of their own, several at once: they wait as much as they work."""

import concurrent.futures
import os
import re
import subprocess
import sys
import threading

from pypowervm_suite import report as reports

TALLY = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped\n?")

AT_ONCE = 3


def run(program, names, simulator, work):
    """Starts PROGRAM --run NAME for each name; gives a report with the sum of their tallies."""
    total = reports.Report(None)
    lock = threading.Lock()

    def one(name):
        command = [sys.executable, program, "--simulator", simulator, "--work", work,
                   "--run", name]
        tally = None
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                              encoding="utf-8", errors="replace") as process:
            for line in process.stdout:
                found = TALLY.fullmatch(line)
                if found:
                    tally = [int(number) for number in found.groups()]
                    continue
                with lock:
                    sys.stdout.write(line)
                    sys.stdout.flush()
        with lock:
            if tally is None:
                with total.check("the run %s tells its tally" % name):
                    raise reports.Unmet("it ended with %s" % process.returncode)
            else:
                total.add(*tally)

    with concurrent.futures.ThreadPoolExecutor(max(AT_ONCE, os.cpu_count() or 1)) as pool:
        list(pool.map(one, names))
    return total
