"""The control path of the data plane: HTTP on the loopback address, its port in the port file. For the rehearsal's story and
for the emulator; no product code knows it.

    GET  /state                 what runs: clock, DNS server, addresses of names, and what each part says of itself
    GET  /health                {"status": "ok", "pid", "version", "edge", "certificates"}: the version of the model that all parts
                                follow by now, the DNS server with the port of HTTPS, and the file of the authority's certificate
    POST /services              {"green/payment-api": {"fail": 0.2, "slow_ms": 800, "work_ms": 80, "dead": false}}: a service fails that share
                                of its requests with 500, takes so much longer, or refuses connections. What is not given stays;
                                null in place of the object sets all back
    POST /dns                   {"delay": 30}: seconds of the clock until a changed record is answered
    POST /resolve               {"name": "pay.example", "type": "A"}: what the DNS server answers now
    POST /invoke/NAME           a run of a function (part `functions`)
    POST /databases             {"green": "stop" | "start" | "crash"} (part `databases`)

A part is a class with `__init__(plane)` and, as far as it needs them:

    async follow(model)         called with every new version of the model, one call at a time for each part; a part that is slow
                                misses versions in between and never the last one
    routes()                    {("POST", "services"): handler}: a path that ends with `/*` takes whatever follows.
                                `await handler(body, query, rest)` answers a JSON document, or raises ValueError (400), LookupError (404)
    state()                     what stands under the part's name in /state
    async start(), close()      before the first model; at the end, when everything it started must end

`PARTS` in plane.py names the modules; each has a class `Part`. A part finds the others with `plane.part("dns")`.
"""

import asyncio
import json
import os
import traceback
from urllib.parse import parse_qs, unquote

from . import http1, names


class Control:
    """The server."""

    def __init__(self, plane):
        self.plane = plane
        self.routes = {("GET", "health"): self._health, ("GET", "state"): self._state}
        self._server = None

    async def start(self):
        """Listens; answers the port."""
        for part in self.plane.parts.values():
            self.routes.update(part.routes() if hasattr(part, "routes") else {})
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=http1.MOST_HEAD)
        return self._server.sockets[0].getsockname()[1]

    async def close(self):
        """Listens no longer."""
        if self._server:
            self._server.close()

    async def _connected(self, reader, writer):
        await http1.serve(reader, writer, self._answer, idle=600)

    async def _answer(self, request):
        path, _, query = request.target.partition("?")
        path = unquote(path).strip("/")
        handler, rest = self._find(request.method, path)
        if handler is None:
            known = ", ".join(sorted(f"{method} /{path}" for method, path in self.routes))
            return _json(404, {"error": f"no {request.method} /{path}; there are {known}"})
        try:
            body = json.loads(request.body) if request.body.strip() else {}
            query = {key: values[-1] for key, values in parse_qs(query).items()}
            return _json(200, await handler(body, query, rest))
        except LookupError as missing:
            return _json(404, {"error": str(missing.args[0] if missing.args else missing)})
        except ValueError as bad:
            return _json(400, {"error": str(bad)})
        except Exception as failure:  # noqa: BLE001 - the caller learns it, the log has the rest
            traceback.print_exc()
            return _json(500, {"error": f"{type(failure).__name__}: {failure}"})

    def _find(self, method, path):
        if (method, path) in self.routes:
            return self.routes[method, path], ""
        for (of, pattern), handler in self.routes.items():
            if of == method and pattern.endswith("/*") and path.startswith(pattern[:-1]):
                return handler, path[len(pattern) - 1 :]
        return None, ""

    async def _health(self, _body, _query, _rest):
        plane = self.plane
        return {
            "status": "ok",
            "pid": os.getpid(),
            "version": plane.followed(),
            "edge": f"{plane.names.dns}:{names.DNS_PORT}/{names.port(443)}",
            "certificates": str(plane.authority.file),
        }

    async def _state(self, _body, _query, _rest):
        plane = self.plane
        clock = {"rate": plane.clock.rate, "origin": plane.clock.origin, "now": plane.clock.now()}
        parts = {name: part.state() for name, part in plane.parts.items() if hasattr(part, "state")}
        return {
            "endpoint": plane.emulator.endpoint,
            "folder": str(plane.folder),
            "clock": clock,
            "version": plane.followed(),
            "resolver": f"{plane.names.dns}:8053",
            "names": plane.names.shown(),
            **parts,
        }


def _json(status, document):
    body = (json.dumps(document, indent=1, default=str) + "\n").encode()
    return http1.Response(status, [("Content-Type", "application/json")], body)
