"""The sender of `bench pushing`, a process of its own: `python -m bench.pusher WHAT PORT COUNT`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import orjson
import uvloop

from bench.xdr_rows import gn_rows

CONNECTIONS = 32
LINES_CONNECTIONS = 4
BATCH = 100
REPORTS = 10
_NOW = time.time() - 3_600
_HEADS: dict[bool, dict[str, object]] = {
    True: {"notifyCorrelationId": "n"},
    False: {"subscription": "https://nef.example.com/3gpp-monitoring-event/v1/af1/subscriptions/1"},
}
"""What stands around the reports of an AMF, and of a NEF."""


def _time(number: int) -> str:
    return datetime.fromtimestamp(_NOW + number / 1_000, UTC).isoformat()


def _event(number: int) -> dict[str, object]:
    return {
        "id": f"event-{number}",
        "source": "https://notifications.example.com",
        "specversion": "1.0",
        "type": "org.camaraproject.geofencing-subscriptions.v0.area-entered",
        "time": _time(number),
        "datacontenttype": "application/json",
        "data": {
            "device": {"phoneNumber": f"+861390000{number % 10_000:04}"},
            "area": {
                "areaType": "CIRCLE",
                "center": {"latitude": 39.9, "longitude": 116.4},
                "radius": 2_000,
            },
            "subscriptionId": "qs15-h556-rt89-1298",
        },
    }


def _report(number: int) -> dict[str, object]:
    plmn = {"mcc": "460", "mnc": "00"}
    return {
        "type": "LOCATION_REPORT",
        "state": {"active": True},
        "timeStamp": _time(number),
        "supi": f"imsi-46000{number % 100_000:010}",
        "location": {
            "nrLocation": {
                "tai": {"plmnId": plmn, "tac": "00A1B2"},
                "ncgi": {"plmnId": plmn, "nrCellId": f"{number % 50_000:09X}"},
            }
        },
    }


def _monitored(number: int) -> dict[str, object]:
    return {
        "monitoringType": "LOCATION_REPORTING",
        "msisdn": f"861390{number % 1_000_000:07}",
        "eventTime": _time(number),
        "locationInfo": {"cellId": f"{number % 50_000:09X}", "ageOfLocationInfo": 0},
    }


def bodies(what: str, count: int) -> Iterator[bytes]:
    """Yield the bodies of so many requests."""
    for number in range(count):
        if what.startswith(("amf", "nef")):
            of_amf, many = what.startswith("amf"), 1 if "one" in what else REPORTS
            made = [(_report if of_amf else _monitored)(number * many + at) for at in range(many)]
            yield orjson.dumps({**_HEADS[of_amf], "reportList" if of_amf else "monitoringEventReports": made})
        elif what == "camara batch":
            yield orjson.dumps([_event(number * BATCH + at) for at in range(BATCH)])
        else:
            yield orjson.dumps(_event(number))


def _media(what: str) -> str:
    if what.startswith(("amf", "nef")):
        return "application/json"
    return f"application/cloudevents{'-batch' if what == 'camara batch' else ''}+json"


async def _go() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def post(what: str, port: int, count: int) -> None:
    """Post from many connections, each one request after the other; over HTTP/2 all on one."""
    made = list(bodies(what, count))
    http2 = what.endswith("http2")
    headers = {"content-type": _media(what)}
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        http1=not http2,
        http2=http2,
        limits=limits,
        timeout=60,
        trust_env=False,
    ) as client:
        await _go()

        async def work() -> None:
            while made:
                said = await client.post("/", content=made.pop(), headers=headers)
                if said.status_code == 503:
                    raise RuntimeError("expected room, was none")
                said.raise_for_status()

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


async def push(what: str, port: int, count: int) -> None:
    """Push lines from some connections; wait for all acknowledgements."""
    if what == "rows":
        lines = [row.encode() for row in gn_rows(count)]
    else:
        now = round(_NOW * 1e6)
        record = {"kind": "loc.update", "cell": "460-00-1-1", "rat": "LTE"}
        lines = [
            orjson.dumps({**record, "id": f"r{n}", "t": now + n, "imsi": f"46000{n % 100_000:010}"}) + b"\n"
            for n in range(count)
        ]
    await _go()

    async def work(number: int) -> None:
        mine = lines[number::LINES_CONNECTIONS]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(mine))
        last = 0
        while last < len(mine):
            last = int((await reader.readline()).split()[1])
        writer.close()

    await asyncio.gather(*(work(number) for number in range(LINES_CONNECTIONS)))


def main() -> None:
    """Send, and say so."""
    what, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    send = push if what in ("lines", "rows") else post
    uvloop.run(send(what, port, count))
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
