"""Settings are refused loudly, by name, and never with a secret in the sentence."""

import stat
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from identity import passwords
from identity.config import Config
from identity.errors import ConfigurationError
from identity.once import kept_secret


def test_without_an_environment_there_are_defaults() -> None:
    config = Config.from_environment({"PORT": "", "DATABASE_URL": "  "})

    assert config == Config()
    assert (config.port, config.database_url) == (8000, "sqlite:///identity.sqlite3")


@pytest.mark.parametrize(
    "spelling",
    [
        "postgres://marty:1.21@db.example:5432/identity",
        "postgresql://marty:1.21@db.example:5432/identity",
        "postgresql+psycopg://marty:1.21@db.example:5432/identity",
    ],
)
def test_every_spelling_of_postgresql_is_understood(spelling: str) -> None:
    config = Config.from_environment({"DATABASE_URL": spelling})

    assert config.database_url == "postgresql+psycopg://marty:1.21@db.example:5432/identity"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://marty:s3cret@db.example/identity"),
        ("DATABASE_URL", "s3cret"),
        ("DATABASE_URL", "postgresql://marty:s3cret"),
        ("DATABASE_URL", "postgresql://marty@db.example:s3cret/identity"),
        ("DATABASE_URL", "postgresql://marty@one.example:s3cret,two.example/identity"),
        ("DATABASE_URL", "sqlite+aiosqlite:///file"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DEFAULT_PHONE_REGION", "Hill Valley"),
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("WEB_CONCURRENCY", "-1"),
        ("WEB_THREADS", "1.21"),
        ("IDENTITY_API_KEY", "s3cret"),
        ("IDENTITY_PASSWORD", "s3cret"),
        ("IDENTITY_PASSWORD", "s3cret-with"),
        ("IDENTITY_PASSWORD", "s3cretidentity"),
        ("IDENTITY_PASSWORD", "s3creT123456"),
        ("IDENTITY_API_KEY", "no blanks in s3cret keys"),
        ("IDENTITY_API_KEY", "s3cret=in-its-very-middle"),
        ("SECRET_KEY", "s3cret"),
        ("SENTRY_DSN", "s3cret"),
        ("METRICS_FROM", "localhost"),
        ("METRICS_FROM", "10.0.0.0/8"),
        ("IDENTITY_ORIGINS", "*"),
        ("IDENTITY_ORIGINS", "https://*.shop.example"),
        ("IDENTITY_ORIGINS", "https://shop.example/"),
        ("IDENTITY_ORIGINS", "https://shop.example shop.example"),
        ("IDENTITY_OPEN", "no"),
        ("IDENTITY_OPEN", "true"),
        ("TRUSTED_PROXIES", "-1"),
        ("RATE_LIMIT_KEY", "many"),
        ("RATE_LIMIT_ADDRESS", "0"),
        ("RATE_LIMIT_ADDRESS", "0/minute"),
        ("RATE_LIMIT_ADDRESS", "10/minute;1/second"),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        Config.from_environment({name: value})

    assert "s3cret" not in str(caught.value)


def test_a_password_is_refused_for_a_reason_that_is_told() -> None:
    problems = {
        "1.21 gigawat": None,
        "1.21 gigawa": "must have at least 12 characters",
        "Doc's 1.21 gigawatts": "must not hold the name of its user or of this service",
        "my Identity 1.21": "must not hold the name of its user or of this service",
        "passwordpassword": "must not be one of those that are guessed first",
        "1qaz2wsx3edc4rfv": "must not be one of those that are guessed first",
    }

    assert {each: passwords.problem(each, "Doc") for each in problems} == problems


def test_every_known_password_that_is_long_enough_is_refused() -> None:
    long = [each for each in FREQUENCY_LISTS["passwords"] if len(each) >= passwords.SHORTEST]

    assert len(long) > 200
    assert [each for each in long if passwords.problem(each) is None] == []


def test_no_password_is_too_long() -> None:
    assert passwords.problem("1.21 gigawatts! " * 1000) is None
    assert passwords.problem("a" * 1000) is not None


def test_the_region_may_be_typed_in_lower_case() -> None:
    assert Config.from_environment({"DEFAULT_PHONE_REGION": "us"}).default_phone_region == "US"


def test_a_secret_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    secret = kept_secret(tmp_path / "instance")

    assert kept_secret(tmp_path / "instance") == secret
    assert len(secret) >= 43
    assert stat.S_IMODE((tmp_path / "instance" / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secret_key"]


def test_only_a_host_that_asks_from_outside_is_answered_everywhere() -> None:
    assert Config.from_environment({}).host == "127.0.0.1"
    assert Config.from_environment({"RENDER": "true"}).host == "0.0.0.0"
    assert Config.from_environment({"RENDER": "true", "HOST": "::1"}).host == "::1"


@pytest.mark.parametrize(
    "spelling",
    [
        "postgresql://marty:s,3@one.example:6432,two.example/identity?sslmode=require",
        "postgres://marty:s%2C3@/identity?host=one.example:6432&host=two.example:5432&sslmode=require",
        "postgresql://marty:s,3@/identity?host=one.example,two.example&port=6432,5432&sslmode=require",
    ],
)
def test_of_several_hosts_the_one_that_takes_writes_is_asked_for(spelling: str) -> None:
    url = make_url(Config.from_environment({"DATABASE_URL": spelling}).database_url)

    assert url.get_dialect()().create_connect_args(url)[1] == {
        "user": "marty",
        "password": "s,3",
        "dbname": "identity",
        "host": "one.example,two.example",
        "port": "6432,5432",
        "sslmode": "require",
        "target_session_attrs": "read-write",
    }


def test_whoever_says_which_of_several_hosts_will_do_is_obeyed() -> None:
    spelling = "postgresql://[::1],[::2]:6432/identity?target_session_attrs=any"

    url = make_url(Config.from_environment({"DATABASE_URL": spelling}).database_url)

    assert url.query["host"] == "::1,::2"
    assert url.query["port"] == "5432,6432"
    assert url.query["target_session_attrs"] == "any"
