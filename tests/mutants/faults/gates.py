"""Faults in section 4: the gates, their order, arbitration."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

DECISION = "engine/decision.py"
AUDIENCE = "engine/audience.py"
RULEBOOK = "engine/rulebook.py"

# The gates as they stand in `refuse` and `_limits`, to be swapped.
FEED = """\
    if candidate.feed:
        return "feed"
"""
VALID = """\
    # 1
    if rule is None or not rule.span[0] <= now < rule.span[1]:
        return "valid"
"""
SUBJECT = """\
    profile, values = sub.profile, candidate.values
"""
WHO = """\
    # 2
    for line in rule.who:
        value = values["who." + line.field] = profile.get(line.field)
        if value is None or not line.holds(value):
            return "who." + line.field
"""
EXCEPT = """\
    # 3: an unknown value refuses here too
    for line in rule.excepts:
        value = values["except." + line.field] = profile.get(line.field)
        if value is None or line.holds(value) is not False:
            return "except." + line.field
"""
CONSENT = """\
    # 4
    for purpose in rule.consents:
        consent = values["consent." + purpose] = sub.consent.get(purpose)
        if not consent:
            return "consent." + purpose
"""
SUPPRESSED = """\
    # 5
    if sub.suppressed:
        return "suppressed"
"""
CHANNEL = """\
    # 6
    candidate.message = next((m for m in rule.messages if all_hold(m.condition, profile)), None)
    if candidate.message is None:
        return "channel"
"""
AT_MOST = """\
        if ledger.of_rule(sub, rule, now - limits.at_most.window, own) >= limits.at_most.count:
            return "limits.at_most"
"""
CONTACT = """\
        # 8
        if message.channel != "manual":
            for cap in policy.contact:
                if ledger.of_policy(sub, rule, now - cap.window) >= cap.count:
                    return "policy.contact"
            tier = sub.profile.get("tier")
            by_tier = policy.contact_by_tier.get(tier) if isinstance(tier, str) else None
            if by_tier is not None and ledger.of_policy(sub, rule, now - by_tier.window) >= by_tier.count:
                return "policy.contact"
"""
GROUP = """\
        # 9
        group: str | None = limits.only_one_of
        if group is not None and ledger.of_group(sub, rule, group, now - rule.cooldown):
            return "only_one_of"
"""
WITHIN = """\
    # 10, asked once: at the instant, not at a hold's end
    if candidate.held is None and message.channel != "manual":
        end = quiet_end(now, sub.timezone or policy.timezone, rule.quiet)
        if end > candidate.at + limits.send_within:
            return "send_within"
"""
IN_ORDER = "4.2 gates; the first that refuses is the `reason`"

MUTANTS = (
    Mutant(
        "valid-before-feed",
        DECISION,
        FEED + VALID,
        VALID + FEED,
        "3 refused, reason `feed`, before gate 1",
        ("feed", "valid"),
    ),
    Mutant(
        "who-before-valid",
        DECISION,
        VALID + SUBJECT + WHO,
        '    if rule is None:\n        return "valid"\n' + SUBJECT + WHO + VALID,
        IN_ORDER,
        ("valid", "who"),
    ),
    Mutant("except-before-who", DECISION, WHO + EXCEPT, EXCEPT + WHO, IN_ORDER, ("who", "except")),
    Mutant(
        "consent-before-except",
        DECISION,
        EXCEPT + CONSENT,
        CONSENT + EXCEPT,
        IN_ORDER,
        ("except", "consent.marketing"),
    ),
    Mutant(
        "suppressed-before-consent",
        DECISION,
        CONSENT + SUPPRESSED,
        SUPPRESSED + CONSENT,
        IN_ORDER,
        ("suppressed", "consent.marketing"),
    ),
    Mutant(
        "channel-before-suppressed",
        DECISION,
        SUPPRESSED + CHANNEL,
        CHANNEL + SUPPRESSED,
        IN_ORDER,
        ("suppressed", "channel"),
    ),
    Mutant(
        "at-most-before-channel",
        DECISION,
        CHANNEL,
        "    cap = rule.rule.limits.at_most\n"
        "    own = candidate.id if candidate.held is not None else None\n"
        "    if ledger.of_rule(sub, rule, now - cap.window, own) >= cap.count:\n"
        '        return "limits.at_most"\n' + CHANNEL,
        IN_ORDER,
        ("channel", "limits.at_most"),
    ),
    Mutant(
        "contact-before-at-most",
        DECISION,
        AT_MOST + CONTACT,
        CONTACT + AT_MOST,
        IN_ORDER,
        ("limits.at_most", "policy.contact"),
    ),
    Mutant(
        "group-before-contact",
        DECISION,
        CONTACT + GROUP,
        GROUP + CONTACT,
        IN_ORDER,
        ("policy.contact", "only_one_of"),
    ),
    Mutant(
        "send-within-before-group",
        DECISION,
        GROUP,
        WITHIN.replace("\n    ", "\n        ").replace("    # 10", "        # 10", 1) + GROUP,
        IN_ORDER,
        ("only_one_of", "send_within"),
    ),
    Mutant(
        "consents-in-another-order",
        RULEBOOK,
        '("marketing", "profiling", *',
        '("profiling", "marketing", *',
        "4.2 gate 4: `marketing` and `profiling` always, `location` if the rule names a place",
        ("consent.marketing", "consent.profiling"),
    ),
    Mutant(
        "location-is-always-asked",
        RULEBOOK,
        'located = ("location",) if self.names_place else ()',
        'located = ("location",)',
        "4.2 gate 4: `location` if the rule names a place",
        ("consent.location", "happens"),
    ),
    Mutant(
        "location-of-unless-is-not-asked",
        RULEBOOK,
        "lines = pattern.where + (pattern.unless if isinstance(pattern, model.Happens) else ())",
        "lines = pattern.where",
        "7(n) names a place looks at `when` only, `unless` of its patterns included",
        ("consent.location", "happens"),
        tests="tests/unit/pipeline/test_decision.py",
    ),
    Mutant(
        "unknown-consent-is-yes",
        DECISION,
        "        if not consent:\n",
        "        if consent is False:\n",
        "4.2 gate 4: each known and yes",
        ("consent.marketing",),
    ),
    Mutant(
        "valid-to-24-00-and-beyond",
        DECISION,
        "if rule is None or not rule.span[0] <= now < rule.span[1]:",
        "if rule is None or not rule.span[0] <= now <= rule.span[1]:",
        "4.10 `valid` to 24:00 of the last date",
        ("valid",),
    ),
    Mutant(
        "valid-later-than-00-00",
        DECISION,
        "if rule is None or not rule.span[0] <= now < rule.span[1]:",
        "if rule is None or not rule.span[0] < now < rule.span[1]:",
        "4.10 `valid` from 00:00 of the first date",
        ("valid",),
    ),
    Mutant(
        "hold-is-valid-as-at-its-instant",
        DECISION,
        "if rule is None or not rule.span[0] <= now < rule.span[1]:",
        "if rule is None or not rule.span[0] <= candidate.at < rule.span[1]:",
        "4.5 at a hold's end the gates are judged again",
        ("valid", "held"),
    ),
    Mutant(
        "valid-by-utc",
        RULEBOOK,
        "valid_span(*rule.valid, policy.timezone)",
        'valid_span(*rule.valid, "UTC")',
        "4.10 dates of `valid` in the policy's timezone",
        ("valid",),
    ),
    Mutant(
        "unknown-passes-who",
        DECISION,
        '        if value is None or not line.holds(value):\n            return "who." + line.field\n    # 3',
        "        if value is not None and not line.holds(value):\n"
        '            return "who." + line.field\n    # 3',
        "4.7 in `who`, `except`, `consent` unknown refuses",
        ("who",),
    ),
    Mutant(
        "unknown-passes-except",
        DECISION,
        "if value is None or line.holds(value) is not False:",
        "if value is not None and line.holds(value) is not False:",
        "4.7 in `who`, `except`, `consent` unknown refuses",
        ("except",),
    ),
    Mutant(
        "unknown-passes-if",
        AUDIENCE,
        "return all(line.holds(profile.get(line.field)) for line in lines)",
        "return all(line.holds(profile.get(line.field)) is not False for line in lines)",
        "4.7 in `if` unknown: the message is not for them",
        ("channel",),
    ),
    Mutant(
        "last-message-that-fits",
        DECISION,
        "(m for m in rule.messages if",
        "(m for m in reversed(rule.messages) if",
        "4.2 gate 6: the message is chosen here; the first that fits",
        ("channel", "offer"),
    ),
    Mutant(
        "low-priority-first",
        DECISION,
        "return -priority, candidate.name",
        "return priority, candidate.name",
        "4.1 by priority (high first)",
        ("arbitration",),
    ),
    Mutant(
        "short-names-first",
        DECISION,
        "return -priority, candidate.name, candidate.at",
        "return -priority, str(len(candidate.name)) + candidate.name, candidate.at",
        "4.1 then rule name",
        ("arbitration",),
    ),
    Mutant(
        "earlier-instant-before-name",
        DECISION,
        "return -priority, candidate.name, candidate.at, candidate.time",
        'return -priority, f"{candidate.at:020}{candidate.name}", candidate.at, candidate.time',
        "4.1 then rule name, then earlier instant",
        ("held", "arbitration"),
    ),
    Mutant(
        "later-instant-first",
        DECISION,
        "candidate.name, candidate.at, candidate.time",
        "candidate.name, -candidate.at, candidate.time",
        "4.1 then earlier instant",
        ("held", "quiet"),
    ),
    Mutant(
        "gates-see-the-ledger-as-it-grows",
        DECISION,
        "        candidate.reason = refuse(book, sub, candidate, now)\n    taken = False\n",
        "        candidate.reason = None\n    taken = False\n",
        "4.1 gates 1 to 10 see the ledger as it was before",
        ("arbitration", "policy.contact"),
        also=(
            (
                "        # 7(p): of two holds",
                "        candidate.reason = refuse(book, sub, candidate, now)\n        # 7(p): of two holds",
            ),
            (
                '            verdicts.append((candidate, "refused"))\n',
                '            verdicts.append((candidate, "refused"))\n'
                '            _enter(sub, candidate, "refused", now, salt)\n',
            ),
            (
                "        verdicts.append((candidate, _outcome(book, salt, sub, candidate, now)))\n",
                "        verdicts.append((candidate, _outcome(book, salt, sub, candidate, now)))\n"
                "        _enter(sub, candidate, verdicts[-1][1], now, salt)\n",
            ),
            (
                "in verdicts:\n        _enter(sub, candidate, outcome, now, salt)\n",
                "in verdicts:\n",
            ),
        ),
    ),
    Mutant(
        "every-rule-that-passes-is-taken",
        DECISION,
        "if candidate.reason is None and (taken or second):",
        "if candidate.reason is None and second:",
        "4.3 every other that passes is refused `arbitration`",
        ("arbitration",),
    ),
    Mutant(
        "arbitration-before-the-gates",
        DECISION,
        "if candidate.reason is None and (taken or second):",
        "if taken or second:",
        "4.3 every other that passes is refused `arbitration`",
        ("arbitration",),
    ),
    Mutant(
        "a-rule-that-is-refused-blocks",
        DECISION,
        "        if candidate.reason is not None or rule is None:\n",
        "        taken = taken or (rule is not None and not rule.shadow)\n"
        "        if candidate.reason is not None or rule is None:\n",
        "4.3 the first rule to pass is taken",
        ("arbitration",),
    ),
    Mutant(
        "shadow-blocks",
        DECISION,
        "taken = taken or not rule.shadow",
        "taken = True",
        "4.6 shadow rules block nothing",
        ("shadow",),
    ),
    Mutant(
        "shadow-never-loses",
        DECISION,
        "if candidate.reason is None and (taken or second):",
        "if candidate.reason is None and (taken and not (rule and rule.shadow) or second):",
        "4.6 shadow rules lose `arbitration` to a taken live rule ranked before them",
        ("shadow",),
    ),
    Mutant(
        "second-hold-of-one-end-passes",
        DECISION,
        "second = candidate.held is not None and candidate.name in passed",
        "second = False",
        "7(p) a second hold of the same end is refused `arbitration`",
        ("shadow", "held"),
    ),
)
