"""HTTP/1.1 as the load balancers, the services and the control path need it: whole messages, connections that stay."""

import asyncio
import traceback
from dataclasses import dataclass, field

MOST_HEAD = 64 * 1024
MOST_BODY = 16 * 1024 * 1024
REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently", 302: "Found", 304: "Not Modified",
    400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 413: "Payload Too Large",
    422: "Unprocessable Entity", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip
# What belongs to one connection and is not sent on (RFC 9110, "Connection").
HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "expect"}


class BadMessage(ValueError):
    """What came is no HTTP/1.1 message."""


@dataclass
class Message:
    """A request or an answer. `first` is its first line in three parts."""

    first: tuple
    headers: list
    body: bytes = b""

    def header(self, name, default=None):
        """The first value of a header."""
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), default)

    @property
    def keeps(self):
        """Whether the connection stays."""
        connection = (self.header("Connection") or "").lower()
        version = self.first[2] if self.first[0][:5] != "HTTP/" else self.first[0]
        return "keep-alive" in connection if version == "HTTP/1.0" else "close" not in connection


class Request(Message):
    """A request, with whom it came from."""

    peer = ""

    @property
    def method(self):
        """GET, POST, ..."""
        return self.first[0]

    @property
    def target(self):
        """Path and query."""
        return self.first[1]

    @property
    def path(self):
        """Without the query."""
        return self.first[1].partition("?")[0]


@dataclass
class Response:
    """An answer that is about to be sent."""

    status: int
    headers: list = field(default_factory=list)
    body: bytes = b""

    def encoded(self, method="GET", close=False):
        """As it goes over the wire."""
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        lines += [f"{key}: {value}" for key, value in self.headers if key.lower() not in HOP]
        if self.status not in (204, 304):
            lines.append(f"Content-Length: {len(self.body)}")
        lines.append("Connection: close" if close else "Connection: keep-alive")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head if method == "HEAD" or self.status in (204, 304) else head + self.body


def text(status, words, kind="text/plain; charset=utf-8", more=()):
    """A small answer."""
    return Response(status, [("Content-Type", kind), *more], words.encode())


async def read(reader, kind=Message, bodiless=False):
    """The next message, or `None` when the other side has closed before one began."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as short:
        if short.partial:
            raise BadMessage("it ends in the middle") from short
        return None
    except asyncio.LimitOverrunError as long:
        raise BadMessage("its head is too long") from long
    lines = head[:-4].decode("latin-1").split("\r\n")
    first = tuple(lines[0].split(" ", 2))
    if len(first) < 2:
        raise BadMessage(f"its first line is {lines[0]!r}")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadMessage(f"a header is {line!r}")
        headers.append((name, value.strip()))
    message = kind(first if len(first) == 3 else (*first, ""), headers)
    if not bodiless:
        message.body = await _body(reader, message)
    return message


async def _body(reader, message):
    if "chunked" in (message.header("Transfer-Encoding") or "").lower():
        return await _chunks(reader)
    length = message.header("Content-Length")
    if length is None:
        is_answer = message.first[0].startswith("HTTP/")
        if is_answer and message.first[1] not in ("204", "304") and not message.first[1].startswith("1"):
            return await reader.read(MOST_BODY)
        return b""
    if not length.isdigit() or int(length) > MOST_BODY:
        raise BadMessage(f"its length is {length}")
    try:
        return await reader.readexactly(int(length)) if int(length) else b""
    except asyncio.IncompleteReadError as short:
        raise BadMessage("its body ends in the middle") from short


def _has_end(answer):
    """Whether an answer's own head says where it ends; else the end of its connection does."""
    return answer.header("Content-Length") is not None or answer.first[1] in ("204", "304") or bool(answer.header("Transfer-Encoding"))


async def _chunks(reader):
    parts, total = [], 0
    try:
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0].strip(), 16)
            total += size
            if total > MOST_BODY:
                raise BadMessage("it is too long")
            if size == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return b"".join(parts)
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as bad:
        raise BadMessage(f"its chunks: {bad}") from bad


async def serve(reader, writer, answer, idle=60.0, lives=None):
    """Answers the requests of one connection until it is closed. `answer(request)` gives a `Response`, or `None` to cut the
    connection. After `lives` real seconds the connection is closed with its next answer."""
    peer = writer.get_extra_info("peername")
    ends = asyncio.get_running_loop().time() + lives if lives else None
    try:
        while True:
            try:
                async with asyncio.timeout(idle):
                    request = await _request(reader, writer)
            except BadMessage as bad:
                writer.write(text(400, f"{bad}\n").encoded(close=True))
                return
            if request is None:
                return
            request.peer = peer[0] if peer else ""
            response = await _answered(answer, request)
            if response is None:
                writer.transport.abort()
                return
            close = not request.keeps or (ends is not None and asyncio.get_running_loop().time() >= ends)
            writer.write(response.encoded(request.method, close))
            await writer.drain()
            if close:
                return
    except (TimeoutError, OSError, asyncio.CancelledError):
        # A cancelled connection is one of a loop that ends: this is all that its task does.
        return
    finally:
        writer.close()


async def _answered(answer, request):
    try:
        return await answer(request)
    except Exception:  # noqa: BLE001 - the log has it, and the connection can go on
        traceback.print_exc()
        return text(500, "internal error\n")


async def _request(reader, writer):
    request = await read(reader, Request, bodiless=True)
    if request is None:
        return None
    if (request.header("Expect") or "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.body = await _body(reader, request)
    return request


def encoded_request(method, target, headers, body=b""):
    """A request as it goes over the wire."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{key}: {value}" for key, value in headers if key.lower() not in HOP]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: keep-alive")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


class Pool:
    """Connections to one place that stay open for the next request."""

    def __init__(self, host, port, ssl=None, source=None, idle=55.0, patience=5.0):
        self.host, self.port, self.ssl, self.source = host, port, ssl, source
        self.idle, self.patience = idle, patience
        self._free = []

    async def ask(self, method, target, headers, body=b"", seconds=60.0):
        """The answer to a request. Raises `ConnectError` when no connection comes about, `TimeoutError` when no answer
        comes in time, another `OSError` or `BadMessage` when the connection breaks."""
        sent = encoded_request(method, target, headers, body)
        while True:
            reader, writer, is_used = await self._connection()
            try:
                async with asyncio.timeout(seconds):
                    writer.write(sent)
                    answer = await read(reader, bodiless=method == "HEAD")
                    while answer is not None and answer.first[1].startswith("1"):
                        answer = await read(reader, bodiless=method == "HEAD")
            except BaseException:
                writer.transport.abort()
                raise
            if answer is None:
                writer.transport.abort()
                # It was closed while it was idle, before the request: nobody has seen it.
                if is_used and method in ("GET", "HEAD", "OPTIONS"):
                    continue
                raise ConnectionResetError("closed without an answer")
            if answer.keeps and (method == "HEAD" or _has_end(answer)):
                self._free.append((reader, writer, asyncio.get_running_loop().time()))
            else:
                writer.close()
            return answer

    async def _connection(self):
        now = asyncio.get_running_loop().time()
        while self._free:
            reader, writer, since = self._free.pop()
            if now - since < self.idle and not writer.is_closing() and not reader.at_eof():
                return reader, writer, True
            writer.close()
        local = (self.source, 0) if self.source else None
        try:
            async with asyncio.timeout(self.patience):
                reader, writer = await asyncio.open_connection(
                    self.host, self.port, ssl=self.ssl, local_addr=local, limit=MOST_HEAD
                )
        except (OSError, TimeoutError) as failed:
            raise ConnectError(f"{self.host}:{self.port}: {failed}") from failed
        return reader, writer, False

    def close(self):
        """Closes what is open."""
        for _, writer, _ in self._free:
            writer.close()
        self._free.clear()


class ConnectError(OSError):
    """No connection came about."""
