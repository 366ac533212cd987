"""What duplicates cost: how many records are how many people, and what that changes.

`records` counts what is on record, `spending` adds up the orders of files, `kept` keeps what came
of both. Which words mean what is in `words`, and is printed on the report. Nothing here decides
who belongs together, and no order is stored.
"""
