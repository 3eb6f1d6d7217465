"""A compute service in a process of its own: does with its driver what nova-compute's manager does.

Nova keeps much for a whole process (its host's name, its ports, what it found out of its node): two
hosts have to be two processes. Objects go between them as Nova's messages carry them. Requests come
as lines of JSON on standard input, answers go as lines of JSON to standard output.
"""

from nova_suite import begin  # noqa: F401  (before all that imports Nova)

import importlib
import json
import logging
import os
import sys
import traceback
import warnings

from nova import conf
from nova import objects
from nova.compute import task_states
from nova.objects import base
from oslo_serialization import jsonutils

from nova_suite import cinder
from nova_suite import configuration
from nova_suite import database
from nova_suite import endpoint
from nova_suite import fabrics
from nova_suite import glance as glances
from nova_suite import management
from nova_suite import neutron
from nova_suite import node as nodes
from nova_suite import novalink
from pypowervm_suite import clients
from pypowervm_suite import content

CONF = conf.CONF
DRIVER = "nova.virt.powervm_ext.driver"


class Compute:
    """The service; each public method is a request."""

    def __init__(self, host, system):
        os.makedirs(system.folder, exist_ok=True)
        site = clients.Site(None, system, clients.token_file_session(system))
        there = fabrics.ports(system, {vios.uuid.upper() for vios in nodes.Node.vioses(site)})
        self._glance = configuration.configure(system.folder, host, fabrics.options(there))
        self._node = nodes.Node(None, system, site.session, self._glance)
        self._node.management = management.Management(system.folder, self._node.adapter)
        self._node.management.install()
        self._node.virtapi = neutron.VirtAPI(neutron.Agent(self._node.session))
        endpoint.choose(system, password=False)
        CONF.set_override("disk_driver", "ssp", group="powervm")
        self._driver = importlib.import_module(DRIVER).PowerVMDriver(self._node.virtapi)
        self._node.driver = self._driver
        self._context = self._node.context
        self._system = system
        self._saved = None

    # What a request gives and takes.

    def _instance(self, primitive):
        made = objects.Instance.obj_from_primitive(primitive, self._context)

        def save(*arguments, **keywords):
            self._saved = made.obj_to_primitive()

        made.save = save
        made.refresh = lambda use_slave=False: None
        database.servers[made.uuid] = made
        return made

    def _volumes(self, told):
        return [cinder.Volume.known(self._system, volume_id, info) for volume_id, info in told.items()]

    def answer(self, method, arguments):
        """The answer to a request, as a dictionary."""
        self._saved = None
        try:
            result = getattr(self, method)(**arguments)
        except Exception as error:  # whatever it is: the other process tells it
            traceback.print_exc()
            return {"raised": type(error).__name__, "text": str(error), "saved": self._saved}
        return {"result": result, "saved": self._saved}

    # Requests.

    def start(self):
        """nova-compute starts."""
        self._driver.init_host(CONF.host)
        return self.resources()

    def resources(self):
        """What the host has."""
        return self._driver.get_available_resource(CONF.host)

    def attach_by(self, strategy):
        """How Fibre Channel volumes are attached from now on: vscsi or npiv."""
        CONF.set_override("fc_attach_strategy", strategy, group="powervm")

    def connector(self, instance):
        """The volume connector."""
        return self._driver.get_volume_connector(self._instance(instance))

    def spawn(self, instance, image, volumes):
        """Builds a server of an image with that id."""
        made = self._instance(instance)
        there = glances.Image("an image", content.pattern(nodes.IMAGE_BYTES))
        there["id"] = image
        self._glance.images[image] = there
        attached = self._volumes(volumes)
        self._node.run(made, there, made.info_cache.network_info, attached)
        made.save()
        return {volume.id: volume.mapping["connection_info"] for volume in attached}

    def destroy(self, instance, volumes):
        """Removes a server."""
        made = self._instance(instance)
        self._node.destroy(made, made.info_cache.network_info, self._volumes(volumes))

    def state(self, instance):
        """Its power state."""
        return self._driver.get_info(self._instance(instance)).state

    def check_destination(self, instance, source, destination):
        """Asked of the destination first; source, destination: what the hosts have."""
        return self._driver.check_can_live_migrate_destination(
            self._context, self._instance(instance), source, destination).obj_to_primitive()

    def check_source(self, instance, data, volumes):
        """Asked of the source then."""
        return self._driver.check_can_live_migrate_source(
            self._context, self._instance(instance), _data(data),
            nodes.block_devices(self._volumes(volumes))).obj_to_primitive()

    def prepare(self, instance, data, volumes):
        """The destination gets ready; gives the data, and how to reach the volumes from here."""
        made = self._instance(instance)
        connector = self._driver.get_volume_connector(made)
        attached = self._volumes(volumes)
        for volume in attached:
            volume.connect(connector)
        data = self._driver.pre_live_migration(
            self._context, made, nodes.block_devices(attached), made.info_cache.network_info, None,
            _data(data))
        return {"data": data.obj_to_primitive(), "connector": connector,
                "volumes": {volume.id: volume.info for volume in attached}}

    def migrate(self, instance, data, volumes, destination):
        """The source sends it off; gives what the driver called, and raised."""
        made = self._instance(instance)
        made.task_state = task_states.MIGRATING
        attached = self._volumes(volumes)
        called = []

        def leave(context, instance, dest, block_migration=False, migrate_data=None):
            called.append("post_method")
            self._driver.post_live_migration(
                context, instance, nodes.block_devices(attached), migrate_data)
            connector = self._driver.get_volume_connector(instance)
            for volume in attached:
                volume.disconnect(connector)
            self._driver.unfilter_instance(instance, instance.info_cache.network_info)
            self._driver.post_live_migration_at_source(
                context, instance, instance.info_cache.network_info)

        def recover(context, instance, dest, migrate_data=None):
            called.append("recover_method")
            instance.task_state = None
            self._driver.rollback_live_migration_at_source(context, instance, migrate_data)
            instance.save()

        raised = None
        try:
            self._driver.live_migration(
                self._context, made, destination, leave, recover, False, _data(data))
        except Exception as error:
            traceback.print_exc()
            raised = "%s: %s" % (type(error).__name__, error)
        return {"called": called, "raised": raised}

    def receive(self, instance, volumes):
        """The destination has it; gives its state and how to reach the volumes."""
        made = self._instance(instance)
        attached = self._volumes(volumes)
        self._driver.post_live_migration_at_destination(
            self._context, made, made.info_cache.network_info, False,
            nodes.block_devices(attached))
        made.host = made.node = CONF.host
        made.power_state = self._driver.get_info(made).state
        made.task_state = None
        made.save()
        return {"state": made.power_state, "saved": [v.mapping.save.count for v in attached]}

    def forget(self, instance, data, volumes):
        """The destination cleans up after a migration that failed."""
        made = self._instance(instance)
        attached = self._volumes(volumes)
        for volume in attached:
            self._driver.detach_volume(self._context, volume.info, made, "/dev/sdb")
            volume.disconnect(volume.info["connector"])
        self._driver.rollback_live_migration_at_destination(
            self._context, made, made.info_cache.network_info, nodes.block_devices(attached),
            destroy_disks=False, migrate_data=_data(data))


def _data(primitive):
    return base.NovaObject.obj_from_primitive(primitive)


def serve(host, told, seconds):
    """Answers until standard input ends. seconds: how long jobs may take, if not as usual."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    system = novalink.NovaLink.heard(told)
    os.makedirs(system.folder, exist_ok=True)
    sys.stdout = sys.stderr = open(os.path.join(system.folder, "said.txt"), "w", encoding="utf-8")
    warnings.showwarning = lambda *arguments, **keywords: None
    clients.isolate()
    logging.basicConfig(filename=os.path.join(system.folder, "nova.log"), level=logging.INFO,
                        format="%(relativeCreated)d %(levelname)s %(name)s %(message)s")
    if seconds:
        # Functions of pypowervm take their limit from there when they are imported.
        CONF.set_default("pypowervm_job_request_timeout", int(seconds))
    compute = Compute(host, system)
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(jsonutils.dumps(compute.answer(request["method"], request["arguments"])) + "\n")
        answers.flush()
    os._exit(0)


if __name__ == "__main__":
    serve(*sys.argv[1:])
