"""The driver beside Nova's own class."""

import os

from nova import version
from nova.virt.powervm import beside
from nova.virt.powervm import driver
from nova.virt.powervm import support
from pypowervm_suite import expect
from pypowervm_suite.report import Skip

TABLE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "nova-methods.md")


def newer(found):
    """A change of Nova may add methods: that is for us to answer, and says nothing against the change."""
    if found and not version.version_string().startswith("34."):
        raise Skip("this Nova is %s, the table is of 34: %s" % (version.version_string(), found))


def check_methods(site):
    """Without any host."""
    with site.check("each method of Nova's class is implemented, or declared not to be"):
        found = support.findings(driver.PowerVMDriver)
        newer(found)
        expect.equal(found, [], "what is wrong")
    with site.check("docs/nova-methods.md is the table of them"):
        newer("other methods")
        with open(TABLE, encoding="utf-8") as file:
            expect.equal(file.read(), support.table(), "the table")
    with site.check("a Nova with a driver of its own, or an old one, is refused"):
        expect.true("uninstall" in beside.check("25.3.0", True), "the first says what to do")
        expect.true("31" in beside.check("30.0.0", False), "the second says what is needed")
        expect.equal(beside.check("34.0.0", False), None, "this one")
