"""All codes of problems, with what each means: for the pages, `--json` and SARIF."""

from __future__ import annotations

from typing import Final

from engine.language.checks import (
    across,
    approval,
    caps,
    channels,
    choices,
    comparisons,
    cut_text,
    duplicates,
    encoding,
    events,
    extras,
    fields,
    file_name,
    file_set,
    forms,
    groups,
    missing_key,
    no_rule,
    numbers,
    opt_out,
    placeholders,
    places,
    products,
    quiet,
    reachable,
    reasons,
    schedule_quiet,
    signature,
    size,
    small_words,
    sms_length,
    unknown_key,
    unreachable_count,
    values,
    verbs,
    windows,
    yaml_form,
)
from engine.language.checks.code import Check

GROUPS: Final = (
    yaml_form,
    duplicates,
    extras,
    size,
    file_set,
    encoding,
    unknown_key,
    missing_key,
    verbs,
    channels,
    choices,
    small_words,
    forms,
    file_name,
    approval,
    events,
    places,
    windows,
    fields,
    numbers,
    values,
    comparisons,
    unreachable_count,
    cut_text,
    products,
    placeholders,
    sms_length,
    opt_out,
    signature,
    reachable,
    groups,
    caps,
    quiet,
    schedule_quiet,
    across,
    reasons,
    no_rule,
)
"""The modules with checks."""

ALL: Final[dict[str, Check]] = {
    check.code: check
    for check in sorted((each for group in GROUPS for each in group.CHECKS), key=lambda check: check.code)
}
"""Code -> its check, in order."""
