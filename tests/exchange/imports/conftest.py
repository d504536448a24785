"""What the tests of imports share: the real file of a town, which is outside the repository."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


def town_path() -> Path:
    """Where the 211 buildings of Montpellier are, byte for byte as the city publishes them."""
    shared = Path(os.environ.get("MARRONNIER_SHARED", REPOSITORY.parent / "shared"))
    path = shared / "data" / "montpellier-erp-2014.csv"
    if not path.is_file():
        pytest.fail(f"The town's real file is missing: {path}. Set MARRONNIER_SHARED to the folder that holds data/.")
    return path


@pytest.fixture(scope="session")
def town_file() -> bytes:
    """That file's content."""
    return town_path().read_bytes()
