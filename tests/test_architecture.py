"""Promises about the codebase itself."""

import ast
import io
import re
import tokenize
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

import identity
from identity import ROOT, errors
from identity.web.errors import STATUS

PACKAGE = Path(identity.__file__).parent
MODULES = {
    ".".join(("identity", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in PACKAGE.rglob("*.py")
}
FOLDERS = {module.rpartition(".")[0] for module in MODULES if "." in module}
FLOORS = {
    "identity": [
        {
            "errors",
            "config",
            "database_url",
            "counting",
            "drafts",
            "faults",
            "once",
            "passwords",
            "private",
            "remembering",
            "spans",
        }
        | {"roles"},
        {"identifiers", "formulas", "database", "probing"},
        {"models", "prepared", "bulk", "keyed", "moments", "fillers", "group_commit"},
        {"deciding", "clusters", "ledger", "events", "auditing", "forgetting"},
        {"comparing"},
        {"feed"},
        {"evidence", "writing", "browsing", "activity", "access", "transcribing", "crowds"},
        {"rebuilding", "naming"},
        {"reconciliation", "explaining", "portraying"},
        {"batching"},
        {"searching"},
        {"importing"},
        {"rulings"},
        {"caution"},
        {"verification", "seeding", "exporting", "copying"}
        | {"keeping", "recording", "reviewing", "duplicates"},
        {"webhooks"},
        {"disclosing", "retaining", "erasing"},
        {"duties"},
        {"rounds"},
        {"web", "cli"},
    ],
    "identity.database": [
        {"patience", "tables"},
        {"schemas", "sqlite", "waiting"},
        {"postgresql"},
        {"engines", "migrating"},
        {"connections"},
        {"trying"},
        {"readiness"},
    ],
    "identity.feed": [
        {"changes"},
        {"becoming", "publishing"},
        {"reading"},
    ],
    "identity.access": [
        {"names"},
        {"guarding"},
        {"keys"},
        {"sessions"},
        {"users"},
    ],
    "identity.deciding": [
        {"given"},
        {"customers", "decided"},
        {"lonely", "outline"},
        {"decisions", "newcomers"},
    ],
    "identity.forgetting": [
        {"keys", "texts"},
        {"memory"},
        {"hashes", "shutting"},
        {"lifting"},
        {"filing"},
    ],
    "identity.writing": [
        {"loads"},
        {"contacts", "corrections", "founding"},
        {"customers", "staging"},
        {"decisions"},
    ],
    "identity.batching": [
        {"questions", "sifting"},
        {"looking"},
        {"recalling", "answering"},
        {"taking"},
        {"telling"},
    ],
    "identity.importing": [
        {"cells", "formats", "figures", "signs"},
        {"register"},
        {"written", "side_by_side"},
        {"addresses", "calendars", "columns", "countries", "numbers"},
        {"dates", "endings", "opening", "rejects"},
        {"aligning", "inspecting", "surveying"},
        {"noting"},
        {"files", "rows", "forgetful", "imagining", "beforehand", "pacing", "uploads"},
        {"reading", "tally", "working"},
        {"meeting"},
        {"run"},
    ],
    "identity.importing.opening": [
        {"kinds", "spool", "sheets", "wording"},
        {"encodings", "room", "steady"},
        {"archives", "texts"},
        {"workbooks", "tables"},
    ],
    "identity.searching": [
        {"numbers"},
        {"words"},
        {"typed", "places"},
        {"scanning", "members"},
        {"finding"},
    ],
    "identity.rulings": [
        {"kinds", "plans", "orders"},
        {"register"},
        {"effects", "listing"},
        {"applying"},
    ],
    "identity.caution": [
        {"names", "suspects"},
        {"strangers", "choosing"},
        {"onrecord"},
        {"examining"},
        {"planning"},
        {"running", "calls", "showing"},
    ],
    "identity.reviewing": [
        {"findings", "settling", "customers", "bridges"},
        {"values", "joints", "country_codes", "merges", "held"},
        {"growth"},
        {"checking"},
        {"steps"},
        {"sweeping"},
    ],
    "identity.disclosing": [
        {"meeting"},
        {"audience", "origins"},
    ],
    "identity.retaining": [
        {"accounts", "pace"},
        {"messages"},
        {"files", "history"},
    ],
    "identity.duplicates": [
        {"amounts", "till", "records"},
        {"orders", "figures", "kept", "ranking"},
        {"words", "making"},
        {"spending"},
    ],
    "identity.erasing": [
        {"mentions", "register", "clearing", "reach", "evidence"},
        {"scrubbing", "files", "naming"},
        {"plans", "sighting"},
        {"applying"},
        {"again"},
    ],
    "identity.copying": [
        {"beginnings", "lines"},
        {"loading", "making", "reading", "leaving_out"},
        {"restoring"},
    ],
    "identity.webhooks": [
        {"signing", "addresses", "schedule", "turns"},
        {"lines", "standing"},
        {"register", "sending", "making"},
        {"claiming", "listing"},
        {"results"},
        {"attempting"},
        {"delivering"},
    ],
    "identity.cli": [
        {"exits", "progress", "typed", "describing"},
        {"figures", "leftovers", "reporting", "tolerance"},
        {
            "audit",
            "printing",
            "copies",
            "exports",
            "keys",
            "report",
            "disclosures",
            "retain",
            "review",
            "rulings",
            "seed",
            "users",
            "verify",
            "webhooks",
            "why",
        },
        {"accounts", "delivering", "erasures", "holding"},
        {"bringing", "endings"},
        {"files"},
        {"commands"},
    ],
    "identity.web": [
        {"paths", "query"},
        {"marks", "metrics", "log", "counters"},
        {"limits"},
        {"current"},
        {"callers", "sessions", "reporting", "bodies", "old_forms"},
        {"charging", "observing", "errors", "watching", "errands", "waiting"},
        {"auth", "domain"},
        {"security"},
        {"api", "operating"},
        {"pages"},
        {"answering", "serving", "sweeping"},
    ],
    "identity.web.serving": [
        {"asking", "belonging", "beside", "folders"},
        {"passing"},
        {"workers"},
    ],
    "identity.web.api": [
        {"schemas", "presenters"},
        {"change_schemas", "ruling_schemas", "reading", "answers", "access_schemas", "records"}
        | {"ordering"},
        {"erasing_schemas"},
        {"openapi"},
        {"batches", "calls", "disclosures", "erasures", "following", "rulings", "why"},
    ],
    "identity.web.pages": [
        {"forms", "facts", "ruled_customers", "sealed", "wording"},
        {"finding_titles", "picture", "previews", "ruling_words", "telling"},
        {"adding", "choosing", "import_choices", "import_readings"},
        {"finding_words", "import_results", "import_work"},
        {"signing"},
        {
            "account",
            "users",
            "webhooks",
            "activity",
            "applying",
            "audit",
            "customer",
            "customers",
            "disclosing",
            "docs",
            "downloads",
            "erasing",
            "home",
        }
        | {
            "import_pages",
            "import_plan",
            "import_reading",
            "record",
            "report",
            "review",
            "ruling_pages",
            "searching",
        },
    ],
    "identity.portraying": [
        {"graphs", "history", "membership", "sizing"},
        {"holding", "surroundings"},
        {"portraits"},
    ],
}
"""Of each folder, from the ground up. A module may import from the floors below and its own."""
LONGEST, MEDIAN = 150, 70
"""Lines of code in a module, without blanks, comments and docstrings."""
LONGER = {
    "identity.clusters": "whatever identify asks is one statement, and it is built here",
    "identity.config": "the settings, each of them and how it is read",
    "identity.deciding.customers": "the one function, whole",
    "identity.evidence": "each question about claims and rulings, side by side",
    "identity.explaining": "the graph, the ways through it and its bridges are about one thing",
    "identity.identifiers": "all forgiveness in the system, and nothing re-checks it",
    "identity.importing.run": "a rehearsal and an import go the same way, and have to",
    "identity.models": "the tables",
    "identity.rebuilding": "reading, following and correcting have to agree on what a part is",
    "identity.reconciliation": "the path of a call, with each way in which it can end",
    "identity.rulings.applying": "at once or in parts, there and back: the same steps four times",
    "identity.rulings.effects": "each kind of ruling, done and undone",
    "identity.rulings.kinds": "each kind of ruling, as it is spelt, checked and kept",
    "identity.verification": "each kind of contradiction, and its sentence",
    "identity.writing.contacts": "a new contact is one statement, and what it is made of",
    "identity.writing.decisions": "what may come of a batch, table by table",
    "identity.cli.rulings": "each ruling is a command",
    "identity.web.pages.telling": "each kind of event, and its sentence",
}
"""Modules that may be longer, and why."""
MAY_KNOW_FLASK = {
    "identity",
    *(f"identity.database.{room}" for room in ("tables", "engines", "trying")),
}


def rooms_of(folder: str) -> set[str]:
    """The names of what stands in a folder, folders in it included."""
    inside = [module for module in MODULES if module.startswith(f"{folder}.")]
    return {module.removeprefix(f"{folder}.").partition(".")[0] for module in inside}


def floors_between(module: str, imported: str) -> tuple[int, int]:
    """The floors of both in the folder that they share: that of the module, and of the other."""
    one, other = module.split("."), imported.split(".")
    shared = 0
    while one[shared] == other[shared]:
        shared += 1
    floors = FLOORS[".".join(one[:shared])]
    (mine,) = [number for number, rooms in enumerate(floors) if one[shared] in rooms]
    (theirs,) = [number for number, rooms in enumerate(floors) if other[shared] in rooms]
    return mine, theirs


def is_inside(module: str, folder: str) -> bool:
    return f"{module}.".startswith(f"{folder}.")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module a file imports, names imported from `identity` itself included."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def needed(module: str) -> set[str]:
    """Every module of ours that a module imports, but for the folders that it stands in."""
    found = imports(MODULES[module]) & set(MODULES)
    return {each for each in found if not is_inside(module, each)}


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_every_room_stands_on_one_floor(folder: str) -> None:
    listed = [room for rooms in FLOORS.get(folder, []) for room in rooms]

    assert sorted(listed) == sorted(rooms_of(folder))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_downward(module: str) -> None:
    for imported in needed(module):
        # A folder itself stands above all that is in it.
        if not is_inside(imported, module):
            mine, theirs = floors_between(module, imported)
            assert theirs <= mine, f"{module} imports {imported}"


def test_no_two_rooms_need_each_other() -> None:
    # Two on one floor could, and neither would be understood without the other.
    TopologicalSorter({module: needed(module) for module in MODULES}).prepare()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_the_web_the_commands_and_the_engines_know_flask(module: str) -> None:
    if module in MAY_KNOW_FLASK or module.startswith(("identity.web", "identity.cli")):
        return
    assert not [name for name in imports(MODULES[module]) if name.startswith("flask")]


MAY_DECIDE_WITH = {"array", "collections", "dataclasses", "datetime", "networkx", "numpy", "typing"}
DECIDING = sorted(module for module in MODULES if is_inside(module, "identity.deciding"))


@pytest.mark.parametrize("module", DECIDING)
def test_what_decides_neither_reads_nor_writes(module: str) -> None:
    ours = {name for name in needed(module) if not is_inside(name, "identity.deciding")}
    others = {name.partition(".")[0] for name in imports(MODULES[module])}

    assert ours <= {"identity.identifiers", "identity.models"}
    assert others <= {"identity"} | MAY_DECIDE_WITH


TESTS = sorted(Path(__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_what_tests_share_has_a_place_of_its_own(path: Path) -> None:
    # Else one test cannot be changed without knowing which others stand on it.
    assert not [name for name in imports(path) if name.startswith("tests.test_")]


def test_nothing_but_what_it_says_of_itself_tells_the_kind_of_an_identifier() -> None:
    asking = lines_with(r"""["']@["'] (not )?in """)

    # Where what somebody typed becomes an identifier, there is nothing else to go by.
    assert {line.partition(":")[0] for line in asking} <= {"identity.identifiers"}


def lines_with(pattern: str) -> list[str]:
    return [
        f"{module}: {line.strip()}"
        for module, path in MODULES.items()
        for line in path.read_text().splitlines()
        if re.search(pattern, line)
    ]


def test_nothing_but_the_loader_on_spark_needs_spark() -> None:
    ours = [path for folder in ("identity", "loaders") for path in (ROOT / folder).rglob("*.py")]
    needing = {str(path.parent.relative_to(ROOT)) for path in ours if needs_spark(path)}

    assert needing == {"loaders/spark"}


def needs_spark(path: Path) -> bool:
    return any(name.startswith("pyspark") for name in imports(path))


def test_there_is_one_commit() -> None:
    assert lines_with(r"\.commit\(\)") == ["identity.database.connections: begun.commit()"]


def test_the_environment_is_read_in_one_place() -> None:
    readers = lines_with(r"os\.environ\b[^`]|getenv")
    assert [line.split(":")[0] for line in readers] == ["identity.config"]


def test_what_runs_for_every_request_knows_no_view_by_name() -> None:
    asked = lines_with(r"request\.endpoint.* (==|!=|in) |view_functions\[")

    assert [line for line in asked if '"static"' not in line] == []


def test_every_domain_error_has_a_status_code() -> None:
    domain = {
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.IdentityError)
    }
    assert set(STATUS) == domain - {errors.IdentityError}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_functions_are_short_and_modules_say_what_belongs_in_them(module: str) -> None:
    tree = tree_of(MODULES[module])
    assert ast.get_docstring(tree), f"{module} does not say what belongs in it"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 45, f"{module}.{node.name} is too long"


@cache
def lines_of_code(source: str) -> int:
    """How many lines are neither blank nor comment nor docstring."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in layout | {tokenize.ENDMARKER}:
            code |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        # A string that nobody uses documents what stands beside it.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            code -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(code)


def test_lines_of_code_are_counted_without_what_explains_them() -> None:
    source = '"""Room."""\n\n# Why.\nx = """a\nb"""\n"""What x is."""\n\ndef f():\n    return x\n'

    assert lines_of_code(source) == 4


def test_modules_are_short_enough_to_read() -> None:
    lengths = {module: lines_of_code(path.read_text()) for module, path in MODULES.items()}

    assert {module for module, length in lengths.items() if length > LONGEST} == set(LONGER)


def test_most_modules_are_shorter_than_that() -> None:
    assert median(lines_of_code(path.read_text()) for path in MODULES.values()) <= MEDIAN
