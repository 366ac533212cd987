"""Processes of their own, begun from one that has imported the application already.

Begun from nothing each would take a second of the processor to import what all of them do, and
the races have a hundred.
"""

import multiprocessing

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.conftest"])
