"""English words for kinds of records, their fields, reasons and days."""

from __future__ import annotations

from typing import Final

EVENTS: Final[dict[str, tuple[str, str, str, str, str]]] = {
    "loc.update": (
        "is", "be", "seen in a location update", "seen in {n} location updates", "location updates",
    ),
    "loc.handover": ("is", "be", "handed over to a cell", "handed over {n} times", "handovers"),
    "loc.sight": ("is", "be", "seen at a cell", "seen at a cell {n} times", "sightings"),
    "power.on": ("switches", "switch", "the phone on", "the phone on {n} times", "switchings-on"),
    "power.off": ("switches", "switch", "off or is lost", "off or is lost {n} times", "switchings-off"),
    "call.out": ("makes", "make", "a call", "{n} calls", "calls made"),
    "call.in": ("receives", "receive", "a call", "{n} calls", "calls received"),
    "sms.out": ("sends", "send", "an SMS", "{n} SMS", "SMS sent"),
    "sms.in": ("receives", "receive", "an SMS", "{n} SMS", "SMS received"),
    "mms.out": ("sends", "send", "an MMS", "{n} MMS", "MMS sent"),
    "mms.in": ("receives", "receive", "an MMS", "{n} MMS", "MMS received"),
    "data.session": ("has", "have", "a data session", "{n} data sessions", "data sessions"),
    "data.http": ("loads", "load", "a web page", "{n} web pages", "web requests"),
    "handset.change": ("changes", "change", "to another handset", "handsets {n} times", "changes of handset"),
    "sim.change": ("gets", "get", "another SIM card", "another SIM card {n} times", "changes of SIM"),
    "roam.out": ("starts", "start", "to roam", "to roam {n} times", "starts of roaming"),
    "roam.in": ("comes", "come", "to us as a guest", "to us as a guest {n} times", "arrivals of guests"),
    "roam.home": ("comes", "come", "home from roaming", "home from roaming {n} times", "returns"),
    "roam.country": (
        "goes", "go", "on to another country, roaming", "on to another country {n} times", "border crossings",
    ),
    "product.bought": ("buys", "buy", "a product", "{n} products", "purchases"),
    "sms.reply": ("answers", "answer", "one of our messages", "{n} of our messages", "answers"),
    "complaint": ("makes", "make", "a complaint", "{n} complaints", "complaints"),
    "recharge": ("tops", "top", "up the account", "up the account {n} times", "top-ups"),
    "bill": ("gets", "get", "a bill", "{n} bills", "bills"),
}  # fmt: skip
"""Kind -> (third person, base form, once, {n} times, several of them as a noun)."""

FIELDS: Final[dict[str, str]] = {
    "number": "number", "number_class": "kind of number", "duration": "duration", "length": "length",
    "apn": "access point", "up": "bytes sent",
    "down": "bytes received", "bytes": "traffic", "host": "host", "app": "application",
    "from.tac": "old handset's type code", "to.tac": "new handset's type code", "to.model": "new model",
    "to.network": "new handset's network", "country": "country", "amount": "amount", "product": "product",
    "text": "text", "about": "subject", "cell": "cell", "cell_prev": "cell before",
    "cell_end": "cell at the end", "rat": "radio access",
    "plmn": "serving network", "home_plmn": "home network", "lac": "location area", "tac": "tracking area",
    "result": "result", "cause": "cause", "phase": "phase", "quality": "quality flags", "place": "place",
    "switch_off": "switched off by hand", "implicit": "concluded by the network",
}  # fmt: skip
"""Field of a record -> its name."""

REASONS: Final[dict[str, str]] = {
    "when": "the pattern never matched",
    "schedule": "outside the rule's schedule",
    "valid": "outside the rule's dates",
    "suppressed": "the subscriber has complained or opted out",
    "channel": "no message is for them",
    "limits.at_most": "the rule's own cap",
    "policy.contact": "the house's cap on contacts",
    "only_one_of": "another offer of the group is too recent",
    "send_within": "it would have to wait too long",
    "arbitration": "another offer of the same moment goes first",
    "holdout": "held out, for comparison",
    "feed": "the feed of what must not happen was down",
    "held": "still waiting for the end of quiet time",
}
PURPOSES: Final[dict[str, str]] = {
    "marketing": "marketing", "profiling": "profiling", "location": "the use of their location"
}  # fmt: skip
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
UNITS: Final[dict[str, str]] = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
CHANNELS: Final[dict[str, str]] = {"sms": "by SMS", "mms": "by MMS", "manual": "as a task for a person"}
STATUS: Final[dict[str, str]] = {
    "draft": "A draft: nothing is evaluated or sent",
    "shadow": "In shadow: evaluated and counted, never sent",
    "live": "Live",
    "paused": "Paused: nothing is sent",
}
