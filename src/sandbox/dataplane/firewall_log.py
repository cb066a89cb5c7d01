"""The log of the firewalls: a line for each request to a load balancer, written to the log group that the firewall names."""

import asyncio
import json
import uuid

# Real seconds between two writes, and lines that wait at most.
EVERY, MOST = 0.5, 20_000


class Part:
    """Collects lines, and writes them."""

    def __init__(self, plane):
        self.plane = plane
        # (account, region, group, name of the firewall) -> lines.
        self._lines = {}
        self._task = None

    async def start(self):
        """Writes from now on."""
        self._task = asyncio.create_task(self._run())

    async def close(self):
        """Stops."""
        self._task.cancel()

    def add(self, acl, balancer, facts, counted, blocked):
        """A request, as "Log fields for web ACL traffic" describes it."""
        if acl["log_group"] is None:
            return
        now = int(self.plane.clock.now() * 1000)
        hidden = set(acl["redacted"])
        line = {
            "timestamp": now,
            "formatVersion": 1,
            "webaclId": acl["arn"],
            "terminatingRuleId": blocked or "Default_Action",
            "terminatingRuleType": "REGULAR",
            "action": "BLOCK" if blocked else "ALLOW",
            "httpSourceName": "ALB",
            "httpSourceId": balancer.split(":loadbalancer/")[-1],
            "nonTerminatingMatchingRules": [{"ruleId": name, "action": "COUNT"} for name in counted],
            "httpRequest": {
                "clientIp": facts.source,
                "country": "-",
                "headers": [{"name": key, "value": "REDACTED" if key.lower() in hidden else value} for key, value in facts.headers],
                "uri": facts.path,
                "args": facts.query,
                "httpVersion": "HTTP/1.1",
                "httpMethod": facts.method,
                "requestId": str(uuid.uuid4()),
            },
        }
        lines = self._lines.setdefault((acl["account"], acl["region"], acl["log_group"], acl["name"]), [])
        if len(lines) < MOST:
            lines.append([now, json.dumps(line)])

    async def _run(self):
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.write()
            except (OSError, ValueError, TimeoutError) as failed:
                print(f"data plane: lines of the firewalls' logs were not written: {failed}", flush=True)

    async def write(self):
        """Writes what has come together."""
        waiting, self._lines = self._lines, {}
        logs = [
            {"account": account, "region": region, "group": group, "stream": f"{region}_{name}_0", "events": events}
            for (account, region, group, name), events in waiting.items()
        ]
        if logs:
            await self.plane.emulator.control("POST", "logs", {"logs": logs})
