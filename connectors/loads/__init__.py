"""Doors of `touchpoint load` that go by a map: delimited files, Parquet, PostgreSQL.

load_map.py   a map: which column is what, checked with its place in the file
values.py     a cell of a column -> the value that a field takes
mapped.py     a row of cells -> the records that it becomes
rows.py       what all these doors give, and files of lines that can be gone on with
delimited.py  CSV and its relatives
parquet.py    Parquet, row group by row group (extra `parquet`)
postgres.py   PostgreSQL, through a cursor of the server (extra `postgres`)
"""
