"""The way to the emulator: its control path, and AWS's APIs by boto3 for what has a password or a parameter in it."""

import asyncio
import json
from urllib.parse import urlsplit

from . import http1


class Emulator:
    """One emulator at an endpoint."""

    def __init__(self, endpoint):
        self.endpoint = endpoint.rstrip("/")
        parts = urlsplit(self.endpoint)
        self._host = parts.netloc
        self._pool = http1.Pool(parts.hostname, parts.port)
        self._clients = {}

    async def control(self, method, path, body=None, seconds=60.0):
        """A request to `/_sandbox/{path}`; raises `OSError` when it does not answer, `ValueError` when it refuses."""
        sent = b"" if body is None else json.dumps(body).encode()
        headers = [("Host", self._host), ("Content-Type", "application/json")]
        answer = await self._pool.ask(method, f"/_sandbox/{path}", headers, sent, seconds)
        document = json.loads(answer.body or b"{}")
        if answer.first[1] != "200":
            raise ValueError(f"{method} {path}: {document.get('error', answer.first[1])}")
        return document

    async def aws(self, service, operation, region="eu-central-1", **params):
        """A call of an AWS API, by boto3 in a thread; raises botocore's errors."""
        return await asyncio.to_thread(self._call, service, operation, region, params)

    def _call(self, service, operation, region, params):
        key = (service, region)
        if key not in self._clients:
            import boto3
            from botocore.config import Config

            session = boto3.Session("sandbox", "sandbox", region_name=region)
            config = Config(retries={"max_attempts": 2}, max_pool_connections=20)
            self._clients[key] = session.client(service, endpoint_url=self.endpoint, config=config)
        return getattr(self._clients[key], operation)(**params)

    def close(self):
        """Closes what is open."""
        self._pool.close()
