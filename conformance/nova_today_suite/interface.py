"""The driver beside Nova's own class."""

import os

from nova.virt.powervm import beside
from nova.virt.powervm import driver
from nova.virt.powervm import support
from pypowervm_suite import expect

TABLE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "nova-methods.md")


def check_methods(site):
    """Without any host."""
    with site.check("each method of Nova's class is implemented, or declared not to be"):
        expect.equal(support.findings(driver.PowerVMDriver), [], "what is wrong")
    with site.check("docs/nova-methods.md is the table of them"):
        with open(TABLE, encoding="utf-8") as file:
            expect.equal(file.read(), support.table(), "the table")
    with site.check("a Nova with a driver of its own, or an old one, is refused"):
        expect.true("uninstall" in beside.check("25.3.0", True), "the first says what to do")
        expect.true("31" in beside.check("30.0.0", False), "the second says what is needed")
        expect.equal(beside.check("34.0.0", False), None, "this one")
