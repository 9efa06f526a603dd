"""Doors that others push into: webhooks of CAMARA and 3GPP senders, lines over TCP.

Read in this order:

    door.py         the source: a bounded queue between a server and the collector's steps
    remembered.py   what came before, so that what is sent again is applied once
    options.py      what can be set
    secrets.py      tokens and signatures: who may push
    listening.py    sockets and certificates
    http_server.py  HTTP/1.1 and HTTP/2, by hypercorn
    http_door.py    one request: limits, sign-in, body, answer
    notices.py      what the takers of notifications share
    cloud_events.py CloudEvents out of a request: structured, batch, binary
    camara.py       CAMARA's events -> records
    three_gpp.py    3GPP's identities and locations -> fields of records
    amf.py          Namf_EventExposure -> records
    nef.py          MonitoringEvent -> records
    nef_cells.py    cells as exposure functions write them
    tcp_server.py   connections with lines
    tcp_lines.py    lines -> records
    doors.py        what a feeds file can ask for: options in, source out
"""
