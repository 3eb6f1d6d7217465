"""Data to upload, what arrived of it, and the file broker's list."""

import hashlib

from pypowervm.wrappers import vios_file as pvm_vf

from pypowervm_suite import expect


def pattern(size):
    """That many bytes, in which no two 64 KiB pieces are alike."""
    line = b"".join(b"%015x\n" % number for number in range(size // 16 + 1))
    return line[:size]


def files(site):
    """The names of the files that the server still knows."""
    response = site.adapter.read(pvm_vf.File.schema_type, service="web")
    return [file.file_name for file in pvm_vf.File.wrap(response)]


def arrived(site, udid, data):
    """What lies on that disk is the data."""
    found = site.simulator.contents().get(udid)
    expect.true(found is not None, "something lies on the disk " + udid)
    expect.equal(found["bytes"], len(data), "the size of what lies there")
    expect.equal(found["sha256"], hashlib.sha256(data).hexdigest(), "its SHA-256")
