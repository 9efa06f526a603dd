"""The operator's table of handsets."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.city.traits import HANDSETS
from connectors.tac_table import TOLD, read_tac_table
from engine.csv_line import NO_QUOTES, QUOTES
from engine.errors import InputError
from engine.treatments.handset_changes import Handset
from tests.testdata import CHECKOUT, folder


def table(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "tac.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_table_that_ships_has_the_handsets_of_the_simulated_city() -> None:
    found = read_tac_table(CHECKOUT / "deploy" / "handsets" / "tac.csv")
    assert found.handsets == {h.tac: Handset(h.model, h.network) for h in HANDSETS}
    assert found.left_out == 0


def test_columns_are_found_by_name_and_odd_rows_left_out(tmp_path: Path) -> None:
    text = (
        '\ufeffOur handsets, 2026\n\nNetwork, Model ,TAC,price\nLTE,"M 5, Pro",86990321,99\n'
        "5g,X,86990431\n,Y,1234567\n"
        "6G,Z,86990433\n4G,W,8699\n2G,V,\n4G,U,86990321\n\n"
    )
    found = read_tac_table(table(tmp_path, text))
    assert found.handsets == {
        "86990321": Handset("U", "4G"),
        "86990431": Handset("X", "5G"),
        "01234567": Handset("Y"),
    }
    assert (found.left_out, found.twice) == (3, 1)
    assert [problem.partition("tac.csv:")[2] for problem in found.problems] == [
        "7: expected a network of 2G, 3G, 4G, 5G, was '6g'",
        "8: expected a TAC of 8 digits, was '8699'",
        "9: expected a TAC, was nothing",
    ]


@pytest.mark.parametrize(
    "odd", ['86990432,"Yunque 6.1,Yunque,5G', '86990432,"6.1"" Yunque,5G', '86990432,"X"Y,Z,5G']
)
def test_a_stray_quote_costs_its_own_row(tmp_path: Path, odd: str) -> None:
    text = (
        f'tac,model,brand,network\n{odd}\n86990433,6.1" Y,Y,4G\n86990434,"Y ""7""",Y,5G\n86990435,"Z",Z,3G\n'
    )
    found = read_tac_table(table(tmp_path, text))
    assert found.handsets == {
        "86990433": Handset('6.1" Y', "4G"),
        "86990434": Handset('Y "7"', "5G"),
        "86990435": Handset("Z", "3G"),
    }
    assert found.left_out == 1
    assert [problem.partition("tac.csv:")[2] for problem in found.problems] == [
        f"2: expected {QUOTES}, was {NO_QUOTES}"
    ]


def test_a_row_is_a_line(tmp_path: Path) -> None:
    found = read_tac_table(table(tmp_path, '"Ours\ntac,model\r\n86990432,"A\r\n86990433,B\r86990434,C"\n'))
    assert found.handsets == {"86990433": Handset("B"), "86990434": Handset('C"')}
    assert found.left_out == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "expected a line that names the columns, `tac` one of them, in the first 5, was 'none'"),
        (b"a,b\n" * 9 + b"tac,b\n", "expected a line that names the columns"),
        (
            b"tac,model\nx,y\n",
            "expected a row with a TAC of 8 digits, was '1 rows without'",
        ),
        (b"tac,model\n", "expected a row with a TAC of 8 digits, was '0 rows without'"),
        (b"tac,model\n\xff\xfe\n", "expected UTF-8, was 'another encoding'"),
        (
            b"tac,model\n" + b"x" * 20_000,
            "tac.csv:2: expected at most 10000 characters in a line, was 'more'",
        ),
    ],
)
def test_a_file_that_is_no_table(tmp_path: Path, text: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_tac_table(table(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a table of handsets, was 'No such file"):
        read_tac_table(tmp_path / "no.csv")


def test_only_the_first_rows_left_out_are_told_one_by_one(tmp_path: Path) -> None:
    found = read_tac_table(table(tmp_path, "tac\n86990321\n" + "x\n" * 50))
    assert (found.left_out, len(found.problems)) == (50, TOLD)


@pytest.mark.testdata("data/reference/osmocom_tacdb_2018.csv")
def test_a_public_table_with_two_head_lines() -> None:
    found = read_tac_table(folder() / "data/reference/osmocom_tacdb_2018.csv")
    assert len(found.handsets) > 24_000
    assert found.left_out < 10
    assert found.handsets["35675904"] == Handset("N1")
