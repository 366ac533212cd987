"""The loading dock: files of customers in, report out.

A file is recognised (`columns`, `files`), read row by row (`rows`), decided in batches
(`deciding`), and either written (`batching.taking`) or only imagined (`imagining`). What happened
is the same `Tally` both ways. `run` is the door.
"""
