#!/usr/bin/env python3
"""The unmodified PowerVM driver of nova 25.3.0 builds and removes servers at once, to be measured.

Run by ``cargo xtask bench compare``, which starts the simulator, reads the clocks and gives the word: after
each line that this program prints it waits for a line.
"""

from nova_suite import begin  # noqa: F401  (before all that imports Nova)

import argparse
import contextlib
import importlib
import json
import logging
import os
import sys
import warnings

import eventlet
from nova import conf
from nova.network import model

from nova_suite import configuration
from nova_suite import database
from nova_suite import endpoint
from nova_suite import instances
from nova_suite import management
from nova_suite import neutron
from nova_suite import node as nodes
from nova_suite import novalink
from pypowervm_suite import clients

CONF = conf.CONF
HOST = "crowd"


class NoEvents:
    """Nova's virtual API on a node whose ports are up already."""

    @contextlib.contextmanager
    def wait_for_instance_event(self, *arguments, **keywords):
        yield


def step(word, failures=()):
    """Says what is done, and waits for the word to go on."""
    print(json.dumps({"done": word, "failures": list(failures)}), file=sys.__stdout__, flush=True)
    if not sys.stdin.readline():
        os._exit(1)


def at_once(action, crowd):
    """Runs the action on all at once; gives what failed."""
    failures = []

    def run(member):
        try:
            action(*member)
        except Exception as error:  # whatever it is: the caller tells it
            failures.append("%s: %s" % (type(error).__name__, str(error)[:300]))

    pool = eventlet.GreenPool(len(crowd))
    for member in crowd:
        pool.spawn(run, member)
    pool.waitall()
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ready", required=True, help="the ready file of a powervm-sim")
    parser.add_argument("--work", required=True, help="a folder for logs and token files")
    parser.add_argument("--servers", type=int, default=10)
    parser.add_argument("--vlan", type=int, default=1)
    parser.add_argument("--image", required=True, help="a disk image")
    parser.add_argument("--known-image", action="store_true", help="have the image in the pool before")
    arguments = parser.parse_args()
    del sys.argv[1:]

    warnings.showwarning = lambda *arguments, **keywords: None
    clients.isolate()
    os.makedirs(arguments.work, exist_ok=True)
    logging.basicConfig(filename=os.path.join(arguments.work, "nova.log"), level=logging.WARNING)
    sys.stderr = open(os.path.join(arguments.work, "stderr.txt"), "w", encoding="utf-8")
    with open(arguments.ready, encoding="utf-8") as file:
        ready = json.load(file)
    system = novalink.NovaLink(ready, ready["http"], ready["https"], arguments.work)
    glance = configuration.configure(arguments.work, HOST)
    CONF.set_override("disk_driver", "ssp", group="powervm")
    node = nodes.Node(None, system, clients.token_file_session(system), glance)
    node.management = management.Management(arguments.work, node.adapter)
    node.management.install()
    node.virtapi = NoEvents()
    endpoint.choose(system, password=False)
    node.driver = importlib.import_module("nova.virt.powervm.driver").PowerVMDriver(node.virtapi)
    node.driver.init_host(HOST)
    with open(arguments.image, "rb") as file:
        image = glance.add("crowd", file.read())

    def build(made, vifs):
        database.servers[made.uuid] = made
        made.task_state = "spawning"
        node.driver.spawn(node.context, made, instances.image_meta(image), [], "secret", {},
                          network_info=vifs, block_device_info=nodes.block_devices(()))

    def remove(made, vifs):
        made.task_state = "deleting"
        node.driver.destroy(node.context, made, vifs, nodes.block_devices(()), True)

    def server(name):
        wanted = instances.flavor(root_gb=1)
        return (instances.instance(HOST, name, wanted, config_drive=True, image=image),
                model.NetworkInfo([neutron.port("pvm_sea", arguments.vlan)]))

    first = [server("first")] if arguments.known_image else []
    failures = at_once(build, first) if first else []
    crowd = [server("crowd-%d" % number) for number in range(arguments.servers)]
    step("ready", failures)
    step("spawned", at_once(build, crowd))
    step("destroyed", at_once(remove, crowd))
    os._exit(0)


if __name__ == "__main__":
    main()
