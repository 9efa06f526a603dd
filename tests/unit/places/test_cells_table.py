"""The cells table: what is read, and what is said about rows that are not right."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.language.cells_table import SHOWN, is_table, join, load_cells, read_file

HEAD = "cell,lat,lon,range_m"


def problems(text: str) -> list[str]:
    return [
        f"{p.line}:{p.col} {p.severity} {p.message} ({p.hint})" for p in read_file("cells.csv", text).problems
    ]


def test_every_column_is_read() -> None:
    text = f"{HEAD},azimuth,beam,rat,tac,site,vendor\n460-00-1-1,30.5,-120.25,350,90,65,LTE,4301,Hill,X\n"
    [cell] = read_file("cells.csv", text).cells
    assert cell == ("460-00-1-1", 30.5, -120.25, 350.0, 90.0, 65.0, "LTE", "4301", "Hill")
    assert problems(text) == []


@pytest.mark.parametrize(
    ("azimuth", "beam", "wanted"),
    [
        ("", "", (None, 360)),
        ("30", "", (30, 120)),
        ("360", "60", (0, 60)),
        ("", "60", (None, 360)),
        ("5", "360", (None, 360)),
    ],
)
def test_a_cell_is_a_sector_if_it_has_a_direction(
    azimuth: str, beam: str, wanted: tuple[float, float]
) -> None:
    [cell] = read_file("c.csv", f"{HEAD},azimuth,beam\n460-00-1-1,1,2,3,{azimuth},{beam}\n").cells
    assert (cell.azimuth, cell.beam) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffcell,lat,lon,range_m\r\n460-00-1-1,30,120,200\r\n",
        "cell;lat;lon;range_m\n460-00-1-1;30;120;200",
        "range_m\tlon\tlat\tcell\n200\t120\t30\t460-00-1-1\n\n",
        "Cell, LAT ,lon,range_m\r460-00-1-1 , 30, 120 ,200\r",
        '"cell","lat","lon","range_m","site"\n"460-00-1-1","30","120","200","Hill, ""north"""\n',
    ],
)
def test_marks_line_ends_separators_spaces_and_quotes(text: str) -> None:
    file = read_file("cells.csv", text)
    assert [cell[:4] for cell in file.cells] == [("460-00-1-1", 30.0, 120.0, 200.0)]
    assert file.problems == ()
    assert file.lines == {"460-00-1-1": 2}


def test_a_cell_without_a_position_is_known() -> None:
    file = read_file("cells.csv", f"{HEAD}\n460-00-1-1,,,\n460-00-1-2,30,120,200\n")
    assert (file.unplaced, [cell.cell for cell in file.cells]) == (("460-00-1-1",), ["460-00-1-2"])
    table, twice = join([file])
    assert "460-00-1-1" in table
    assert twice == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "460-00-1-1,91,20,200",
            ("2:12 error lat: expected a number from -90 to 90, was `91` (are `lat` and `lon` swapped?)"),
        ),
        ("460-00-1-1,30,181,200", "2:15 error lon: expected a number from -180 to 180, was `181` ()"),
        ("460-00-1-1,30,,200", "2:15 error lon: expected a number from -180 to 180, was nothing ()"),
        ("460-00-1-1,30", "2:1 error lon: expected a number from -180 to 180, was nothing ()"),
        ("460-00-1-1,nan,120,200", "2:12 error lat: expected a number from -90 to 90, was `nan` ()"),
        (
            "460-00-1-1,3_0,120,200",
            ("2:12 error lat: expected a number from -90 to 90, was `3_0` (are `lat` and `lon` swapped?)"),
        ),
        (
            '460-00-1-1,"30,5",120,200',
            ("2:1 error lat: expected a number from -90 to 90, was `30,5` (write decimals with a point)"),
        ),
        (
            "460-00-1-1,0,0.0,200",
            (
                "2:12 error lat: expected the position of the site, was `0,0.0` "
                "(leave `lat` and `lon` empty where the position is not known)"
            ),
        ),
        ("460-00-1-1,30,120,0", "2:19 error range_m: expected more than 0 m, was `0` ()"),
        ("460-00-1-1,30,120,", ("2:19 error range_m: expected a number from 0 to 200,000, was nothing ()")),
        ("460-00-1-1,30,120,inf", ("2:19 error range_m: expected a number from 0 to 200,000, was `inf` ()")),
        ("hello,30,120,200", ("2:1 error cell: expected a cell such as `460-00-4301-101`, was `hello` ()")),
        (",30,120,200", "2:1 error cell: expected a cell such as `460-00-4301-101`, was nothing ()"),
        (
            '460-00-1-1,"30,120,200',
            (
                "2:1 error here a quote is not closed, or text stands behind one "
                '(a value with quotes is written `"one ""two"" three"`)'
            ),
        ),
    ],
)
def test_a_row_that_is_not_right_is_told_with_its_place(row: str, said: str) -> None:
    assert problems(f"{HEAD}\n{row}\n") == [said]


def test_a_stray_quote_swallows_no_rows() -> None:
    rows = [
        '460-00-1-1,30,120,200,"A',
        "460-00-1-2,30,120,200,B",
        '460-00-1-3,30,120,200,"C"',
        "460-00-1-4,x,1,2,D",
    ]
    file = read_file("cells.csv", "\n".join([f"{HEAD},site", *rows, '460-00-1-5,30,120,200,C"D', '"E"F', ""]))
    assert [(cell.cell, cell.site) for cell in file.cells] == [
        ("460-00-1-2", "B"),
        ("460-00-1-3", "C"),
        ("460-00-1-5", 'C"D'),
    ]
    assert [(problem.line, problem.message[:12]) for problem in file.problems] == [
        (2, "here a quote"),
        (5, "lat: expecte"),
        (7, "here a quote"),
    ]


def test_a_quoted_name_of_a_column_holds_its_separator() -> None:
    file = read_file("cells.csv", 'cell,"site, long",lat,lon,range_m\n460-00-1-1,"Hill, north",30,120,200\n')
    assert [cell[:4] for cell in file.cells] == [("460-00-1-1", 30.0, 120.0, 200.0)]
    [said] = problems('cell,lat,lon,"range_m\n460-00-1-1,30,120,200\n')
    assert said.startswith("1:1 error here a quote is not closed")


def test_a_row_that_is_not_right_costs_only_itself() -> None:
    file = read_file(
        "cells.csv", f"{HEAD}\n460-00-1-1,30,120,200\n460-00-1-2,x,120,200\n460-00-1-3,30,120,200\n"
    )
    assert [cell.cell for cell in file.cells] == ["460-00-1-1", "460-00-1-3"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (
            "cell,latitude,lon,range_m",
            [("error this table has no column `lat` (rename the column `latitude`)")],
        ),
        (
            "cell,lat,lng,radius",
            [
                "error this table has no column `lon` (rename the column `lng`)",
                ("error this table has no column `range_m` (rename the column `radius`)"),
            ],
        ),
        (
            "cell,lat,lon,range_m,azimut",
            [("warning the column `azimut` is not read (did you mean `azimuth`?)")],
        ),
        ("cell,lat,lon,range_m,lat", ["error this table has two columns `lat` ()"]),
        ("cell,lat,lon,range_m,vendor,tilt_deg,remarks", []),
    ],
)
def test_columns_that_are_missing_or_misspelt(head: str, said: list[str]) -> None:
    assert problems(f"{head}\n460-00-1-1,30,120,200,1\n") == [f"1:1 {each}" for each in said]


def test_a_cell_that_is_given_twice() -> None:
    same = problems(f"{HEAD}\n460-00-1-1,30,120,200\n460-00-1-1,30.0,120,200\n")
    assert same == ["3:1 warning `460-00-1-1` is given twice; first at line 2 (delete one of them)"]
    other = problems(f"{HEAD}\n460-00-1-1,30,120,200\n460-00-1-1,31,120,200\n")
    assert other == [
        "3:1 error `460-00-1-1` is given twice; first at line 2 (delete the one that is not right)"
    ]


def test_a_cell_that_two_files_have() -> None:
    one = read_file("cells-4g.csv", f"{HEAD}\n460-00-1-1,30,120,200\n")
    two = read_file("cells-5g.csv", f"{HEAD}\n460-00-1-1,30,121,200\n460-00-1-2,30,120,200\n")
    table, [twice] = join([one, two])
    assert table.cells["460-00-1-1"].lon == 120
    assert len(table) == 2
    assert str(twice) == "cells-5g.csv:2:1: `460-00-1-1` is given twice; first in `cells-4g.csv` [R701]"


def test_of_many_bad_rows_some_are_told_and_the_rest_counted() -> None:
    said = problems(f"{HEAD}\n" + "460-00-1-1,x,1,1\n" * 100)
    assert len(said) == SHOWN + 1
    assert said[-1] == "1:1 error and 80 more rows that are not right ()"


def test_an_empty_table_is_told() -> None:
    assert problems(f"{HEAD}\n") == [
        "1:1 error this table has no cells (a line for each cell below the first)"
    ]


@pytest.mark.parametrize("text", ["", "\n", "\ufeff\r\n  \n"])
def test_a_file_with_nothing_in_it_is_told_as_that(text: str, tmp_path: Path) -> None:
    assert problems(text) == [
        "1:1 error this table is empty (the first line names the columns: `cell`, `lat`, `lon`, `range_m`)"
    ]
    assert is_table("cells.csv", text)
    assert not is_table("cells-mall.csv", text)  # may be a place's list: who names it is told
    (tmp_path / "cells.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"cells\.csv:1:1: .* was 'this table is empty'"):
        load_cells(tmp_path)


def test_which_files_are_tables() -> None:
    assert is_table("cells.csv", HEAD)
    assert is_table("cells-4g.csv", "\ufeffcell;latitude;longitude")
    assert not is_table("cells.csv", "cell,site\n460-00-1-1,a")  # a place's list
    assert not is_table("cells/mall.csv", HEAD)
    assert not is_table("cellar.csv", HEAD)


def test_a_table_is_read_for_treatments(tmp_path: Path) -> None:
    (tmp_path / "cells-4g.csv").write_text(f"{HEAD}\n460-00-1-1,30,120,200\n", encoding="utf-8")
    (tmp_path / "cells-5g.csv").write_text(f"{HEAD}\n460-00-1-2,31,121,200\n", encoding="utf-8")
    assert dict(load_cells(tmp_path).positions) == {"460-00-1-1": (30, 120), "460-00-1-2": (31, 121)}
    assert len(load_cells(tmp_path / "cells-5g.csv")) == 1
    (tmp_path / "cells-5g.csv").write_text(f"{HEAD}\n460-00-1-2,91,121,200\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"cells-5g\.csv:2:12: expected a row of a cells table, was"):
        load_cells(tmp_path)
    with pytest.raises(InputError, match="expected a cells table"):
        load_cells(tmp_path / "none")
    (tmp_path / "cells-5g.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        load_cells(tmp_path / "cells-5g.csv")
