"""Made-up rows of delimited layouts, as probes write them: for the benchmarks of the doors."""

from __future__ import annotations

from collections.abc import Iterator

GN = (
    "{who:05X},{lac},{ci},3GNET,354383,220.206.165.184,220.206.184.200,2015-08-09 "
    "{h:02}:{m:02}:{s:02}.253665,2015-08-09 {h:02}:{m:02}:{s:02}.693528,0,{up},{down},{rat},"
    "172.25.{a}.{b},{port},163.177.89.181,80,200,"
    "http://a{a}.example.com:8080/x/y?z,Agent/1.0 (Linux; U),text/html\n"
)
S1_MME = (
    "352|0571|5|{xdr:016x}|6|46000{who:010}|86{tac:06}{who:08}|86139{who:08}|{kind}|{start}|{end}|0|FF|0|FF|{off}"
    "|FF|FF|{s1ap}|FFFF|FF|FFFFFFFF|0460|1A|{s1ap:08x}|1|10.{a}.{b}.7|1|100.64.{a}.1|100.65.{b}.2|36412|36412"
    "|{area:04x}|{eci:07x}|{area:04x}|{other:07x}|cmnet|1|5|1|9|0|FF|FF|{s1ap:08x}|{s1ap:08x}\n"
)
_KINDS = ("2", "5", "2", "14", "2", "2", "5", "1", "2", "6")
"""Procedures as a busy hour has them, without those that are skipped: they cost less."""
_START = 1_788_740_000_000
"""A morning in September 2026, ms."""


def gn_rows(count: int) -> Iterator[str]:
    """Yield rows as the real Gn files have them: 21 columns, two times, a URL."""
    for n in range(count):
        yield GN.format(
            who=n % 9973,
            lac=40_000 + n % 97,
            ci=n % 60_000,
            h=n // 3600 % 24,
            m=n // 60 % 60,
            s=n % 60,
            up=n % 5_000,
            down=n % 80_000,
            rat=1 + n % 2,
            a=n % 250,
            b=n // 250 % 250,
            port=1024 + n % 50_000,
        )


def s1_mme_rows(count: int, subscribers: int = 9_973, cells: int = 4_999) -> Iterator[str]:
    """Yield rows of the layout `s1-mme`: 46 columns, hexadecimal cells, times in ms, all of them taken."""
    for n in range(count):
        kind = _KINDS[n % len(_KINDS)]
        start = _START + n * 3
        yield S1_MME.format(
            xdr=n,
            who=n * 7 % subscribers,
            tac=n * 7 % subscribers % 400,
            kind=kind,
            start=start,
            end=start + n % 700,
            off="1" if kind == "6" else "FF",
            s1ap=n % 65_536,
            a=n % 250,
            b=n // 250 % 250,
            area=4_000 + n % 97,
            eci=0xA1B000 + n * 13 % cells,
            other=0xA1B000 + n * 17 % cells,
        )
