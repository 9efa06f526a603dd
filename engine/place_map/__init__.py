"""Places against the cells table: what they came to, and a map of them for people. Offline, without script.

`facts` collects, `regions` says which places share a picture, `view` turns degrees into points of it,
`drawing` draws it, `page` writes them all as one HTML page.
"""
