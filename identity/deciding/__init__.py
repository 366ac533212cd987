"""The one function that decides who belongs together. Nothing here reads or writes.

Customers follow from what was told, in its order, and from what was ruled about it (the rules are
in the README). Told claim after claim from the first one on, `Customers` is the function itself:
what rebuilds, plans and verifies asks it so. Begun with what is known already, it is the same
function some calls further: `decide` is how identify and imports ask it.
"""

from identity.deciding.customers import Customers, Made, Told
from identity.deciding.decided import Alone, Decided, Line, NewClaim, NewContact
from identity.deciding.decisions import decide
from identity.deciding.given import NEW, Age, Call, Content, Known, Memory, Ruled

__all__ = [
    "NEW",
    "Age",
    "Alone",
    "Call",
    "Content",
    "Customers",
    "Decided",
    "Known",
    "Line",
    "Made",
    "Memory",
    "NewClaim",
    "NewContact",
    "Ruled",
    "Told",
    "decide",
]
