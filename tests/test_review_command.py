"""The review at the terminal."""

from flask import Flask

from identity.identifiers import Kind, Value
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart
from tests.conftest import See
from tests.terminal import run

NOTHING = """\
             0  values that look like nobody's
             0  values shared by many
             0  customers that one link holds together
             0  large merges
             0  kept apart, and tried again
             0  phone numbers equal but for the country code
"""


def test_nothing_to_look_at(app: Flask) -> None:
    result = run(app, "review")

    assert (result.exit_code, result.output) == (0, NOTHING)


def test_what_is_wrong_is_found_and_printed(app: Flask, see: See) -> None:
    for number in range(12):
        see(f"stranger{number}@hillvalley.edu", "+16172531000")
    for number in range(3):
        see(f"guest{number}@hillvalley.edu", "0000000000")
    for name in "abc":
        see(f"{name}@mcfly.edu", "555-0101")
        see(f"{name}@tannen.edu", "555-0202")
    see("a@mcfly.edu", "555-0202")
    for number in range(10):
        see("office@hillvalley.edu", f"555-030{number}")
    see("a@mcfly.edu", "555-0300")
    see("doc@hillvalley.edu", "555-4385")
    see("doc@hillvalley.edu", "555-4386")
    one, other = Value(Kind.EMAIL, "doc@hillvalley.edu"), Value(Kind.PHONE, "5554386")
    applying.rule(Apart(one, other), Ordered("Doc"))
    see("doc@hillvalley.edu", "555-4386", source="till")
    see("marty@hillvalley.edu", "617-253-1000")

    result = run(app, "review")

    assert result.exit_code == 0
    for line in (
        "0000000000: 3 people",
        "+16172531000: 12 people",
        "a@mcfly.edu and 5550202: 13 contacts and 3 contacts without it",
        "10 contacts from customer 22",
        "ruling 1: 1 time",
        "+16172531000 and 6172531000: customers 1 and 34",
    ):
        assert line in result.output
    assert run(app, "review", "--again").output == result.output
