"""Benchmarks: what an event costs, where the time goes, how large a state is. `./run bench [NAME…]`.

    day      CPU per event from JSON bytes to decisions and encoded state, on a simulated day; sizes of states
    pieces   the building blocks of such work, on the same machine in the same run, to read ratios by
    check    reading and checking 200 rules
    replay   `touchpoint replay` of a simulated hour, files included
    lanes    collector, lanes, store and offers in memory, end to end
    doors    xDR rows and JSON lines into events
    profile  where the day's time goes: by function and by stage (only when named)

Times are CPU time unless a figure says wall. Results and how to read them: docs/performance.md.
"""
