"""The other end of compute.py: a compute service in another process."""

import json
import os
import subprocess
import sys

from nova import objects
from nova.network import model
from oslo_serialization import jsonutils

from nova_suite import compute as computes
from nova_suite import instances


class Refused(Exception):
    """What a request raised there; kind: the exception's name."""

    def __init__(self, kind, text):
        super().__init__("%s: %s" % (kind, text))
        self.kind = kind


class Peer:
    """Requests by name, as methods; server: what Nova's database has of a server, kept up to date."""

    def __init__(self, host, system, folder, seconds=0):
        """seconds: how long jobs may take there, if not as usual."""
        self.host = host
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "stderr.txt"), "wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, computes.__file__, host, system.told(), str(seconds)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
                env=dict(os.environ, PYTHONPATH=os.path.dirname(os.path.dirname(__file__))))

    def __call__(self, method, server=None, **arguments):
        """The answer's result; what the service saved of the server is in server.instance then."""
        if server is not None:
            arguments["instance"] = server.instance
        line = jsonutils.dumps({"method": method, "arguments": arguments}) + "\n"
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise Refused("Ended", "the process has ended with %s: see %s" % (
                self._process.wait(), self.folder))
        answer = json.loads(line)
        if server is not None and answer["saved"] is not None:
            server.instance = answer["saved"]
        if "raised" in answer:
            raise Refused(answer["raised"], answer["text"])
        return answer["result"]

    def end(self):
        """Ends the service."""
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Server:
    """What Nova's database has of a server: the instance, and how its host reaches its volumes."""

    def __init__(self, made, vifs):
        made.info_cache = objects.InstanceInfoCache(
            instance_uuid=made.uuid, network_info=model.NetworkInfo(vifs))
        made.info_cache.obj_reset_changes()
        self.uuid = made.uuid
        self.name = made.name
        self.instance = made.obj_to_primitive()
        self.volumes = {}

    @property
    def made(self):
        """The instance."""
        return objects.Instance.obj_from_primitive(self.instance, instances.context())
