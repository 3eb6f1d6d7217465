"""nova-powervm's event handler: what happens to a partition from elsewhere, Nova learns."""

from nova.compute import power_state
from nova.virt import event as virt_event
from pypowervm.tasks import power
from pypowervm.tasks import power_opts

from nova_suite import instances
from pypowervm_suite import clients
from pypowervm_suite import expect

# The handler holds an event back for a quarter of a minute.
SECONDS = 40


def begin(node):
    """Shuts a server down behind Nova's back; keeps watched and emitted."""
    with node.check("a server is shut down from elsewhere"):
        emitted = node.keep("emitted", [])
        node.driver.register_event_listener(emitted.append)
        made = node.keep("watched", node.spawn("watched", instances.flavor(), node.image))
        made.power_state = power_state.RUNNING
        node.server.power_state = power_state.RUNNING
        power.PowerOp.stop(node.partition(made), opts=power_opts.PowerOffOpts().vsp_hard())
        expect.equal(node.partition(made).state, "not activated", "its state")


def check(node):
    """Once the event has come."""
    with node.check("Nova hears that it was stopped, once"):
        clients.wait_until(lambda: _of(node), SECONDS, "the event")
        event = expect.single(_of(node), "events of the server")
        expect.equal(event.get_transition(), virt_event.EVENT_LIFECYCLE_STOPPED, "the event")
    with node.check("destroys it"):
        node.destroy(node.watched)


def _of(node):
    return [event for event in node.emitted if event.get_instance_uuid() == node.watched.uuid]


def end(node):
    """The driver ends."""
    with node.check("cleanup_host ends the listening"):
        node.driver.cleanup_host(node.server.host)
        expect.equal(node.driver.adapter.session.get_event_listener().handlers, [], "who listens")
