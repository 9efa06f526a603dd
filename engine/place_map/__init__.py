"""Places against the cells table: what they came to, and a map of them for people. Offline, without script.

`facts` collects, `view` turns degrees into points of a picture, `drawing` draws one, `page` writes them all
as one HTML page.
"""
