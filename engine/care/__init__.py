"""For customer care and operators: what happened to one subscriber, and which refused records can be saved.

why.py       a decision's reason in words
lines.py     decision lines and receipts of one subscriber, as one story
standing.py  what is known of the subscriber now
letters.py   dead letters: which are meant, and which of them can be requeued
"""
