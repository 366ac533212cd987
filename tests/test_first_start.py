"""Several first starts at once, as two machines or two containers make them."""

from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase, migrate
from tests.processes import FORKING

STARTS, ROUNDS = 3, 2


def _migrate_each(urls: list[str], barrier: Barrier) -> None:
    for url in urls:
        barrier.wait()
        migrate(url)


@pytest.mark.slow
def test_one_migrates_and_the_others_wait(
    backend: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    files = [f"sqlite:///{tmp_path}/{number}.sqlite3" for number in range(ROUNDS)]
    urls = files if backend == "sqlite" else [make_database() for _ in range(ROUNDS)]

    with FORKING.Manager() as manager, FORKING.Pool(STARTS) as pool:
        barrier = manager.Barrier(STARTS)
        starts = [pool.apply_async(_migrate_each, (urls, barrier)) for _ in range(STARTS)]

        # Each says what it died of.
        for start in starts:
            start.get(timeout=60)
