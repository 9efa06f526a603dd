"""Every mistake an author can make: one file per check, with its code, an example and what to do.

R0xx the file · R1xx shape · R2xx names and values · R3xx the offer · R4xx the house rules · R5xx across
rules · R6xx rule tests · R7xx places on the map. Errors keep the rules from running, warnings do not. `codes`
lists them all.
"""
