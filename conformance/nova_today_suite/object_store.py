"""Keystone and Swift, as far as they are asked for objects of one container."""

import http.server
import json
import secrets
import threading


class ObjectStore:
    """Serves until it is closed. objects: by name; asked: method and name of each request, in order."""

    kind = "Swift"

    def __init__(self):
        self.password = secrets.token_hex(16)
        self.objects = {}
        self.containers = set()
        self.asked = []
        self._token = secrets.token_hex(16)
        store = self

        class Handler(_Handler):
            """Of this store."""

            def setup(self):
                self.store = store
                super().setup()

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self._server.server_port
        threading.Thread(target=self._server.serve_forever, name="object-store", daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def options(self):
        """What an operator writes into nova.conf."""
        return {"nvram_store": "swift", "swift_auth_url": self.url + "/identity", "swift_password": self.password}

    def log_on(self, request):
        """Status, headers and answer of a logon."""
        user = request["auth"]["identity"]["password"]["user"]
        project = request["auth"]["scope"]["project"]
        # The names are the defaults of the options.
        if (user["name"], user["domain"]["name"], user["password"], project["name"], project["domain"]["name"]) != (
                "powervm", "powervm", self.password, "powervm", "powervm"):
            return 401, {}, {}
        endpoints = [{"interface": "public", "url": self.url + "/v1/AUTH_powervm"}]
        catalog = [{"type": "object-store", "endpoints": endpoints}]
        return 201, {"X-Subject-Token": self._token}, {"token": {"catalog": catalog}}

    def ask(self, method, token, path, content):
        """Status and answer of a request for an object, or for a container."""
        if token != self._token:
            return 401, b""
        container, _, name = path.removeprefix("/v1/AUTH_powervm/").partition("/")
        self.asked.append((method, name))
        if not name:
            self.containers.add(container)
            return 201, b""
        if method == "PUT":
            if container not in self.containers:
                return 404, b""
            self.objects[name] = content
            return 201, b""
        if name not in self.objects:
            return 404, b""
        if method == "DELETE":
            del self.objects[name]
            return 204, b""
        return 200, self.objects[name]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self):
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {}
        if self.path == "/identity/v3/auth/tokens":
            status, headers, told = self.store.log_on(json.loads(content))
            answer = json.dumps(told).encode()
        else:
            status, answer = self.store.ask(self.command, self.headers.get("X-Auth-Token"), self.path, content)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = _serve

    def log_message(self, *arguments):
        """Says nothing of requests."""
