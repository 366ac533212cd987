"""Whoever is asking: what they are called, and what that lets them do."""

from dataclasses import dataclass

from flask import g

from identity.access import Scope
from identity.web.marks import May

SCOPES = {
    May.IDENTIFY: {Scope.IDENTIFY, Scope.RESOLVE},
    May.READ: {Scope.IDENTIFY, Scope.READ},
    May.METRICS: {Scope.READ},
    May.STEWARD: {Scope.STEWARD},
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever is asking."""

    name: str | None
    """What their contacts, links and events name as the source; None for the way they came."""
    scopes: frozenset[Scope] = frozenset()
    is_user: bool = False
    is_key: bool = False

    def may(self, what: May) -> bool:
        """Tell whether they may use a view."""
        if what in (May.ANYONE, May.VISITOR):
            return True
        if self.is_user and what is not May.METRICS:
            return True
        return bool(self.scopes & SCOPES.get(what, set()))


EVERYTHING = Caller(None, frozenset({Scope.IDENTIFY, Scope.READ}), is_user=True)
NOBODY = Caller(None)


def source(otherwise: str) -> str:
    """Return who is telling us: the key's name, the user's, or the way it came."""
    caller: Caller = g.caller
    return caller.name or otherwise


def masked() -> bool:
    """Tell whether the caller may join customers and not read them."""
    caller: Caller = g.caller
    return Scope.IDENTIFY not in caller.scopes and not caller.is_user
