"""The feeds file: any number of feeds, each with its door, map, time and treatments (docs/doors/feeds.md).

model.py    what a feeds file says, checked
read.py     YAML -> that, every mistake with its place
tables.py   tables that treatments need, by name
look.py     what can't work, found by looking outside: folders, maps, ports
build.py    a feed -> a live source of the collector
again.py    records of dead letters, read once more the way they came
"""
