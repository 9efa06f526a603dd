"""Whose signaling it is: contexts of the S1 interface, and temporary identities -> IMSI. All bounded.

An IMSI crosses the S1 interface rarely: in an attach, or when the MME asks for it. From then on a handset is
known by its context (eNB-UE-S1AP-ID, MME-UE-S1AP-ID) and by the temporary identities (GUTI, S-TMSI) it is
given (TS 23.401, 5.3.3 and 5.3.4). All this stays in memory, for one file.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from connectors.pcap.nas import Guti
from connectors.pcap.procedures import Procedure
from connectors.pcap.s1ap import Cell, S1Message
from connectors.pcap.sctp import Endpoint

HANDSETS_AT_MOST: Final = 50_000
NAMES_AT_MOST: Final = 200_000
"""Contexts, and temporary identities, that are known at a time; the one unused for longest goes first."""
NAME_LIVES: Final = 3_600_000_000
"""µs that a temporary identity is believed without being heard: a little more than the default periodic
update (54 min) and its guard time. Later an MME may have given it to another one, in a ciphered message."""

Name = Guti | tuple[bytes, int, int]
"""A GUTI, or an S-TMSI at an MME: its address, MME code, M-TMSI."""
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """A table that forgets what was not used for longest."""

    __slots__ = ("_at_most", "_entries")

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return an entry, which is used by that."""
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        """Set an entry."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._at_most:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget an entry, if it is there."""
        self._entries.pop(key, None)


class Handset:
    """One handset while it has a context."""

    __slots__ = ("cell", "cipher", "enb", "imei", "imsi", "is_off", "mme", "names", "procedure", "tac")

    def __init__(self) -> None:
        self.imsi: str | None = None
        self.imei: str | None = None
        """14 to 16 digits."""
        self.cell: Cell | None = None
        self.tac: int | None = None
        self.cipher: int | None = None
        """Algorithm of its NAS messages; None: not seen."""
        self.is_off = False
        """It was told to be detached."""
        self.names: list[Name] = []
        """Its latest temporary identities, to be bound once its IMSI is known."""
        self.procedure: Procedure | None = None
        """Under way; one at a time (TS 24.301, 5.1.3)."""
        self.enb: tuple[Endpoint, int] | None = None
        self.mme: tuple[Endpoint, int] | None = None


class Handsets:
    """Finds the handset of a message, and learns who it is."""

    def __init__(self) -> None:
        self._by_enb: Bounded[tuple[Endpoint, int], Handset] = Bounded(HANDSETS_AT_MOST)
        self._by_mme: Bounded[tuple[Endpoint, int], Handset] = Bounded(HANDSETS_AT_MOST)
        self._by_container: Bounded[bytes, Handset] = Bounded(HANDSETS_AT_MOST // 10)
        """Handovers between eNodeBs under way, by what one sends the other through the MME."""
        self._people: Bounded[Name, tuple[str, str | None, int]] = Bounded(NAMES_AT_MOST)
        """Temporary identity -> IMSI, IMEI if known, when it was last heard."""

    def of(self, message: S1Message, enb: Endpoint, mme: Endpoint) -> Handset:
        """Return the handset of a message; a new one if it was not known. `enb`, `mme`: the two ends."""
        at_enb = None if message.enb_id is None else (enb, message.enb_id)
        at_mme = None if message.mme_id is None else (mme, message.mme_id)
        found: Handset | None = None
        if message.name == "PathSwitchRequest" and message.source_mme_id is not None:
            at_mme = (mme, message.source_mme_id)
        if message.name == "HandoverRequest":
            found = self._by_container.get(message.container)
        elif message.name != "InitialUEMessage":
            first, second = (self._at_enb(at_enb), self._at_mme(at_mme))
            if message.name.startswith(("Handover", "PathSwitch")):
                first, second = second, first  # the id of the eNodeB is new, what had it before is gone
            found = first or second
        if found is None:
            found = Handset()
        if message.name == "HandoverRequired" and message.container:
            self._by_container.put(message.container, found)
        self._link(found, at_enb, at_mme)
        return found

    def learn(self, handset: Handset, imsi: str | None, imei: str | None, t: int) -> None:
        """Take in who a handset said to be."""
        if imsi is not None and imsi != handset.imsi:
            if handset.imsi is not None:
                handset.imei = None  # what was known was of another one
            handset.imsi = imsi
        handset.imei = imei or handset.imei
        for name in handset.names:
            self._bind(name, handset, t)

    def called(self, handset: Handset, name: Name, t: int, *, given: bool) -> None:
        """Take in a temporary identity; `given`: by the MME just now, else used by the handset."""
        if name not in handset.names:
            handset.names = [*handset.names[-3:], name]
        if not given and handset.imsi is None:
            person = self._people.get(name)
            if person is not None and t - person[2] <= NAME_LIVES:
                handset.imsi, handset.imei = person[0], person[1]
        if handset.imsi is None and given:
            self._people.drop(name)  # it is somebody else's from now on
        self._bind(name, handset, t)

    def forget(self, handset: Handset) -> None:
        """Let a context go: its ids may be given to others."""
        if handset.enb is not None and self._by_enb.get(handset.enb) is handset:
            self._by_enb.drop(handset.enb)
        if handset.mme is not None and self._by_mme.get(handset.mme) is handset:
            self._by_mme.drop(handset.mme)

    def _bind(self, name: Name, handset: Handset, t: int) -> None:
        if handset.imsi is not None:
            self._people.put(name, (handset.imsi, handset.imei, t))

    def _at_enb(self, key: tuple[Endpoint, int] | None) -> Handset | None:
        return None if key is None else self._by_enb.get(key)

    def _at_mme(self, key: tuple[Endpoint, int] | None) -> Handset | None:
        return None if key is None else self._by_mme.get(key)

    def _link(
        self, handset: Handset, enb: tuple[Endpoint, int] | None, mme: tuple[Endpoint, int] | None
    ) -> None:
        if enb is not None:
            handset.enb = enb
            self._by_enb.put(enb, handset)
        if mme is not None:
            handset.mme = mme
            self._by_mme.put(mme, handset)
