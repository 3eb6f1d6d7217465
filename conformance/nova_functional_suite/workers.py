"""Processes that run tests side by side."""

import json
import os
import queue
import subprocess
import sys
import threading

from pypowervm_suite.report import Unmet

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Worker:
    """A process of worker.py."""

    def __init__(self, simulator_path, folder):
        os.makedirs(folder, mode=0o700)
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nova_functional_suite.worker", simulator_path, folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=FOLDER)

    def ask(self, line):
        """Its answer to a line."""
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            raise Unmet("the process of the tests has ended with %s: see %s" % (
                self._process.wait(), os.path.join(self._folder, "said.txt"))) from None

    def end(self):
        """Lets it end."""
        self._process.stdin.close()
        self._process.wait()


def run(workers, names):
    """Runs tests, each by whoever has nothing to do; gives how they ended, as they end."""
    waiting, ended = queue.SimpleQueue(), queue.SimpleQueue()
    for name in names:
        waiting.put(name)

    def work(worker):
        try:
            while True:
                ended.put(worker.ask(waiting.get_nowait()))
        except queue.Empty:
            ended.put(None)
        except Unmet as unmet:
            ended.put({"name": "", "verdict": "failed", "why": str(unmet), "drivers": 0})
            ended.put(None)

    for worker in workers:
        threading.Thread(target=work, args=(worker,), daemon=True).start()
    left = len(workers)
    while left:
        told = ended.get()
        if told is None:
            left -= 1
        else:
            yield told
