"""Consoles, from the API to what Nova's proxy reads from the screen."""

import socket
import urllib.parse

from nova.console.securityproxy import rfb as proxies
from nova import context as contexts
from nova import exception
from nova import objects
from nova_today_suite import cloud as clouds
from nova_today_suite import screen as screens
from pypowervm_suite import expect

SECONDS = 30


def check(site):
    """With site.server."""
    cloud = site.cloud
    with site.check("opens a VNC console: its token leads to a port that the compute service vouches for"):
        told = cloud.api.api_post("/servers/%s/remote-consoles" % site.server["id"],
                                  {"remote_console": {"protocol": "vnc", "type": "novnc"}}).body["remote_console"]
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(told["url"]).query)
        # The path of a page and the token stand in a query of their own.
        token = query["path"][0].split("token=")[1] if "path" in query else query["token"][0]
        context = contexts.get_admin_context()
        found = site.keep("console", objects.ConsoleAuthToken.validate(context, token))
        instance = objects.Instance.get_by_uuid(context, site.server["id"])
        manager = cloud.computes[clouds.HOST].manager
        expect.true(manager.validate_console_port(context, instance, str(found.port), "novnc"), "the port is right")
        path = site.server["id"] if cloud.vnc_port else None
        expect.equal(found.internal_access_path, path, "the path")
    secure = "with TLS and certificates on both sides" if cloud.authority else "without TLS"
    with site.check("Nova's proxy reads the screen of that console, %s" % secure):
        expect.equal(_name_of(cloud, site.console.port, site.console.internal_access_path), screens.NAME.decode(),
                     "the name of the screen")
    if cloud.vnc_port:
        with site.check("the port refuses whoever names no server"):
            with socket.create_connection(("127.0.0.1", cloud.vnc_port), SECONDS) as line:
                expect.true(b" 400 " in _ask(line, "00000000-0000-4000-8000-000000000000"), "the answer")
    if cloud.authority:
        with site.check("and whoever has no certificate"):
            cloud.flags(vencrypt_client_cert=cloud.strangers[0], vencrypt_client_key=cloud.strangers[1], group="vnc")
            try:
                expect.refused((OSError, exception.NovaException), lambda: _name_of(
                    cloud, site.console.port, site.console.internal_access_path), "a stranger")
            finally:
                cloud.trust_consoles()


def _ask(line, path):
    """The head of the answer: what follows it is the screen's."""
    line.sendall(("CONNECT %s HTTP/1.1\r\n\r\n" % path).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = line.recv(1)
        if not piece:
            break
        head += piece
    return head


def _name_of(cloud, port, path):
    """What the screen is called, as Nova's proxy gets to know it."""
    viewer, tenant = socket.socketpair()
    with viewer, tenant, socket.create_connection(("127.0.0.1", port), SECONDS) as line:
        if path:
            expect.true(_ask(line, path).startswith(b"HTTP/1.1 200 "), "the repeater knows the server")
        # The browser agrees with all that it is told.
        viewer.sendall(screens.VERSION + screens.NONE)
        secured = proxies.RFBSecurityProxy().connect(tenant, line)
        secured.settimeout(SECONDS)
        result = screens.receive(secured, 4)
        expect.equal(result, bytes(4), "the result of the security")
        secured.sendall(b"\x01")
        told = screens.receive(secured, len(screens.DESKTOP))
        secured.close()
        return told[-len(screens.NAME):].decode()
