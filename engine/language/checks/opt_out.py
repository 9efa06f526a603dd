"""R304, R308: nobody is written to without a way to stop it, and nobody stops it who wants to buy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from unicodedata import normalize

from engine.language.checks.code import Check
from engine.language.model import Policy, Product
from engine.language.report import Report
from engine.language.source import Node
from engine.language.suggest import join

CHECKS: Final = (
    Check(
        code="R304",
        meaning="a message without a way to opt out, or with a word that opts nobody out",
        bad="""
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】{product.name}每月{product.price}。"}
            """,
        good="""
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】{product.name}每月{product.price}。退订回R。"}
            """,
        advice="""
            Say how to stop such messages, with the word 退订 or 拒收: `退订回R`. The law wants it in every
            SMS and MMS that advertises. The word to answer with is one that `opt_out` of `policy.yaml` lists,
            letter by letter: with another one the subscriber stays on the list. A `manual` task needs none,
            it is read by a colleague.
            """,
    ),
    Check(
        code="R308",
        meaning="a product that is ordered with a word that opts out",
        bad="""
            # policy.yaml
            opt_out: [TD, KT10, 退订]
            # r.yaml
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】{product.name},回复{product.reply}开通。退订回TD。"}
            """,
        good="""
            # policy.yaml
            opt_out: [TD, 退订]
            # r.yaml
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】{product.name},回复{product.reply}开通。退订回TD。"}
            """,
        advice="""
            Whoever answers with the `reply` of the product would stop all offers. Give the product another
            one in `catalog/products.yaml`, or take the word out of `opt_out` of `policy.yaml`.
            """,
    ),
)

OPT_OUT = re.compile("退订|拒收")
_USUAL: Final = ("R", *Policy().opt_out)
"""The words to propose, if the policy takes them, before others of its own."""
_SENTENCE = re.compile("[。；;！!？?\n【】]|\\.(?=\\s|$)")
_VERB: Final = (
    r"(?:(?<!返)回复?|发送?|编辑|输入|(?i:\b(?:reply|send|text)\b))"
    r"(?:短信|大写|字母|数字|(?i:\s+(?:to|with)\b))*"
)
_OPENS: Final = r"[\s:：“”\"'‘’「『(（]*"
_CLOSES: Final = r"[\s“”\"'‘’」』)）(（]*"
_WORD: Final = r"[A-Za-z0-9Ａ-Ｚａ-ｚ０-９]+"
_CODE: Final = r"(?!APP\b|WAP\b)[A-Z]{1,4}"
"""A word without a verb beside it that can only be one to answer with."""
_THEN: Final = rf"{_CLOSES}(?:[到至]\s*[0-9]+)?{_CLOSES}(?:即可|就?可以?|便可|来|进行|办理)?$"
_BEFORE: Final = (
    rf"{_VERB}{_OPENS}(?P<word>%s|{_WORD}){_THEN}", rf"(?P<word>%s){_THEN}",
    rf"(?:^|[\s,，、])(?P<word>{_CODE}){_THEN}",
)  # fmt: skip
_AFTER: Final = (
    rf"{_VERB}{_OPENS}(?P<word>%s|{_WORD})", rf"^{_OPENS}(?P<word>%s)",
    rf"^{_OPENS}(?P<word>{_CODE}){_CLOSES}(?:$|[,，])",
)  # fmt: skip
"""Where the word of a `退订` is looked for, the likeliest first; `%s`: the words of the policy."""
_NEXT: Final = rf"{_CLOSES}(?:或者?|/|、|\bor\b){_OPENS}(?:回复?|发送?)?{_OPENS}(?P<word>%s|[A-Za-z]\w*)"
_PROSE = re.compile(r"回复|(?i:reply)")
_FILLED = re.compile(r"\{[^{}]*\}")


def check_opt_out(
    report: Report, node: Node, text: str, product: Product | None, policy: Policy | None
) -> None:
    """R304: a text that goes to a subscriber says how to stop such texts, with a word that does stop them.

    `policy` None: it can't be read, and any word will do.
    """
    taken = Policy().opt_out if policy is None else policy.opt_out
    usual = next((word for word in _USUAL if word in taken), taken[0] if taken else "R")
    if OPT_OUT.search(text) is None:
        report.error("R304", node, "no way to opt out in this text", f"add `退订回{usual}`")
        return
    reply = "" if product is None else product.reply
    text = _FILLED.sub("·", text.replace("{product.reply}", reply))
    wrong = None if policy is None else _wrong_word(text, taken)
    if wrong is None:
        return
    known = join(taken, "and")
    said = f"who answers `{wrong}` is not opted out: policy.yaml takes {known}"
    if not wrong:
        said = f"this text names no word to opt out with: policy.yaml takes {known}"
    report.error("R304", node, said, f"write `退订回{usual}`")


def check_reply(report: Report, node: Node, product: Product, policy: Policy) -> None:
    """R308: who orders the product is not opted out. Subscribers write capital letters as they like."""
    if _folded(product.reply) in map(_folded, policy.opt_out):
        said = f"`{product.reply}`, the reply to order `{product.key}`, is a word of policy.yaml to opt out"
        report.error("R308", node, said, "give the product another `reply` in catalog/products.yaml")


def _wrong_word(text: str, taken: tuple[str, ...]) -> str | None:
    """Return the word that a text asks for though it opts nobody out, empty if it asks for none.

    None: a word that does is asked for, or another way is told, such as a number to call.
    """
    found = [
        word
        for sentence in _SENTENCE.split(text)
        for marker in OPT_OUT.finditer(sentence)
        if (word := _word_of(sentence, marker, taken)) is not None
    ]
    if any(word in taken for word in found):
        return None
    return next(iter(found), None)


def _word_of(sentence: str, marker: re.Match[str], taken: tuple[str, ...]) -> str | None:
    """Return the word to answer with that one `退订` tells, empty for one that can't be made out; None: none.

    It stands behind it, or right before it. Of two that may be meant it is the one that the policy takes.
    """
    words = "|".join(re.escape(word) for word in sorted(taken, key=len, reverse=True))
    words = rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])"
    before, behind = sentence[: marker.start()], sentence[marker.end() :]
    told: str | None = None
    for patterns, part in ((_BEFORE, before), (_AFTER, behind)):
        tried = (re.search(pattern.replace("%s", words), part) for pattern in patterns)
        found = next((match for match in tried if match is not None), None)
        if found is None:
            continue
        wrong = next((word for word in _named(found, part, words) if word not in taken), None)
        if wrong is None:
            return found["word"]
        told = wrong
    if told is not None:
        return told
    if re.search(rf"{_VERB}{_OPENS}$", before) is not None:  # `回复退订`: the word itself is the answer
        return marker[0]
    if _PROSE.search(behind) is not None:
        return ""
    alone = re.search(r"\w", before + behind) is None
    return marker[0] if alone and marker[0] in taken else "" if alone else None


def _named(found: re.Match[str], part: str, words: str) -> Iterator[str]:
    """Yield the word that was found, and those that are as good: `TD或QX`."""
    yield found["word"]
    at = found.end("word")
    more = re.compile(_NEXT.replace("%s", words))
    while (following := more.match(part, at)) is not None:
        yield following["word"]
        at = following.end()


def _folded(word: str) -> str:
    return normalize("NFKC", word).strip().casefold()
