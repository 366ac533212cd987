"""Whoever is asking: what they are called, and what that lets them do."""

from dataclasses import dataclass

from flask import current_app, g

from identity.access import Role, Scope
from identity.errors import Forbidden
from identity.web.marks import May

ASK = "An administrator may change that, or: flask identity user role NAME ROLE"
SCOPES = {
    May.IDENTIFY: {Scope.IDENTIFY, Scope.RESOLVE},
    May.READ: {Scope.IDENTIFY, Scope.READ},
    May.METRICS: {Scope.READ},
    May.STEWARD: {Scope.STEWARD},
}
"""What a key needs one of."""
ROLES = {
    May.LOOK: Role.VIEWER,
    May.READ: Role.VIEWER,
    May.RULE: Role.STEWARD,
    May.IDENTIFY: Role.STEWARD,
    May.STEWARD: Role.STEWARD,
    May.ADMINISTER: Role.ADMINISTRATOR,
}
"""What a user needs, at least."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever is asking."""

    name: str | None
    """What their contacts, links and events name as the source; None for the way they came."""
    scopes: frozenset[Scope] = frozenset()
    role: Role | None = None
    is_key: bool = False

    @property
    def is_user(self) -> bool:
        """Tell whether it is a person and not a program."""
        return self.role is not None

    def may(self, what: May) -> bool:
        """Tell whether they may use a view."""
        if what in (May.ANYONE, May.VISITOR):
            return True
        if self.role is not None and what in ROLES:
            return self.role.includes(ROLES[what]) or bool(self.scopes & SCOPES.get(what, set()))
        return bool(self.scopes & SCOPES.get(what, set()))

    def check(self, what: May) -> None:
        """Raise `Forbidden`, with who may, when somebody who is known may not use a view."""
        if self.is_key and not self.may(what):
            raise Forbidden("This key has no scope for that.")
        if self.role is not None and not self.may(what):
            raise Forbidden(f"This is for {what.value}, and you are a {self.role}. {ASK}")


EVERYTHING = Caller(None, frozenset({Scope.IDENTIFY, Scope.READ}), Role.ADMINISTRATOR)
NOBODY = Caller(None)
STRANGER = Caller(None, role=Role.VIEWER)


def source(otherwise: str) -> str:
    """Return who is telling us: the key's name, the user's, or the way it came."""
    caller: Caller = g.caller
    return caller.name or otherwise


def masked() -> bool:
    """Tell whether the caller may join customers and not read them."""
    caller: Caller = g.caller
    return Scope.IDENTIFY not in caller.scopes and not caller.is_user


def name() -> str | None:
    """Return what the caller is called; None for whoever is nobody in particular."""
    caller: Caller = g.caller
    return caller.name


def check(what: May) -> None:
    """Raise `Forbidden` when the caller, who was let in, may not do what goes beyond that."""
    caller: Caller = g.caller
    caller.check(what)


def may_use(endpoint: str) -> bool:
    """Tell whether the caller may use a view, so that a page offers nothing that they may not."""
    caller: Caller = g.get("caller", NOBODY)
    if caller is NOBODY:
        # Who has not signed in yet is led there by whatever anybody may look at.
        caller = STRANGER
    view = current_app.view_functions.get(endpoint)
    return caller.may(getattr(view, "may", May.ANYONE))


def signed_in() -> bool:
    """Tell whether the caller is somebody who signed in."""
    caller: Caller = g.get("caller", NOBODY)
    return caller.is_user and caller.name is not None


def may_follow(address: str) -> bool:
    """Tell whether the caller may use the view at an address of ours."""
    endpoint, _ = current_app.url_map.bind("").match(address.partition("?")[0])
    return may_use(endpoint)
