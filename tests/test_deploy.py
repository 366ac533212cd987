"""Where the service is run: each recipe is checked, and what it says is done."""

import base64
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import urllib3
import yaml
from jsonschema_rs import iter_errors

from identity import ROOT
from identity.verification import verify
from tests.callers import KEY, PASSWORD
from tests.clean import copied
from tests.conftest import app_on, close
from tests.pooling import CONNECTIONS, pooled
from tests.postgres import Postgres, running
from tests.serving import free_port, serving, started

pytestmark = pytest.mark.deploy

RECIPES = ROOT / "tests" / "deploy"
MARTY = {"email": "mcfly@hillvalley.edu", "phoneNumber": "123456"}
BLUEPRINT = yaml.safe_load((ROOT / "render.yaml").read_text())
HTTP = urllib3.PoolManager(retries=False, timeout=30)


def lint(*command: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_recipes_are_well_formed() -> None:
    lint("hadolint", "Dockerfile")
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    lint("cfn-lint", "deploy/aws/template.yaml")


def test_the_blueprint_is_what_render_understands() -> None:
    schema = json.loads((RECIPES / "render_blueprint.json").read_text())

    assert [error.message for error in iter_errors(schema, BLUEPRINT)] == []


def path_of(environment: Path) -> str:
    return f"{environment}/bin:/usr/local/bin:/usr/bin:/bin"


def generated(variable: dict[str, Any], database_url: str) -> str:
    if "fromDatabase" in variable:
        return database_url.replace("postgresql://", "postgres://")
    return str(variable.get("value") or base64.b64encode(secrets.token_bytes(32)).decode())


def asked(url: str, path: str, key: str | None = None, body: object = None) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    method = "GET" if body is None else "POST"
    return HTTP.request(method, url + path, json=body, headers=headers, redirect=False)


def test_render_builds_starts_and_guards_the_service(tmp_path: Path, empty_database: str) -> None:
    (service,) = BLUEPRINT["services"]
    folder, environment = copied(tmp_path / "src"), tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    port = free_port()
    given = {each["key"]: generated(each, empty_database) for each in service["envVars"]}
    given |= {"PATH": path_of(environment), "PORT": str(port), "RENDER": "true"}
    built = subprocess.run(["sh", "-c", service["buildCommand"]], cwd=folder, env=given)
    assert built.returncode == 0

    command, log = ["sh", "-c", service["startCommand"]], tmp_path / "log"
    with started(command, folder, log, port, given) as server:
        ready = asked(server.url, service["healthCheckPath"])
        stranger = asked(server.url, "/identify", body=MARTY)
        page = asked(server.url, "/clusters")
        known = asked(server.url, "/identify", given["IDENTITY_API_KEY"], MARTY)

    assert "hillvalley" not in log.read_text()
    assert ready.status == 200
    assert stranger.status == 401
    assert page.status == 303
    assert known.json()["contact"]["emails"] == ["mcfly@hillvalley.edu"]


def steps(dockerfile: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile in order, continued lines joined."""
    lines = re.sub(r"\\\n\s*", "", dockerfile).splitlines()
    return [
        (word, rest)
        for word, _, rest in (line.partition(" ") for line in lines if line)
        if word.isupper()
    ]


def test_each_step_of_the_container_works_in_an_empty_folder(
    tmp_path: Path, empty_database: str
) -> None:
    source, root, app = copied(tmp_path / "src"), tmp_path / "root", tmp_path / "root" / "app"
    app.mkdir(parents=True)
    given = {"PATH": f"{Path(sys.base_prefix)}/bin:/usr/bin:/bin"}
    probe: list[str] = []
    command: list[str] = []

    def inside(text: str) -> str:
        return re.sub(r"(?<![\w.:/])/(?=venv|app|requirements)", f"{root}/", text)

    for word, rest in steps((ROOT / "Dockerfile").read_text()):
        if word == "RUN":
            subprocess.run(["sh", "-c", inside(rest)], cwd=app, env=given, check=True)
        elif word == "COPY" and not rest.startswith("--from"):
            *names, target = rest.split()
            for name in names:
                to = root if target == "/" else app / target
                to = to / name if target.endswith("/") else to
                copy = shutil.copytree if (source / name).is_dir() else shutil.copy
                copy(source / name, to)
        elif word == "ENV":
            pairs = (pair.split("=", 1) for pair in shlex.split(inside(rest)))
            given |= {key: value.replace("$PATH", given["PATH"]) for key, value in pairs}
        elif word == "HEALTHCHECK":
            probe = json.loads(rest[rest.index("[") :])
        elif word == "CMD":
            command = json.loads(rest)

    before = written(root)
    port = free_port()
    given |= {"DATABASE_URL": empty_database, "PORT": str(port), "IDENTITY_API_KEY": KEY}
    log = tmp_path / "log"
    with started(command, app, log, port, given) as server:
        healthy = subprocess.run(probe, env=given)
        known = asked(server.url, "/identify", KEY, MARTY)

    assert "hillvalley" not in log.read_text()
    assert healthy.returncode == 0
    assert known.status == 200
    assert written(root) - before == {app / "instance" / "secret_key"}


def written(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def pooled_database(postgres_server: Postgres, migrated_database: str) -> Iterator[str]:
    with pooled(postgres_server, migrated_database.rsplit("/", 1)[1]) as url:
        yield url


def test_many_callers_share_few_connections(
    pooled_database: str, migrated_database: str, tmp_path: Path
) -> None:
    with (
        serving(
            pooled_database, tmp_path, DATABASE_POOLER=1, WEB_CONCURRENCY=2, WEB_THREADS=8
        ) as server,
        ThreadPoolExecutor(16) as callers,
    ):
        calls = [(f"{n % 40}@hillvalley.edu", str(1000 + n % 7 * n % 50)) for n in range(600)]
        answers = list(callers.map(lambda call: server.identify(*call)[0], calls))
        with psycopg.connect(migrated_database) as connection:
            used = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).fetchone()

    assert set(answers) == {200}
    assert used is not None
    assert 0 < used[0] <= CONNECTIONS
    app = app_on(migrated_database)
    with app.app_context():
        report = verify()
    close(app)
    assert report.problems == []
    assert report.contacts > 40


def test_a_file_is_imported_through_a_pooler(pooled_database: str, tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("email,phone\n" + "".join(f"{n}@town.example,{n}\n" for n in range(30_000)))

    done = run(["flask", "--app", "wsgi", "identity", "import", str(path)],
               DATABASE_URL=pooled_database, DATABASE_POOLER="1")  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "30,000  new customers" in done.stdout


def run(arguments: list[str], **given: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "hello, McFly", **given}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


LAMBDA = """
import json, sys
from deploy.aws import handler
print(handler.migrate({}, None), file=sys.stderr)
for event in json.load(sys.stdin):
    print(json.dumps(handler.answer(event, None)))
"""


def test_lambda_answers_both_gateways_through_a_pooler(
    postgres_server: Postgres, empty_database: str
) -> None:
    events = [
        json.loads((RECIPES / name).read_text().replace("KEY", KEY))
        for name in ("gateway_v2.json", "gateway_v1.json")
    ]
    page = json.loads((RECIPES / "gateway_v2.json").read_text().replace("/identify", "/sign-in"))
    page["requestContext"]["http"]["method"] = "GET"
    del page["headers"]["authorization"]
    stranger = json.loads((RECIPES / "gateway_v1.json").read_text())
    with pooled(postgres_server, empty_database.rsplit("/", 1)[1]) as url:
        done = subprocess.run(
            [sys.executable, "-c", LAMBDA],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "AWS_LAMBDA_FUNCTION_NAME": "identity-Answer",
                "DATABASE_URL": url,
                "DATABASE_POOLER": "1",
                "SECRET_KEY": "hello, McFly",
                "IDENTITY_API_KEY": KEY,
                "IDENTITY_PASSWORD": PASSWORD,
            },
            input=json.dumps([*events, page, stranger]),
            capture_output=True,
            text=True,
        )
        with psycopg.connect(empty_database) as connection:
            clients = connection.execute("SELECT count(*) FROM contact").fetchone()

    assert done.returncode == 0, done.stderr
    identified, found, form, refused = map(json.loads, done.stdout.splitlines())
    assert identified["statusCode"] == found["statusCode"] == 200
    assert json.loads(identified["body"])["contact"]["emails"] == ["mcfly@hillvalley.edu"]
    assert json.loads(found["body"])["contact"]["primaryContactId"] == 1
    assert form["statusCode"] == 200
    assert "Secure" in form["cookies"][0]
    assert refused["statusCode"] == 401
    assert clients == (1,)
    assert "hillvalley" not in done.stderr


def test_sqlite_moves_to_postgresql_whole(
    tmp_path: Path, migrated_sqlite: Path, migrated_database: str
) -> None:
    path = shutil.copy(migrated_sqlite, tmp_path / "identity.sqlite3")
    sqlite = f"sqlite:///{path}"
    run(["flask", "--app", "wsgi", "identity", "seed"], DATABASE_URL=sqlite)
    made = run(
        ["flask", "--app", "wsgi", "identity", "key", "create", "checkout"], DATABASE_URL=sqlite
    )

    moved = subprocess.run(
        ["pgloader", "deploy/to-postgresql.load"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": migrated_database,
            "SQLITE_FILE": str(path),
        },
        capture_output=True,
        text=True,
    )

    assert moved.returncode == 0, moved.stdout + moved.stderr
    for command in (["verify"], ["key", "list"], ["export", "-", "--contacts"]):
        before, after = (
            run(["flask", "--app", "wsgi", "identity", *command], DATABASE_URL=url)
            for url in (sqlite, migrated_database)
        )
        assert before.stdout == after.stdout
        assert before.returncode == after.returncode == 0
        assert len(after.stdout) > 20
    with serving(migrated_database, tmp_path) as server:
        answer = asked(server.url, "/identify", made.stdout.strip(), {"email": "new@town.example"})
    assert answer.json()["contact"]["secondaryContactIds"] == []
    assert answer.json()["contact"]["primaryContactId"] > 300


def test_a_server_that_wants_tls_is_reached_by_it(migrated_server: Path, tmp_path: Path) -> None:
    with running(data=migrated_server) as server:
        server.stop()
        certificate = server.certify()
        server.start("-c", "ssl=on")
        options = f"?sslmode=verify-full&sslrootcert={certificate}&application_name=identity"
        url = server.url().replace("postgresql://", "postgres://").replace("127.0.0.1", "localhost")
        with serving(url + options, tmp_path) as service:
            assert service.identify("doc@hillvalley.edu")[0] == 200
            with psycopg.connect(server.url()) as connection:
                row = connection.execute(
                    "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                    " WHERE application_name = 'identity'"
                ).fetchone()
    assert row == (True,)
