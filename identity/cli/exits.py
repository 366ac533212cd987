"""What the commands exit with, besides 0 and click's own."""

REJECTED = 1
"""Some rows of a file could not be used."""
DRIFTED = 1
"""What is stored is not what the evidence says."""
UNUSABLE = 2
"""The whole file could not be used, and nothing was written."""
BROKEN_OFF = 3
"""The database went away, or could not be read at all."""
DAMAGED = 4
"""The database is there, and its own files are damaged."""
