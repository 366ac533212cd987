"""Who may use what: every route, without and with each kind of credential."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from limits import parse
from sqlalchemy import select
from werkzeug.test import TestResponse

from identity import access
from identity.access import Role, Scope
from identity.database import db
from identity.errors import TooManyRequests, Unavailable
from identity.models import ApiKey, Claim, Event, User
from identity.web.api.presenters import mask_email, mask_phone_number
from identity.web.limits import Limiter
from identity.web.marks import May
from identity.web.pages import signing
from tests.callers import KEY, PASSWORD, bearing, from_outside, key, known, sign_in
from tests.conftest import Make, See
from tests.pages import add
from tests.processes import FORKING

MARTY = {"email": "mcfly@hillvalley.edu", "phoneNumber": "123456"}

ROUTES = {
    "web.identify": May.IDENTIFY,
    "web.identify_batch": May.IDENTIFY,
    "web.lookup": May.READ,
    "web.look_up": May.READ,
    "web.cluster_json": May.READ,
    "web.graph_json": May.READ,
    "web.changes": May.READ,
    "web.changes_start": May.READ,
    "web.history_json": May.READ,
    "web.why": May.READ,
    "web.plan_ruling": May.STEWARD,
    "web.rule": May.STEWARD,
    "web.rulings": May.STEWARD,
    "web.one_ruling": May.STEWARD,
    "web.plan_withdrawal": May.STEWARD,
    "web.withdraw": May.STEWARD,
    "web.plan_erasure": May.STEWARD,
    "web.erase": May.STEWARD,
    "web.erasures": May.STEWARD,
    "web.lift": May.STEWARD,
    "web.one_erasure": May.STEWARD,
    "web.health": May.ANYONE,
    "web.ready": May.ANYONE,
    "web.metrics_page": May.METRICS,
    "web.openapi": May.VISITOR,
    "web.docs": May.VISITOR,
    "web.home": May.LOOK,
    "web.add": May.RULE,
    "web.adding": May.RULE,
    "web.carry_out_adding": May.RULE,
    "web.customers": May.LOOK,
    "web.cluster": May.LOOK,
    "web.access_page": May.RULE,
    "web.access_json": May.STEWARD,
    "web.record_json": May.RULE,
    "web.record_csv": May.RULE,
    "web.events_page": May.LOOK,
    "web.import_page": May.RULE,
    "web.one_import": May.LOOK,
    "web.import_progress": May.LOOK,
    "web.import_reading": May.RULE,
    "web.read_otherwise": May.RULE,
    "web.plan_import": May.RULE,
    "web.throw_away": May.RULE,
    "web.carry_out": May.RULE,
    "web.rejects": May.RULE,
    "web.export": May.RULE,
    "web.account": May.LOOK,
    "web.sign_out_everywhere": May.LOOK,
    "web.audit": May.ADMINISTER,
    "web.webhooks": May.ADMINISTER,
    "web.webhook_page": May.ADMINISTER,
    "web.test_webhook": May.ADMINISTER,
    "web.rotate_webhook": May.ADMINISTER,
    "web.enable_webhook": May.ADMINISTER,
    "web.disable_webhook": May.ADMINISTER,
    "web.remove_webhook": May.ADMINISTER,
    "web.send_again": May.ADMINISTER,
    "web.users": May.ADMINISTER,
    "web.change_role": May.ADMINISTER,
    "web.remove_user": May.ADMINISTER,
    "web.sign_in": May.VISITOR,
    "web.sign_out": May.VISITOR,
    "web.search": May.LOOK,
    "web.results": May.LOOK,
    "web.report": May.RULE,
    "web.count_customers": May.RULE,
    "web.count_orders": May.RULE,
    "web.report_customers": May.RULE,
    "web.review": May.LOOK,
    "web.said_fine": May.LOOK,
    "web.say_fine": May.RULE,
    "web.look_again": May.RULE,
    "web.sweep_now": May.RULE,
    "web.forget": May.RULE,
    "web.forget_now": May.RULE,
    "web.erasures_page": May.LOOK,
    "web.erasure_page": May.LOOK,
    "web.rulings_page": May.LOOK,
    "web.search_rulings": May.LOOK,
    "web.ruling_page": May.LOOK,
    "web.preview": May.RULE,
    "web.apply_ruling": May.RULE,
    "web.undo_preview": May.RULE,
    "web.undo": May.RULE,
    "static": May.ANYONE,
}
"""A route that is not here has no answer to who may use it."""
ARGUMENTS = {
    "contact_id": 1,
    "import_id": 1,
    "ruling_id": 1,
    "erasure_id": 1,
    "finding_id": 1,
    "webhook_id": 1,
    "message_id": 1,
    "what": "customers",
    "filename": "page.css",
    "given": "1955",
    "typed": "sealed",
    "ruling": "sealed",
}
TAKE_JSON = {May.IDENTIFY, May.STEWARD}
EVERYTHING = set(May) - {May.METRICS}
CREDENTIALS = {
    "nothing": {May.ANYONE, May.VISITOR},
    "a wrong key": {May.ANYONE},
    "a forged session": {May.ANYONE, May.VISITOR},
    "identify": {May.ANYONE, May.VISITOR, May.IDENTIFY, May.READ},
    "resolve": {May.ANYONE, May.VISITOR, May.IDENTIFY},
    "read": {May.ANYONE, May.VISITOR, May.READ, May.METRICS},
    "steward": {May.ANYONE, May.VISITOR, May.STEWARD},
    "environment": {May.ANYONE, May.VISITOR, May.IDENTIFY, May.READ, May.METRICS},
    "password": EVERYTHING,
    "a viewer": {May.ANYONE, May.VISITOR, May.READ, May.LOOK},
    "a user": EVERYTHING - {May.ADMINISTER},
    "an administrator": EVERYTHING,
}


PEOPLE = {
    "a viewer": Role.VIEWER,
    "a user": Role.STEWARD,
    "an administrator": Role.ADMINISTRATOR,
}


@pytest.fixture
def guarded(make: Make) -> Flask:
    """The app with a key and a password, as one click deploys it."""
    return make(IDENTITY_API_KEY=KEY, IDENTITY_PASSWORD=PASSWORD)


@pytest.fixture
def outside(guarded: Flask) -> FlaskClient:
    return from_outside(guarded)


def equipped(client: FlaskClient, credential: str) -> None:
    """Give a client a credential of that kind."""
    if credential == "password":
        assert sign_in(client, PASSWORD).status_code == 303
    elif credential in PEOPLE:
        known(client, role=PEOPLE[credential])
        assert sign_in(client, PASSWORD, "Doc").status_code == 303
    elif credential == "a forged session":
        client.set_cookie("identity", "eyJwcm9vZiI6ImZha2UifQ.aR0000.forged")
    elif credential != "nothing":
        tokens = {"a wrong key": "idk_wrong", "environment": KEY}
        token = tokens.get(credential) or key(client, Scope(credential))
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"


def refused(response: TestResponse) -> bool:
    to_sign_in = response.status_code == 303 and response.location.startswith("/sign-in?to=")
    return to_sign_in or response.status_code in (401, 403)


def requests(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Every endpoint of the app, with each of its methods and an address."""
    addresses = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        address = addresses.build(rule.endpoint, {name: ARGUMENTS[name] for name in rule.arguments})
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield rule.endpoint, method, address


def test_every_route_says_who_may_use_it(guarded: Flask) -> None:
    said = {
        endpoint: getattr(view, "may", May.ANYONE if endpoint == "static" else None)
        for endpoint, view in guarded.view_functions.items()
    }

    assert said == ROUTES


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_every_route_asks_for_its_credential(
    guarded: Flask, outside: FlaskClient, see: See, credential: str
) -> None:
    see("einstein@hillvalley.edu", "1955")
    equipped(outside, credential)

    for endpoint, method, address in requests(guarded):
        if endpoint == "web.sign_out":
            continue
        # Each wrong key counts as several calls, and there are many routes.
        guarded.config["LIMITER"].forget()
        allowed = ROUTES[endpoint] in CREDENTIALS[credential]
        body: object = {} if ROUTES[endpoint] in TAKE_JSON and method == "POST" else None
        with closing(outside.open(address, method=method, json=body)) as response:
            assert refused(response) != allowed, f"{method} {address}: {response.status}"
            assert response.status_code < 500
            if not allowed or ROUTES[endpoint] in (May.ANYONE, May.VISITOR, May.METRICS):
                # A refusal, or a form without its token, must not show what it keeps.
                assert "einstein" not in response.text, f"{method} {address}"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "X-Forwarded-Host": "localhost"},
    ],
)
@pytest.mark.parametrize("proxies", ["0", "1"])
def test_nothing_configured_is_this_machine_only(
    make: Make, see: See, headers: dict[str, str], proxies: str
) -> None:
    see("mcfly@hillvalley.edu", "123456")
    app = make(TRUSTED_PROXIES=proxies)
    client = app.test_client() if headers else from_outside(app)

    for endpoint, method, address in requests(app):
        with closing(client.open(address, method=method, headers=headers)) as response:
            told = response.text
            assert refused(response) == (ROUTES[endpoint] is not May.ANYONE)
        if response.status_code == 403:
            assert "IDENTITY_API_KEY" in told
            assert "IDENTITY_PASSWORD" in told
            assert "mcfly" not in told


PROXIES = (
    *("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"),
    *("X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Prefix", "X-Forwarded-Ssl"),
    *("X-Forwarded", "X-Original-Forwarded-For", "X-Original-Host", "X-Original-URL", "X-Real-IP"),
    *("X-Client-IP", "Client-IP", "True-Client-IP", "X-Cluster-Client-IP", "CF-Connecting-IP"),
    *("CF-Ray", "CDN-Loop", "Fastly-Client-IP", "Fly-Client-IP", "X-Amzn-Trace-Id", "X-Scheme"),
    *("X-Envoy-External-Address", "X-Azure-ClientIP", "Front-End-Https", "X-Proxy-User"),
)


@pytest.mark.parametrize("header", PROXIES)
def test_whatever_a_proxy_adds_is_not_from_here(client: FlaskClient, header: str) -> None:
    assert client.post("/identify", json=MARTY, headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "[::1]"])
def test_nothing_configured_answers_this_machine(client: FlaskClient, host: str) -> None:
    assert client.post("/identify", json=MARTY, headers={"Host": host}).status_code == 200


def test_a_key_in_the_database_closes_the_door_behind_it(client: FlaskClient) -> None:
    key(client, Scope.READ)

    assert client.post("/identify", json=MARTY).status_code == 401


def test_open_is_open_on_purpose_and_says_so(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    app = make(IDENTITY_OPEN="1")

    assert "IDENTITY_OPEN" in caplog.text
    assert from_outside(app).post("/identify", json=MARTY).status_code == 200


def test_secrets_are_kept_as_hashes_only(guarded: Flask, outside: FlaskClient) -> None:
    token = key(outside, Scope.IDENTIFY)
    known(outside)

    with guarded.app_context(), db.engine.connect() as connection:
        kept = [
            *connection.execute(select(ApiKey.table())),
            *connection.execute(select(User.table())),
        ]
    assert token not in str(kept)
    assert token.removeprefix(access.PREFIX) not in str(kept)
    assert PASSWORD not in str(kept)


def test_the_name_of_the_key_is_the_source(guarded: Flask, outside: FlaskClient) -> None:
    token = key(outside, Scope.IDENTIFY, "Hill Valley shop")

    outside.post("/identify", json=MARTY, headers=bearing(token))

    with guarded.app_context(), db.engine.connect() as connection:
        assert connection.scalars(select(Event.source)).all() == ["Hill Valley shop"]
        assert connection.scalars(select(Claim.source)).all() == ["Hill Valley shop"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("mcfly@hillvalley.edu", "m***@hillvalley.edu"),
        ("m@hillvalley.edu", "***@hillvalley.edu"),
        ("123456", "***456"),
        ("+17755550154;ext=12", "***154"),
        ("12345", "***"),
    ],
)
def test_what_is_masked_cannot_be_read(value: str, shown: str) -> None:
    mask = mask_email if "@" in value else mask_phone_number
    assert mask(value) == shown


def test_a_key_that_resolves_reads_nobody(guarded: Flask, outside: FlaskClient) -> None:
    token = key(outside, Scope.RESOLVE)
    outside.post("/identify", json=MARTY, headers=bearing(KEY))

    told = outside.post("/identify", json={"phoneNumber": "123456"}, headers=bearing(token))

    assert told.get_json() == {
        "contact": {
            "primaryContatctId": 1,
            "primaryContactId": 1,
            "contactCount": 1,
            "emails": ["m***@hillvalley.edu"],
            "phoneNumbers": ["***456"],
        }
    }


def test_a_revoked_key_opens_nothing(guarded: Flask, outside: FlaskClient) -> None:
    token = key(outside, Scope.IDENTIFY)
    assert outside.post("/identify", json=MARTY, headers=bearing(token)).status_code == 200

    with guarded.app_context():
        access.revoke_key("shop")

    assert outside.post("/identify", json=MARTY, headers=bearing(token)).status_code == 401


def test_a_wrong_key_is_told_how_to_send_one(outside: FlaskClient) -> None:
    response = outside.post("/identify", json=MARTY)

    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.get_json()["error"] == (
        "Send an API key, with the header Authorization: Bearer KEY."
    )


def test_a_user_signs_in_and_is_the_source(guarded: Flask, outside: FlaskClient) -> None:
    known(outside)

    arrived = sign_in(outside, PASSWORD, "Doc", to="/clusters")
    add(outside, MARTY["email"], "123456")

    assert arrived.location == "/clusters"
    with guarded.app_context(), db.engine.connect() as connection:
        assert connection.scalars(select(Event.source)).all() == ["Doc"]


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/\nevil"]
)
def test_signing_in_leads_nowhere_else(outside: FlaskClient, to: str) -> None:
    assert sign_in(outside, PASSWORD, to=to).location == "/"


@pytest.mark.parametrize(("name", "password"), [("", "wrong"), ("Doc", PASSWORD), ("", "")])
def test_a_wrong_password_signs_nobody_in(outside: FlaskClient, name: str, password: str) -> None:
    response = sign_in(outside, password, name)

    assert response.status_code == 401
    assert "not right" in response.text
    assert refused(outside.get("/"))


def test_who_cannot_sign_in_is_told_what_to_do(make: Make) -> None:
    client = from_outside(make(IDENTITY_API_KEY=KEY))
    assert "Nobody can sign in yet" in client.get("/sign-in").text

    known(client)

    assert "Nobody can sign in yet" not in client.get("/sign-in").text


def end_by_signing_out(client: FlaskClient) -> None:
    page = client.get("/").text
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    assert client.post("/sign-out", data={"csrf_token": token}).status_code == 303


def end_by_another_password(client: FlaskClient) -> None:
    with client.application.app_context():
        access.change_password("Doc", "another one, Marty")


def end_by_removal(client: FlaskClient) -> None:
    with client.application.app_context():
        access.remove_user("Doc")


@pytest.mark.parametrize("end", [end_by_signing_out, end_by_another_password, end_by_removal])
def test_a_session_ends(outside: FlaskClient, end: Callable[[FlaskClient], None]) -> None:
    known(outside)
    sign_in(outside, PASSWORD, "Doc")
    assert not refused(outside.get("/"))

    end(outside)

    assert refused(outside.get("/"))


def test_the_cookie_is_for_this_site_and_https_alone(make: Make) -> None:
    client = make(IDENTITY_PASSWORD=PASSWORD, TRUSTED_PROXIES="2").test_client()

    response = client.get("/sign-in", headers={"X-Forwarded-Proto": "https"})

    cookie = response.headers["Set-Cookie"]
    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= set(cookie.split("; "))
    assert response.headers["Strict-Transport-Security"].startswith("max-age=")


def test_a_form_of_another_site_is_refused(outside: FlaskClient) -> None:
    sign_in(outside, PASSWORD)

    response = outside.post("/add", data={"email": "doc@hillvalley.edu"})

    assert response.status_code == 400


def test_other_sites_may_not_ask_unless_they_are_named(make: Make) -> None:
    client = from_outside(make(IDENTITY_API_KEY=KEY, IDENTITY_ORIGINS="https://shop.example"))
    allowed = "Access-Control-Allow-Origin"
    asked = {"Access-Control-Request-Method": "POST"}

    def ask(origin: str, address: str) -> str | None:
        headers = {"Origin": origin, **asked}
        return client.options(address, headers=headers).headers.get(allowed)

    for address in "/identify", "/identify/batch", "/lookup":
        assert ask("https://shop.example", address) == "https://shop.example"
    assert ask("https://evil.example", "/identify") is None
    assert ask("https://shop.example", "/clusters") is None
    stewards = "/rulings", "/rulings/plan", "/rulings/1/withdrawal", "/erasures", "/erasures/plan"
    for address in stewards:
        assert ask("https://shop.example", address) is None


def test_no_other_site_may_ask_by_default(outside: FlaskClient) -> None:
    response = outside.post(
        "/identify", json=MARTY, headers=bearing(KEY) | {"Origin": "https://shop.example"}
    )

    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("address", ["/", "/lookup", "/health", "/nowhere", "/static/page.css"])
def test_every_answer_is_hardened(outside: FlaskClient, address: str) -> None:
    with closing(outside.get(address)) as response:
        headers = response.headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    for policy in ("object-src", "base-uri", "frame-ancestors"):
        assert f"{policy} 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers


def limited(make: Make, **settings: str) -> FlaskClient:
    return from_outside(make(IDENTITY_API_KEY=KEY, IDENTITY_PASSWORD=PASSWORD, **settings))


def statuses(client: FlaskClient, times: int, address: str, **how: str) -> list[int]:
    return [client.get(address, headers=dict(how)).status_code for _ in range(times)]


def test_too_much_is_a_429_that_says_when_to_come_back(make: Make) -> None:
    client = limited(make, RATE_LIMIT_KEY="3/minute")
    client.post("/identify", json=MARTY, headers=bearing(KEY))

    assert statuses(client, 3, "/lookup?phoneNumber=123456", **bearing(KEY)) == [200, 200, 429]
    response = client.get("/lookup?phoneNumber=123456", headers=bearing(KEY))
    assert 0 < int(response.headers["Retry-After"]) <= 61
    assert client.get("/health").status_code == 200


def test_a_lookup_that_finds_nothing_costs_ten(make: Make) -> None:
    client = limited(make, RATE_LIMIT_KEY="25/minute")

    missed = statuses(client, 4, "/lookup?phoneNumber=404", **bearing(KEY))

    assert missed == [404, 404, 429, 429]


def test_telling_of_somebody_unknown_costs_as_much_on_an_account_of_its_own(make: Make) -> None:
    client = limited(make, RATE_LIMIT_KEY="25/minute")

    def tell(email: str, phone: str | None = None) -> TestResponse:
        told = {"email": email, "phoneNumber": phone}
        return client.post("/identify", json=told, headers=bearing(KEY))

    guesses = [tell(f"{n}@hillvalley.edu", "1955").status_code for n in range(4)]

    # What was told is answered; what comes after too much of it is refused.
    assert guesses == [200, 200, 200, 429]
    refused = tell("0@hillvalley.edu", "1955")
    assert refused.status_code == 429
    assert "unknown emails and phone numbers" in refused.get_json()["error"]
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert statuses(client, 2, "/lookup?phoneNumber=1955", **bearing(KEY)) == [200, 200]


def test_telling_what_is_known_costs_one(make: Make) -> None:
    client = limited(make, RATE_LIMIT_KEY="25/minute")

    told = [client.post("/identify", json=MARTY, headers=bearing(KEY)) for _ in range(26)]

    assert [each.status_code for each in told] == [200] * 25 + [429]


def test_guessing_contact_ids_costs_as_much(make: Make) -> None:
    client = limited(make, RATE_LIMIT_KEY="25/minute")

    assert statuses(client, 3, "/clusters/88.json", **bearing(KEY)) == [404, 404, 429]


def test_guessing_keys_ends_soon(make: Make) -> None:
    client = limited(make, RATE_LIMIT_ADDRESS="12/minute")

    assert statuses(client, 3, "/lookup", **bearing("idk_guess")) == [401, 401, 429]


@pytest.mark.parametrize(
    ("address", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7:4711", "203.0.113.7:4712", True),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
    ],
)
def test_who_has_many_addresses_has_one_limit(
    make: Make, address: str, other: str, same: bool
) -> None:
    client = limited(make, RATE_LIMIT_ADDRESS="2/minute", TRUSTED_PROXIES="1")

    told = [
        client.get("/lookup", headers={"X-Forwarded-For": each}).status_code
        for each in (address, address, other)
    ]

    assert told == [401, 401, 429 if same else 401]


def test_a_stranger_next_door_does_not_lock_out_who_has_signed_in(make: Make) -> None:
    client = limited(make, RATE_LIMIT_ADDRESS="20/minute")
    sign_in(client, PASSWORD)

    stranger = from_outside(client.application)
    assert statuses(stranger, 10, "/lookup", **bearing("idk_guess"))[-1] == 429

    assert client.get("/clusters").status_code == 200


def test_guessing_passwords_ends_soon(outside: FlaskClient) -> None:
    guesses = [sign_in(outside, "wrong").status_code for _ in range(10)]

    assert guesses == [401] * 10
    assert sign_in(outside, PASSWORD).status_code == 429


@pytest.mark.parametrize("name", ["Doc\0", "x" * 200_000, "doc@hillvalley.edu"])
def test_what_is_no_name_is_nobodys(outside: FlaskClient, name: str) -> None:
    assert sign_in(outside, PASSWORD, name=name).status_code == 401


def test_guessing_for_many_names_ends_too(
    outside: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "ATTEMPTS_OF_AN_ADDRESS", parse("3/minute"))

    guesses = [sign_in(outside, "wrong", name=f"biff{n}").status_code for n in range(4)]

    assert guesses == [401] * 3 + [429]


def test_an_office_signs_in_all_morning(outside: FlaskClient) -> None:
    assert [sign_in(outside, PASSWORD).status_code for _ in range(15)] == [303] * 15


def test_workers_share_a_large_limit_to_the_hundredth(tmp_path: Path) -> None:
    workers = [Limiter(tmp_path / "limits") for _ in range(2)]
    limit, let_through = parse("1000/hour"), 0

    for worker in workers * 600:
        with suppress(TooManyRequests):
            worker.count(limit, "key:checkout")
            let_through += 1

    assert 980 <= let_through <= 1000


def test_threads_share_a_limit_to_the_last_call(tmp_path: Path) -> None:
    limiter, limit = Limiter(tmp_path / "limits"), parse("1000/hour")

    def ask(_: int) -> bool:
        with suppress(TooManyRequests):
            limiter.count(limit, "key:checkout")
            return True
        return False

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(ask, range(3000))) == 1000


def test_counters_that_ended_are_taken_away(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path / "limits")
    limiter.count(parse("5/second"), "address:198.51.100.1")
    time.sleep(1.1)

    for n in range(1001):
        limiter.count(parse("5/hour"), f"address:{n}")

    with closing(sqlite3.connect(tmp_path / "limits")) as counters:
        ended = "SELECT count(*) FROM counter WHERE expires < ?"
        assert counters.execute(ended, (time.time(),)).fetchone() == (0,)


def count_a_few(path: Path) -> None:
    limiter = Limiter(path)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: limiter.count(parse("100/minute"), f"key:{n}"), range(8)))


@pytest.mark.slow
def test_workers_that_start_at_once_count_at_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, FORKING) as workers:
        for n in range(40):
            list(workers.map(count_a_few, [tmp_path / str(n)] * 2))


A_DAY = 24 * 60 * 60


def stored(path: Path, statement: str, *values: float) -> list[tuple[float, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as counters:
        return counters.execute(statement, values).fetchall()


@pytest.mark.parametrize("days", [1, -1, 400])
def test_a_clock_that_was_set_back_or_forth_locks_nobody_out(tmp_path: Path, days: int) -> None:
    limit, path = parse("2/minute"), tmp_path / "counts"
    limiter = Limiter(path)
    for _ in range(2):
        limiter.count(limit, "key:checkout")
    # As they are when the clock was ahead by so much while they were counted, or behind.
    stored(path, "UPDATE counter SET expires = expires + ?", days * A_DAY)

    for _ in range(2):
        limiter.count(limit, "key:checkout")
    with pytest.raises(TooManyRequests) as refused:
        limiter.count(limit, "key:checkout")

    assert 0 < refused.value.retry_after <= 61
    ((expires,),) = stored(path, "SELECT expires FROM counter")
    assert abs(expires - time.time()) <= 61


def test_counters_of_a_time_that_never_was_are_taken_away(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path / "counts")
    limiter.count(parse("5/minute"), "address:198.51.100.1")
    stored(tmp_path / "counts", "UPDATE counter SET expires = expires + ?", A_DAY)

    for n in range(1001):
        limiter.count(parse("5/hour"), f"address:{n}")

    gone = "SELECT count(*) FROM counter WHERE name LIKE '%198.51.100.1/%'"
    assert stored(tmp_path / "counts", gone) == [(0,)]


def test_counters_that_broke_are_begun_anew(tmp_path: Path) -> None:
    broken = tmp_path / "limits"
    broken.write_bytes(b"88 mph" * 1000)
    limiter = Limiter(broken)

    limiter.count(parse("1/minute"), "marty")

    with pytest.raises(TooManyRequests):
        limiter.count(parse("1/minute"), "marty")


def test_counters_that_cannot_be_kept_are_a_clear_503(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be counted"):
        Limiter(tmp_path / "no such folder" / "limits").count(parse("1/minute"), "marty")


def test_addresses_are_those_that_our_own_proxies_saw(make: Make) -> None:
    client = limited(make, RATE_LIMIT_ADDRESS="2/minute", TRUSTED_PROXIES="2")

    def ask(forwarded: str) -> int:
        return client.get("/lookup", headers={"X-Forwarded-For": forwarded}).status_code

    # What stands to the left of our proxies' own words is the caller's invention.
    told = [ask(f"198.51.100.{n}, 203.0.113.9, 104.16.0.1") for n in range(3)]
    assert told == [401, 401, 429]
    assert ask("198.51.100.1, 203.0.113.10, 104.16.0.1") == 401


def test_two_workers_count_together(make: Make) -> None:
    first = limited(make, RATE_LIMIT_ADDRESS="4/minute")
    second = limited(make, RATE_LIMIT_ADDRESS="4/minute")

    told = [client.get("/lookup").status_code for client in (first, second) * 3]

    assert told == [401] * 4 + [429] * 2
