"""Users and rights of a Kafka of tests: who may sign in by PLAIN, what is granted, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from tests.servers.kafka import KafkaServer

PASSWORD = "a password"
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
RESOURCES = {"Topic": 2, "Group": 3, "TransactionalId": 5}
LITERAL, PREFIXED, ALLOW = 3, 4, 3
"""Numbers of the protocol."""
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
AUTHORIZER = "kafka.authorizer.logger"
SAID = re.compile(
    r"Principal = User:(\w+) is (Allowed|Denied) operation = (\w+) from host = \S+"
    r" on resource = (\w+):LITERAL:(\S+) for request = (\w+)"
)
NAMES = {"READ": "Read", "WRITE": "Write", "CREATE": "Create", "DESCRIBE": "Describe"} | {
    "DESCRIBE_CONFIGS": "DescribeConfigs"
}


def options(users: Iterable[str]) -> dict[str, str]:
    """Properties of a broker that knows these users at its second listener; at the first all is allowed."""
    known = " ".join(f'user_{user}="{PASSWORD}"' for user in users)
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listener.name.proxied.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.proxied.plain.sasl.jaas.config": f"{PLAIN} {known};",
    }


class Right(NamedTuple):
    """What somebody may do with something; of a name perhaps only what it begins with, and a star."""

    user: str
    operation: str
    resource: str
    name: str


class Asked(NamedTuple):
    """A right that the broker looked for, and the kind of request."""

    right: Right
    request: str
    is_allowed: bool


class Rights:
    """Grants and takes as whoever may everything; tells what the broker was asked for."""

    def __init__(self, server: KafkaServer) -> None:
        """Have a broker that has not started write down each right that it looks for."""
        self._server = server
        [node] = server.nodes.values()
        self._log = node.log
        logging = node.folder / "log4j2.xml"
        more = f'<Logger name="{AUTHORIZER}" level="DEBUG"/></Loggers>'
        logging.write_text(logging.read_text().replace("</Loggers>", more), encoding="utf-8")

    async def grant(self, rights: Iterable[Right]) -> None:
        """Grant these, beside what is granted."""
        wanted = []
        for user, operation, resource, name in rights:
            pattern = PREFIXED if name.endswith("*") else LITERAL
            fields = (RESOURCES[resource], name.rstrip("*"), pattern, f"User:{user}", "*")
            wanted.append(CreateAclsRequest(*fields, OPERATIONS[operation], ALLOW))
        await self._ask(wanted, "creation_responses")

    async def take(self, right: Right) -> None:
        """Take one right away."""
        user, operation, resource, name = right
        fields = (RESOURCES[resource], name, LITERAL, f"User:{user}", "*")
        await self._ask([DeleteAclsRequest(*fields, OPERATIONS[operation], ALLOW)], "filter_responses")

    def asked(self) -> set[Asked]:
        """Return what the broker was asked for until now."""
        return {
            Asked(Right(user, NAMES.get(operation, operation), resource, name), request, said == "Allowed")
            for user, said, operation, resource, name, request in SAID.findall(self._text())
        }

    def _text(self) -> str:
        return Path(self._log).read_text(encoding="utf-8")

    async def _ask(self, requests: Iterable[Any], field: str) -> None:
        client = AIOKafkaClient(bootstrap_servers=self._server.bootstrap)
        try:
            await client.bootstrap()
            for request in requests:
                answer = await client.send(client.get_random_node(), request)
                for code, said, *_ in getattr(answer, field):
                    if code:
                        raise for_code(code)(said)
        finally:
            await client.close()
