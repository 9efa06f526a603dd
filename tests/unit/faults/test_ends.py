"""What explains an end of an offer, and what does not: the checker of the matrix takes none at its word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from engine.last_gates import ENDS
from engine.snapshot import Subscriber
from tests.faults.checker import LEAST, Report
from tests.faults.ends import NEVER_OVER, Fault, Hits, Known, Told, first_end, unexplained
from tests.faults.load import HOUR, MINUTE, SECOND, Load, Options, msisdn

Json = dict[str, Any]
NOW = 1_795_640_400_000_000
"""26 November 2026, 05:00 UTC: quiet time of the load is from 02:30 to 04:00."""
BATCH = 2


@pytest.fixture(scope="module")
def load() -> Load:
    return Load(1, NOW, Options(subscribers=1))


def known(load: Load, *faults: Fault, **more: Any) -> Known:
    """What is known of offers that were made at `NOW`, to one who wants them."""
    sub = Subscriber("k")
    sub.bound, sub.consent = msisdn(0), {"marketing": True, "profiling": True, "location": True}
    for name, value in more.pop("sub", {}).items():
        setattr(sub, name, value)
    made = {f"d{number}": NOW for number in range(9)}
    given: Json = {"optouts": {}, "rebuilt": False, **more}
    return Known(load.rules, made, {"k": sub}, faults=list(faults), batch=BATCH, **given)


def strange(known: Known, ends: Mapping[str, Told], rule: str = "enter", age: int = MINUTE) -> set[str]:
    """Return the decisions of offers of that age whose ends nothing explains."""
    offers = {id: {"id": id, "rule": rule, "subscriber_key": "k", "at": NOW - age} for id in ends}
    return {line.split()[0] for line in unexplained(offers, ends, known)}


def told(status: str, after: int = 5 * SECOND) -> Told:
    """One receipt, so long after `NOW`."""
    return Told(NOW + after, status, NOW + after)


@pytest.mark.parametrize("status", sorted(ENDS))
def test_nothing_explains_any_end_of_an_offer_of_which_nothing_else_is_known(status: str, load: Load) -> None:
    assert strange(known(load), {"d0": told(status)}) == {"d0"}


@pytest.mark.parametrize("status", ["delivered", "failed"])
def test_what_was_sent_stands_in_the_evidence(status: str, load: Load) -> None:
    assert not strange(known(load, answers={"d0": {"accepted"}}), {"d0": told(status)})


def test_only_the_centre_can_reject(load: Load) -> None:
    assert strange(known(load, answers={"d0": {"accepted"}}), {"d0": told("rejected")})
    assert not strange(known(load, answers={"d0": {"rejected"}}), {"d0": told("rejected")})


def test_an_answer_that_the_centre_lost_explains_an_unknown_fate_and_one_that_it_gave_does_not(
    load: Load,
) -> None:
    assert not strange(known(load, answers={"d0": {"lost"}}), {"d0": told("indeterminate")})
    assert strange(known(load, answers={"d0": {"accepted"}}), {"d0": told("indeterminate")})


@pytest.mark.parametrize("hits", [Hits.DISPATCHER, Hits.LEDGER])
@pytest.mark.parametrize(
    ("at", "until", "explains"),
    [
        (2 * SECOND, 0, True),
        (-MINUTE, SECOND, True),
        (-MINUTE, NEVER_OVER, True),
        (-MINUTE, -SECOND, False),
        (6 * SECOND, 0, False),
    ],
)
def test_an_unknown_fate_was_under_way_at_a_fault(
    hits: Hits, at: int, until: int, explains: bool, load: Load
) -> None:
    fault = Fault(NOW + at, "a fault", hits, NOW + until)
    assert bool(strange(known(load, fault), {"d0": told("indeterminate")})) is not explains


def test_a_fault_that_hits_nothing_of_dispatchers_explains_no_unknown_fate(load: Load) -> None:
    assert strange(known(load, Fault(NOW + SECOND, "SIGKILL engine")), {"d0": told("indeterminate")})


def test_a_dispatcher_that_dies_leaves_one_pass_of_unknown_fate_and_what_it_had_sent(load: Load) -> None:
    deaths = [Fault(NOW + number * SECOND, "SIGKILL dispatcher", Hits.DISPATCHER) for number in (1, 2)]
    ends = {f"d{number}": told("indeterminate") for number in range(6)}
    assert len(strange(known(load, deaths[0]), ends)) == 6 - BATCH
    assert len(strange(known(load, *deaths), ends)) == 6 - 2 * BATCH
    sent = {"d0": {"accepted"}, "d1": {"accepted"}}
    assert len(strange(known(load, deaths[0], answers=sent), ends)) == 4 - BATCH
    assert not strange(known(load, Fault(NOW + SECOND, "FLUSHALL", Hits.LEDGER)), ends)


def test_expired_is_what_is_too_old_by_the_clock_that_said_so(load: Load) -> None:
    assert not strange(known(load), {"d0": told("expired")}, "late", age=HOUR)
    assert strange(known(load), {"d0": told("expired")}, "late", age=9 * MINUTE)
    assert strange(known(load), {"d0": told("expired")}, "enter", age=HOUR)
    assert not strange(known(load), {"d0": Told(NOW, "expired", NOW + 23 * HOUR)}, "enter", age=HOUR)


def test_only_who_does_not_want_it_explains_a_refusal(load: Load) -> None:
    assert not strange(known(load, optouts={msisdn(0): NOW}), {"d0": told("suppressed")})
    assert strange(known(load, optouts={msisdn(1): NOW}), {"d0": told("suppressed")})
    assert not strange(known(load, sub={"suppressed": True}), {"d0": told("suppressed")})
    no = {"consent": {"marketing": False, "location": True}}
    assert not strange(known(load, sub=no), {"d0": told("consent.marketing")})
    assert strange(known(load, sub=no), {"d0": told("consent.location")})


def test_quiet_is_what_was_said_in_quiet_time_where_they_live(load: Load) -> None:
    early = {"d0": told("quiet", after=-2 * HOUR)}
    assert not strange(known(load), early)
    assert strange(known(load, sub={"timezone": "Asia/Shanghai"}), early)


def test_a_rebuild_explains_what_was_under_way_when_the_store_was_lost(load: Load) -> None:
    lost = Fault(NOW + SECOND, "FLUSHALL", Hits.LEDGER)
    assert not strange(known(load, lost, rebuilt=True), {"d0": told("rebuild")})
    assert strange(known(load, lost), {"d0": told("rebuild")})
    assert strange(known(load, rebuilt=True), {"d0": told("rebuild")})


def test_the_first_end_in_the_log_holds() -> None:
    assert first_end([told("accepted"), told("indeterminate"), told("delivered")]) == told("indeterminate")
    assert first_end([told("accepted")]) is None


def test_a_row_in_which_little_is_sent_is_not_whole() -> None:
    report = Report("a row", LEAST, in_flight=1)
    report.kinds.update(("offer", "held", "control", "refused"))
    report.rules.update(("dwell", "absent", "enter", "calls"))
    report.ends.update({"delivered": LEAST // 3, "expired": LEAST - LEAST // 3})
    assert not report.is_whole
    report.ends.update({"failed": 1, "expired": -1})
    assert report.is_whole
