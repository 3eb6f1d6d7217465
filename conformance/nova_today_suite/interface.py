"""The driver beside Nova's own class."""

import contextlib
from importlib import metadata
import json
import os
import re

from nova import exception
from nova import version
from nova.virt import driver as theirs
from nova.virt import powervm
from nova.virt.powervm import _native
from nova.virt.powervm import beside
from nova.virt.powervm import driver
from nova.virt.powervm import errors
from nova.virt.powervm import options
from nova.virt.powervm import support
from oslo_config import cfg
from pypowervm_suite import expect
from pypowervm_suite.report import Skip

# Options of the driver that Nova's own have to say, or that no compute service needs.
NOT_HERE = {
    "host": "[DEFAULT]host",
    "shutdown_timeout": "[DEFAULT]shutdown_timeout",
    "vif_plugging_timeout": "[DEFAULT]vif_plugging_timeout",
    "vif_plugging_is_fatal": "[DEFAULT]vif_plugging_is_fatal",
    "announce_interfaces": "always on",
    "load_balance_vlan_across_veas": "for the network agent only",
    "fabric_<name>_port_wwpns": "one for each fabric",
}
# As the retired driver has them, though ours has other ones.
DEFAULTS = {"vios_active_wait_timeout": 300}
DOCS = os.path.join(os.path.dirname(__file__), "..", "..", "docs")
TABLE = os.path.join(DOCS, "nova-methods.md")


def _added(self, context, instance):
    """A method of Nova's class that there is not."""


# Made up: methods of Nova's class as a newer Nova may have them (None: not any more), and what has to be said of it.
CHANGES = (
    ("levitate", _added, "levitate is neither implemented nor declared"),
    ("pause", None, "pause is declared, and Nova has no such method"),
    ("get_num_instances", None, "get_num_instances is declared, and Nova has no such method"),
    ("spawn", None, "spawn is implemented, and Nova has no such method"),
    ("reboot", _added, "reboot has other parameters than Nova's"),
)


@contextlib.contextmanager
def _changed(name, method):
    """Nova's class with another method of that name, or without it."""
    was = vars(theirs.ComputeDriver).get(name)

    def put(value):
        if value is None:
            delattr(theirs.ComputeDriver, name)
        else:
            setattr(theirs.ComputeDriver, name, value)

    put(method)
    try:
        yield
    finally:
        put(was)


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
    with site.check("a method that Nova adds, removes or gives other parameters is found, and the table differs"):
        # Beside what this Nova has: a newer one may have changes of its own.
        found, table = set(support.findings(driver.PowerVMDriver)), support.table()
        for name, method, wrong in CHANGES:
            with _changed(name, method):
                told = set(support.findings(driver.PowerVMDriver)) - found
                expect.equal(told, {wrong}, "what is wrong with a changed %s" % name)
                expect.equal(support.table() != table, name != "reboot", "whether the table differs for %s" % name)
        expect.equal(support.table(), table, "the table afterwards")
    with site.check("a Nova with a driver of its own, or an old one, is refused"):
        expect.true("uninstall" in beside.check("25.3.0", True), "the first says what to do")
        expect.true("31" in beside.check("30.0.0", False), "the second says what is needed")
        expect.equal(beside.check("34.0.0", False), None, "this one")


def check_package(site):
    """As it was installed."""
    with site.check("the driver is found under both of its names"):
        expect.true(powervm.PowerVMDriver is driver.PowerVMDriver, "they are the same")
    with site.check("its wheel is for Python 3.11 and whatever follows"):
        expect.true("cp311-abi3-" in metadata.distribution("powervm-nova").read_text("WHEEL"), "so it is tagged")
    with site.check("each exception that docs/nova-exceptions.md names is Nova's, or ours as it says"):
        with open(os.path.join(DOCS, "nova-exceptions.md"), encoding="utf-8") as file:
            rows = [line.split("|")[3] for line in file if line.startswith("|") and line.count("|") == 5]
        named = {found for row in rows for found in re.findall("`([A-Z][A-Za-z]+)`( \u00b9)?", row)}
        expect.true(len(named) > 20, "there are many: %d" % len(named))
        wrong = [name for name, mark in named if (name in errors.OWN) != bool(mark)
                 or not (mark or hasattr(exception, name))]
        expect.equal(sorted(wrong), [], "what is neither")
        expect.equal(sorted(set(errors.OWN) - {name for name, _ in named}), [], "what it does not name")


def check_options(site):
    """Those of nova.conf beside those of the driver."""
    with site.check("each option of the driver is in nova.conf with its default and range, or Nova has its own for it"):
        found = []
        ours = {option.dest: option for option in options.KNOWN + options.OURS + options.MACHINE + options.ENDPOINT}
        for key in json.loads(_native.keys()):
            name = key["name"]
            if name in NOT_HERE:
                continue
            option = ours.get(name)
            if option is None:
                found.append("%s is missing" % name)
            else:
                found += ["%s: %s" % (name, wrong) for wrong in _differences(key, option)]
        expect.equal(found, [], "what differs")
    with site.check("a fabric's option appears with the fabric"):
        expect.equal(options.register_fabrics(cfg.CONF), ["fabric_A_port_wwpns"], "the options")


def _differences(key, option):
    values, default = key["values"], DEFAULTS.get(key["name"], key["default"])
    if (option.default or "") != (default or ""):
        if not isinstance(default, bool) or bool(option.default) != default:
            # Where the retired driver has none, ours stands in the help.
            if option.default is not None:
                yield "the default is %r, not %r" % (option.default, default)
    if values["kind"] in ("whole", "fraction"):
        if option.type.min != values["least"]:
            yield "the least is %s, not %s" % (option.type.min, values["least"])
        if option.type.max is not None and option.type.max != values["most"]:
            yield "the most is %s, not %s" % (option.type.max, values["most"])
    if values["kind"] == "choice" and set(option.type.choices) != set(values["words"]):
        yield "the choices are %s" % list(option.type.choices)
