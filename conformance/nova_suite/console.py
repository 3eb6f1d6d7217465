"""The console, up to the command on the management partition."""

import json

from nova import exception
from pypowervm import exceptions as pvm_ex

from nova_suite import node as nodes
from pypowervm_suite import expect


def check(node):
    """With node.server."""
    if not node.driver.adapter.traits.local_api:
        with node.check("the console is refused to a session with a password"):
            expect.refused((pvm_ex.ConsoleNotLocal, exception.ConsoleTypeUnavailable),
                           lambda: node.driver.get_vnc_console(node.context, node.server),
                           "the console")
        return
    with node.check("get_vnc_console runs mkvterm for the partition and names the port"):
        console = node.driver.get_vnc_console(node.context, node.server)
        partition = node.partition(node.server)
        expect.true(["mkvterm", "--id", str(partition.id), "--vnc", "--local"]
                    in node.management.commands(),
                    "mkvterm was run: " + json.dumps(node.management.commands()))
        expect.equal(console.internal_access_path, nodes.uuid_of(node.server), "the path")
        expect.equal(console.port, 5901, "the port")


def check_closed(node):
    """After its destruction."""
    if not node.driver.adapter.traits.local_api:
        return
    with node.check("destroy ran rmvterm for the partition"):
        expect.true(any(command[0] == "rmvterm" for command in node.management.commands()),
                    "rmvterm was run: " + json.dumps(node.management.commands()))
