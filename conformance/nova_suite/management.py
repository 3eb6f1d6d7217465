"""The Linux of the management partition: the files below /proc, /sys and /dev, and the commands.

A path below one of PREFIXES is looked for in a folder instead. A scan of a virtual SCSI host brings
up the disks that the simulator really maps to that slot, and nothing else.
"""

import builtins
import glob
import io
import json
import os
import posixpath
import re
import sys

from pypowervm import const
from pypowervm.wrappers import virtual_io_server as pvm_vios

PREFIXES = ("/proc/ppc64/", "/proc/cpuinfo", "/sys/bus/vio/", "/sys/block/sim", "/dev/disk/by-id/", "/dev/sim")
PARTITION_ID = 1
# What a mapped disk holds, as far as this Linux can see.
DISK_BYTES = 256 * 1024

_COMMAND = """#!%(python)s
import json, os, sys
name = os.path.basename(sys.argv[0])
with open(%(log)r, "a") as log:
    log.write(json.dumps([name] + sys.argv[1:]) + chr(10))
%(body)s
"""

# An ISO 9660 image as far as a reader looks for its mark; below it the files, one after another.
_GENISOIMAGE = """
target, source = sys.argv[sys.argv.index("-o") + 1], sys.argv[-1]
with open(target, "wb") as iso:
    iso.write(bytes(32768) + b"\\x01CD001\\x01".ljust(2048, bytes(1)))
    for folder, _, names in sorted(os.walk(source)):
        for each in sorted(names):
            path = os.path.join(folder, each)
            with open(path, "rb") as file:
                data = file.read()
            iso.write(("%s %d\\n" % (os.path.relpath(path, source), len(data))).encode() + data)
    iso.write(bytes(-iso.tell() % 2048))
"""

# The port of a VNC server on the loopback interface, by the partition's id.
_MKVTERM = """
print(5900 + int(sys.argv[sys.argv.index("--id") + 1]))
"""


class Management:
    """Stands in while installed; adapter: how it sees what the simulator maps to it."""

    def __init__(self, folder, adapter):
        self.folder = os.path.join(folder, "management")
        self.adapter = adapter
        self._log = os.path.join(folder, "commands.log")
        self._real = {}
        self._path = os.environ.get("PATH", "")
        self._letters = 0
        self._write("/proc/ppc64/lparcfg",
                    "serial_number=IBM,0221425D4A\npartition_id=%d\n" % PARTITION_ID)

        self._write("/proc/cpuinfo", "processor\t: 0\nclock\t\t: 3425.000000MHz\n")

    def install(self):
        """From now on Python's file functions and PATH lead here."""
        commands = os.path.join(self.folder, "bin")
        os.makedirs(commands, exist_ok=True)
        for name, body in (("genisoimage", _GENISOIMAGE), ("mkvterm", _MKVTERM), ("rmvterm", "")):
            path = os.path.join(commands, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(_COMMAND % {"python": sys.executable, "log": self._log, "body": body})
            os.chmod(path, 0o755)
        os.environ["PATH"] = commands + os.pathsep + self._path
        self._scan(None)
        for module, name, function in (
                (builtins, "open", self._open), (os, "stat", self._stat),
                (glob, "glob", self._glob), (posixpath, "realpath", self._realpath),
                (posixpath, "exists", self._exists)):
            self._real[name] = getattr(module, name)
            setattr(module, name, function)

    def remove(self):
        """Puts everything back."""
        os.environ["PATH"] = self._path
        for module, name in ((builtins, "open"), (os, "stat"), (glob, "glob"),
                             (posixpath, "realpath"), (posixpath, "exists")):
            setattr(module, name, self._real[name])

    def commands(self):
        """The commands that were run, each a list of its words."""
        if not os.path.exists(self._log):
            return []
        with self._real["open"](self._log, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def devices(self):
        """The disks that this Linux has."""
        folder = self._inside("/dev/disk/by-id/")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    @staticmethod
    def content(udid):
        """What a reader of the disk with that UDID finds."""
        line = ("%s\n" % udid).encode()
        return (line * (DISK_BYTES // len(line) + 1))[:DISK_BYTES]

    def _inside(self, path):
        """Where the file that stands in for that path is; None if it stands for itself."""
        if isinstance(path, str) and path.startswith(PREFIXES):
            return self.folder + path
        return None

    def _write(self, path, text):
        name = self._inside(path)
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "w" if isinstance(text, str) else "wb") as file:
            file.write(text)

    def _open(self, file, mode="r", *arguments, **keywords):
        scan = isinstance(file, str) and re.fullmatch(
            r"/sys/bus/vio/devices/3([0-9a-f]{7})/host0/scsi_host/host0/scan", file)
        if scan and "r" not in mode:
            slot = int(scan.group(1), 16)
            return _Special("- - -", lambda: self._scan(slot))
        delete = isinstance(file, str) and re.fullmatch(r"/sys/block/(sim\w+)/device/delete", file)
        if delete and "r" not in mode:
            return _Special("1", lambda: self._delete(delete.group(1)))
        return self._real["open"](self._inside(file) or file, mode, *arguments, **keywords)

    def _stat(self, path, *arguments, **keywords):
        return self._real["stat"](self._inside(path) or path, *arguments, **keywords)

    def _exists(self, path):
        return self._real["exists"](self._inside(path) or path)

    def _realpath(self, path, **keywords):
        link = self._inside(path)
        if link and os.path.islink(link):
            return os.readlink(link)
        return path if link else self._real["realpath"](path, **keywords)

    def _glob(self, pathname, *arguments, **keywords):
        inside = self._inside(pathname)
        if not inside:
            return self._real["glob"](pathname, *arguments, **keywords)
        host = re.match(r"/sys/bus/vio/devices/3[0-9a-f]{7}/", pathname)
        if host:
            self._write(host.group(0) + "host0/scsi_host/host0/scan", "")
        return [name[len(self.folder):] for name in self._real["glob"](inside)]

    def _scan(self, slot):
        """Brings up the disks behind the client adapter in that slot (None: in all of them)."""
        for vios in pvm_vios.VIOS.get(self.adapter, xag=[const.XAG.VIO_SMAP]):
            for mapping in vios.scsi_mappings:
                client = mapping.client_adapter
                if (client is not None and client.lpar_id == PARTITION_ID
                        and slot in (None, client.lpar_slot_num)
                        and mapping.backing_storage is not None):
                    self._bring_up(mapping.backing_storage)

    def _bring_up(self, storage):
        link = self._inside("/dev/disk/by-id/scsi-SAIX_VDASD_" + storage.udid[-32:])
        if os.path.lexists(link):
            return
        name = "sim" + chr(ord("a") + self._letters % 26)
        self._letters += 1
        self._write("/dev/" + name, self.content(storage.udid))
        self._write("/sys/block/%s/device/delete" % name, "")
        os.makedirs(os.path.dirname(link), exist_ok=True)
        os.symlink("/dev/" + name, link)

    def _delete(self, name):
        folder = self._inside("/dev/disk/by-id/")
        for link in os.listdir(folder):
            if os.readlink(os.path.join(folder, link)) == "/dev/" + name:
                os.remove(os.path.join(folder, link))
        os.remove(self._inside("/dev/" + name))


class _Special(io.StringIO):
    """A file that acts when the expected text has been written to it."""

    def __init__(self, expected, action):
        super().__init__()
        self._expected = expected
        self._action = action

    def close(self):
        if not self.closed:
            text = self.getvalue()
            super().close()
            if text == self._expected:
                self._action()
