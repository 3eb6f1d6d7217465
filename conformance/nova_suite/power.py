"""Off, on and again."""

from nova.compute import power_state

from nova_suite import node as nodes
from pypowervm_suite import expect


def check(node):
    """With node.server, which runs before and after."""
    made = node.server
    for name, action, state in (
            ("powers it off at once", lambda: node.driver.power_off(made), power_state.SHUTDOWN),
            ("powers off what is off", lambda: node.driver.power_off(made), power_state.SHUTDOWN),
            ("powers it on", lambda: _on(node), power_state.RUNNING),
            ("powers on what is on", lambda: _on(node), power_state.RUNNING),
            ("powers it off with time to shut down",
             lambda: _shut_down(node),
             power_state.SHUTDOWN),
            ("reboots what is off", lambda: _reboot(node, "HARD"), power_state.RUNNING),
            ("reboots softly", lambda: _reboot(node, "SOFT"), power_state.RUNNING),
            ("reboots softly what its RMC cannot reach yet",
             lambda: node.driver.reboot(node.context, made, node.vifs, "SOFT"),
             power_state.RUNNING),
            ("reboots hard", lambda: _reboot(node, "HARD"), power_state.RUNNING)):
        with node.check(name):
            action()
            expect.equal(node.state(made), state, "the state after it")
    with node.check("after all of it the partition runs"):
        nodes.booted(node.partition(made))


def _on(node):
    node.driver.power_on(node.context, node.server, node.vifs)


def _shut_down(node):
    node.reachable(node.server)
    node.driver.power_off(node.server, timeout=60, retry_interval=10)


def _reboot(node, kind):
    if kind == "SOFT":
        node.reachable(node.server)
    node.driver.reboot(node.context, node.server, node.vifs, kind)
