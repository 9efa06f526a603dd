"""Every key and closed word of the language in one line each: what an editor shows beside it.

Which keys there are stands where they are read; a test asks that each has its line here. Reference and guide
say more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "rule": {
        "rule": "The name of the rule, the same as that of its file.",
        "title": "One line for people: what the rule is for.",
        "owner": "Who answers for the rule.",
        "status": "How far the rule has come.",
        "approved_by": "Who approved the rule. A live rule needs somebody other than its owner.",
        "valid": "First and last day, both included, in the policy's timezone.",
        "schedule": "Days and hours, local time, in which the rule may fire.",
        "when": "The pattern over behaviour: when the rule fires.",
        "who": "Tests on the subscriber's profile. All lines must hold; a value that is not known refuses.",
        "except": "Tests on the profile of which none may hold. A value that is not known refuses too.",
        "offer": "The product that is offered and the messages that offer it.",
        "limits": "How often, how urgently and beside which other rules.",
        "goal": "What counts as success.",
    },
    "schedule": {
        "days": "Days of the week, from mon to sun: a day, a span of days, or a list of such.",
        "hours": "Hours of the day, local time: a span, or a list of spans.",
    },
    "offer": {
        "product": "A product of catalog/products.yaml.",
        "send": "The messages. The first whose `if` holds, on a channel that can be used, is sent.",
        "faq": "What customers ask about this offer, with the answers.",
    },
    "message": {
        "channel": "How the message is sent.",
        "if": "Tests on the profile. Without it the message is for everybody.",
        "text": "What the subscriber reads: placeholders, a way to opt out, and in an SMS a signature.",
        "subject": "The subject line of the MMS.",
        "task": "What the colleague should do. Placeholders as in a text.",
    },
    "faq": {
        "ask": "The question.",
        "answer": "The answer.",
    },
    "limits": {
        "priority": "0 to 100. Of rules that fire at one moment the highest wins, then the name.",
        "only_one_of": "A group of policy.yaml: one offer of the group per subscriber within its cooldown.",
        "at_most": "Offers of this rule to one subscriber.",
        "quiet": "Quiet time of this rule, local time, beside the policy's: a span of the day, or a list.",
        "send_within": "How long an offer may wait for the end of quiet time, at most 48h. 0s: now or never.",
        "holdout": "Share of people whom this rule never sends to, to measure it by.",
    },
    "goal": {
        "converts_when": "The pattern that counts as success after an offer.",
        "within": "How long after the offer it still counts.",
    },
    "pattern": {
        "happens": "Each record of this kind that passes every line of `where` and none of `unless`.",
        "enters": "The subscriber comes into the place, or any place of the group.",
        "leaves": "The subscriber is seen outside the place, or all places of the group.",
        "stays_in": "The subscriber has been in the place for so long. Once per visit.",
        "count": "The record with which the number of such records in the window reaches the mark.",
        "total": "The record with which the sum of a field in the window reaches the mark.",
        "sequence": "The last pattern of the list, if the others came before it, in this order.",
        "after": "Absence: so long after this pattern nothing of `no` came.",
        "any_of": "Each instant of any pattern of the list.",
        "all_of": "The pattern that completes the list, in any order.",
        "where": "Tests on fields of the record. All lines must hold.",
        "unless": "Tests on fields of the record of which none may hold.",
        "for": "How long.",
        "at_least": "The mark that is reached.",
        "within": "The window, back from now. Windows inside each other sum to at most 48h.",
        "no": "What must not come.",
        "confirm": "How long the subscriber must then have stayed for the entry to count.",
        "resident": "Only who lives or works there (`yes`), or only who does not (`no`).",
    },
    "policy": {
        "window": "How far back behaviour counts, at most 48h.",
        "timezone": "Of everybody whose own is not known.",
        "quiet": "No message is sent in these spans of the day, local time. One, or a list.",
        "patience": "A record later than this fires nothing, at most 1h.",
        "presence": "How long a sighting says where somebody is.",
        "contact": "Limits per subscriber over all rules together; tasks for people are not counted.",
        "groups": "Groups of rules: one offer per subscriber from each within its cooldown.",
        "holdout": "Share of people whom no rule ever sends to: the yardstick for all together.",
        "opt_out": "Replies that stop all offers.",
        "cost": "What messages cost, for reports.",
        "learn": "Hours from which it is learned where people live and work. Not given: not learned.",
    },
    "learn": {
        "home": "The hours of a night, local time: `23:00 to 06:00`.",
        "work": "The hours of a working day, Mondays to Fridays: `10:00 to 17:00`.",
    },
    "cost": {
        "sms": "The price of each part of an SMS.",
        "mms": "The price of an MMS.",
    },
    "presence": {
        "lapse": "A sighting holds for so long: one for all, or one for each radio access.",
        "bridge": "A visit goes on over a gap of at most this.",
    },
    "contact": {
        "at_most": "Offers to one subscriber: a limit, or a list of limits that must all be kept.",
        "by_tier": "Besides, for subscribers of this tier.",
    },
    "group": {
        "cooldown": "After an offer of the group its rules offer nothing to the subscriber for so long.",
    },
    "field": {
        "type": "The type of the values. A field with a list of `values` needs none.",
        "values": "The closed list of what the field can be.",
        "say": "What the field means, for people.",
    },
    "place": {
        "name": "What subscribers read where a text says {place.name}.",
        "cells": "The cells that cover the place, or a CSV file beside the catalogue with a column cell.",
        "area": "What the place covers on the map: a GeoJSON file. Its cells come from the cells table.",
        "circle": "The same as a circle around a position.",
        "mode": "Which cells of the map count: those wholly inside, or all that mostly lie in it.",
        "without": "Cells that are not of the place, whatever the map says: a list, or a CSV file.",
        "leave_after": "A visit ends only so long after the first of several sightings outside.",
        "leave_sightings": "A visit ends only at so many sightings outside in a row.",
        "buffer": "Cells around it that neither begin nor end a visit: a list, a CSV file or a distance.",
    },
    "area": {
        "file": "A .geojson file below catalog/: WGS84, Polygon or MultiPolygon.",
        "feature": "The id or name of a feature in it. Without one: that of the place's own name.",
    },
    "circle": {
        "lat": "Latitude of the middle, degrees of WGS84.",
        "lon": "Longitude of the middle, degrees of WGS84.",
        "radius": "How far the place reaches from there: 300m, 1.5km.",
    },
    "product": {
        "name": "What subscribers read where a text says {product.name}.",
        "price": "The price, in yuan or fen.",
        "reply": "The code to reply with.",
    },
    "file": {
        "tests": "The name of the rule that is tested.",
        "starts": "Local day and time at which cases start. A case may have its own.",
        "given": "The profile of one subscriber whom the rule would take.",
        "cases": "The cases: what happens, and what must come of it.",
    },
    "case": {
        "case": "One sentence that says what happens.",
        "starts": "Local day and time at which this case starts.",
        "given": "What is different in this case's profile.",
        "arm": "In which arm of the experiment the subscriber is.",
        "events": "What happens, one event after the other.",
        "expect": "The offers that must come out, or nothing.",
        "because": "What stopped it. Needed with nothing.",
        "then": "What stopped the next match after the offers, or after holdout.",
    },
    "step": {
        "at": "When, from the start of the case.",
        "enters": "A location update at a cell of the place.",
        "sees": "The same, for somebody who is there already.",
        "leaves": "A location update at a cell of no place.",
        "happens": "A record of this kind, with the fields that stand beside it.",
        "feeds_down": "Records of these kinds no longer come from the network: nobody knows of them.",
        "for": "How long feeds are down. Without it to the end of the case.",
        "restart": "The engine goes down here and comes back from what it stored.",
        "times": "How many times it happens.",
        "every": "How far apart.",
    },
    "expected": {
        "at": "When, from the start of the case.",
        "offer": "The product.",
        "channel": "The channel it is sent by.",
        "text": "The exact text that is sent.",
    },
}
"""Section -> key -> what it says."""

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "status": {
        "draft": "being written: not run",
        "shadow": "run and counted, nothing is sent",
        "live": "run, and its offers are sent",
        "paused": "stopped for now",
    },
    "channel": {
        "sms": "a short message: needs a signature and a way to opt out",
        "mms": "a multimedia message: needs a subject and a way to opt out",
        "manual": "a task for a colleague: quiet time and the policy's limits do not hold it",
    },
    "type": {
        "text": "text, exactly as it is",
        "number": "a number: 12, -3.5",
        "money": "money: 58 yuan, 50 fen",
        "bytes": "an amount of data: 300 MB; KB, MB, GB are powers of 1,024",
        "percent": "a percentage from 0% to 100%",
        "duration": "a length of time: 30s, 1h30m, 7d",
        "yes/no": "yes or no",
        "set": "a list of texts; a test holds if any of them fits",
        "phone": "a phone number, or a list of numbers of the catalogue",
        "place": "a place, or a group of places",
    },
    "arm": {
        "treatment": "offers are sent to this subscriber",
        "control": "held out: what would have been sent is only counted",
    },
    "restart": {"engine": "the engine"},
    "mode": {
        "strict": "cells whose whole coverage lies inside: who is seen is there",
        "loose": "cells whose site stands inside, or with half of their coverage or of the place in common",
    },
    "reason": {
        "when": "the pattern never matched",
        "feed": "the feed that an absence depends on was down",
        "valid": "the rule is not live or shadow, or today is outside valid",
        "consent.marketing": "consent to marketing is not known to be given",
        "consent.profiling": "consent to profiling is not known to be given",
        "consent.location": "consent to the use of location is not known to be given",
        "suppressed": "opted out, or complained",
        "channel": "no message fits",
        "limits.at_most": "the rule has had its contacts",
        "policy.contact": "all rules together have had theirs",
        "only_one_of": "the group made an offer within its cooldown",
        "send_within": "quiet time ends too late",
        "arbitration": "another rule won this moment",
        "holdout": "held out: the control arm",
    },
}
"""Closed list -> word -> what it says."""


def key(section: str, name: str) -> str:
    """Return the line of a key; empty if there is none."""
    return KEYS[section].get(name, "")


def word(of: str, name: str) -> str:
    """Return the line of a word of a closed list; empty if there is none."""
    return WORDS[of].get(name, "")
