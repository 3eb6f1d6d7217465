"""Data to upload, and what arrived of it. It needs no pypowervm."""

import hashlib

from pypowervm_suite import expect


def pattern(size, seed=0):
    """That many bytes, in which no two 64 KiB pieces are alike; with another seed they are others."""
    line = b"".join(b"%015x\n" % number for number in range(seed, seed + size // 16 + 1))
    return line[:size]


def arrived(site, udid, data):
    """What lies on that disk is the data."""
    found = site.simulator.contents().get(udid)
    expect.true(found is not None, "something lies on the disk " + udid)
    expect.equal(found["bytes"], len(data), "the size of what lies there")
    expect.equal(found["sha256"], hashlib.sha256(data).hexdigest(), "its SHA-256")
