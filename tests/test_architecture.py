"""Promises about the codebase itself."""

import ast
import re
from pathlib import Path

import pytest

import identity
from identity import errors
from identity.web.errors import STATUS

PACKAGE = Path(identity.__file__).parent
MODULES = {
    ".".join(("identity", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in PACKAGE.rglob("*.py")
}
FLOORS = [
    {"errors", "config", "faults", "once", "remembering"},
    {"identifiers", "database"},
    {"models", "prepared", "bulk"},
    {"events", "clusters"},
    {"writing", "verification", "evidence", "browsing", "exporting", "access"},
    {"reconciliation"},
    {"seeding", "importing"},
    {"web", "cli"},
]
"""From the ground up. A module may import from the floors below and from its own."""
MAY_KNOW_FLASK = {"identity", "identity.database"}


def floor_of(module: str) -> int:
    if module == "identity":
        return len(FLOORS)
    room = module.split(".")[1]
    (floor,) = [number for number, rooms in enumerate(FLOORS) if room in rooms]
    return floor


def imports(path: Path) -> set[str]:
    """Every module a file imports, names imported from `identity` itself included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_downward(module: str) -> None:
    for imported in imports(MODULES[module]) & set(MODULES):
        if imported != "identity":
            assert floor_of(imported) <= floor_of(module), f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_the_web_the_commands_and_the_engines_know_flask(module: str) -> None:
    if module in MAY_KNOW_FLASK or module.startswith(("identity.web", "identity.cli")):
        return
    assert not [name for name in imports(MODULES[module]) if name.startswith("flask")]


def lines_with(pattern: str) -> list[str]:
    return [
        f"{module}: {line.strip()}"
        for module, path in MODULES.items()
        for line in path.read_text().splitlines()
        if re.search(pattern, line)
    ]


def test_there_is_one_commit() -> None:
    assert lines_with(r"\.commit\(\)") == ["identity.database: begun.commit()"]


def test_the_environment_is_read_in_one_place() -> None:
    readers = lines_with(r"os\.environ\b[^`]|getenv")
    assert [line.split(":")[0] for line in readers] == ["identity.config"]


def test_every_domain_error_has_a_status_code() -> None:
    domain = {
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.IdentityError)
    }
    assert set(STATUS) == domain - {errors.IdentityError}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_are_short_enough_to_read(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text())
    assert ast.get_docstring(tree), f"{module} does not say what belongs in it"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 45, f"{module}.{node.name} is too long"
