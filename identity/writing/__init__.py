"""The pen: how a decision is written down. Nothing here reads about customers or decides.

Nearly every decision is a new contact (`contacts`), which PostgreSQL takes as one statement,
because there every statement is a journey. Whatever else was decided goes the other way
(`decisions`). What a rebuilding found to be otherwise than it stands is put right (`corrections`).
"""

from identity.writing.corrections import Corrections, Row, correct
from identity.writing.decisions import write
from identity.writing.loads import Teller, Written, draw, tell

__all__ = ["Corrections", "Row", "Teller", "Written", "correct", "draw", "tell", "write"]
