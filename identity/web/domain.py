"""What views ask of the domain, on behalf of whoever is asking."""

from collections.abc import Sequence

from flask import g

from identity import clusters, crowds, database, explaining, reconciliation
from identity.batching import telling
from identity.batching.answering import Answers
from identity.batching.telling import Told
from identity.caution import calls as caution
from identity.clusters import Cluster, Member
from identity.crowds import Crowd
from identity.deciding import Call
from identity.errors import Contended, Gone, IdentityError, NotFound
from identity.identifiers import Identifiers, Value
from identity.portraying import membership
from identity.reconciliation import Outcome
from identity.web import callers, charging, current, metrics


def decide(given: Identifiers, otherwise: str, reference: str = "", name: str = "") -> Outcome:
    """Link `given` to everything known; `otherwise` is the source when nobody has a name."""
    source, config = callers.source(otherwise), current.config()

    def identify() -> Outcome:
        return reconciliation.identify(given, source=source, reference=reference, name=name)

    charging.check_news()
    outcome = identify()
    charging.charge_news(outcome.event in charging.MISSED)
    g.decision = metrics.count_decision(outcome)
    if config.careful and caution.check(given, outcome, source, config.many_strangers):
        # Known by now, and answered with what was ruled about it.
        return identify()
    return outcome


def decide_all(calls: Sequence[Call], otherwise: str) -> dict[int, Outcome | IdentityError]:
    """Do so with calls that were sent together; return what each is answered with, by its line.

    Raise `Unavailable` when nothing could be decided, or the answers cannot be read.
    """
    source, config = callers.source(otherwise), current.config()
    charging.check_news()
    told, answers = telling.tell(calls, source)
    charging.charge_news(told.contacts)
    calls = [call for call in calls if call.line not in told.left_out]
    g.decision = metrics.count_decisions(told, len(calls))
    if config.careful and _separated(calls, told, answers, source, config.many_strangers):
        answers = telling.answer(calls, told)
    for answered in answers.by_line.values():
        if isinstance(answered, Outcome):
            contacts = len(answered.cluster.members)
            metrics.CONTACTS.observe(contacts)
            if contacts > clusters.MANY:
                charging.charge_size(contacts)
    charging.charge_size(answers.in_vain)
    return answers.by_line | told.left_out


def _separated(calls: Sequence[Call], told: Told, answers: Answers, source: str, many: int) -> bool:
    """Let values of calls link nobody that join too many strangers; tell whether any do."""
    checked: set[Value] = set()
    separated = False
    for call in calls:
        answered = answers.by_line[call.line]
        values = [value for value in call.values() if value not in checked]
        if call.line in told.news and isinstance(answered, Outcome):
            checked.update(values)
            separated |= caution.check_joined(values, answered.cluster, source, many)
    return separated


def crowd_of(cluster: Cluster, given: Identifiers) -> Crowd | None:
    """Return the whole of a customer who is too large to be read with a decision, else None.

    It is as it is now, after the decision and outside of any lock. Raise `Contended` when what was
    given is nobody's any more.
    """
    if cluster.whole:
        return None
    value = next(filter(cluster.has, given.values()))
    crowd = database.read(lambda connection: crowds.crowd_of(connection, value))
    if crowd is None:
        # A ruling came in between.
        raise Contended(database.CONTENDED)
    charging.charge_size(crowd.contacts)
    return crowd


def cluster_of(contact_id: int) -> Cluster:
    """Return the customer of a contact; raise `NotFound`, or `Gone` for one that ceased."""
    cluster = database.read(lambda connection: clusters.with_contact(connection, contact_id))
    if cluster is None:
        raise missing(contact_id)
    return cluster


def head_of(contact_id: int) -> tuple[Member, int]:
    """Return the primary of a contact, and how many contacts there are. Raises the same."""
    found = database.read(lambda connection: membership.head(connection, contact_id))
    if found is None:
        raise missing(contact_id)
    return found


def missing(contact_id: int) -> NotFound | Gone:
    """Return what to raise where there is no such contact, or none any more."""
    charging.charge_miss()
    now = database.read(lambda connection: explaining.now(connection, contact_id))
    if now is not None:
        return Gone(f"Contact {contact_id} ceased.", now)
    return NotFound(f"There is no contact {contact_id}.")


def region() -> str | None:
    """Return the country by which phone numbers without a country code are read."""
    return current.config().default_phone_region
