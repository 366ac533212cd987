"""What the tables would hold after a batch, without writing to them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import exists, select

from identity import database
from identity.batching import looking
from identity.batching.looking import Look
from identity.deciding import NEW, Alone, Call, Decided, Known, Ruled, decide
from identity.identifiers import Kind, Value, email_value, phone_value
from identity.importing.beforehand import Beforehand
from identity.models import Identifier

ANYBODY = select(exists().select_from(Identifier.table()))


class Imagined:
    """Decides batches upon the database and upon all batches before, which it remembers.

    Its memory grows with what is new in the file, not with its rows. What references come to is no
    figure of a plan, so they are forgotten.
    """

    def __init__(self, source: str, after: Beforehand | None = None) -> None:
        """Begin with what the database holds, and `after` is what rulings would change of it."""
        self._source = source
        self._after = after
        self._next = after.next if after else NEW
        self._next_claim = NEW
        self._new = Known()
        self._successors: dict[int, int] = {}
        self._is_empty = not database.read(lambda connection: connection.scalar(ANYBODY))

    def take(self, calls: Sequence[Call]) -> Decided:
        """Return what a batch would bring."""
        found = self._look(calls)
        if self._after:
            self._after.amend(found, calls)
        known = self._known(calls, found)
        decided = decide(
            calls,
            known,
            found.ruled,
            datetime.now(UTC),
            first=self._next,
            first_claim=self._next_claim,
            alone=True,
        )
        self._next = decided.next
        self._next_claim += len(decided.claims) + len(decided.alone)
        for each in decided.alone:
            self._remember_alone(each)
        self._remember(decided)
        return decided

    def _look(self, calls: Sequence[Call]) -> Look:
        # Where nobody is known, nothing is known of anything.
        if self._is_empty:
            return Look(Known(), Ruled(), {}, set())
        return database.retrying(lambda: looking.look_now(calls, self._source))

    def _remember_alone(self, each: Alone) -> None:
        new = self._new
        number, claim, email, phone_number, dated, primary, brought = each
        if email and (number == primary or brought is Kind.EMAIL):
            new.holders[email_value(email)] = primary
        if phone_number and (number == primary or brought is Kind.PHONE):
            new.holders[phone_value(phone_number)] = primary
        content = email, phone_number
        new.contents[content] = number, dated
        new.claims[content] = claim, dated
        if number == primary:
            new.oldest[number] = dated, number

    def _remember(self, decided: Decided) -> None:
        new = self._new
        primaries = {contact.number: contact.primary for contact in decided.contacts}
        new.holders.update((value, primaries[number]) for value, number in decided.identifiers)
        new.contents.update(
            ((each.email, each.phone_number), (each.number, each.created_at))
            for each in decided.contacts
        )
        new.contents.update((content, (id_, dated)) for id_, content, dated in decided.redated)
        new.claims.update(
            ((each.email, each.phone_number), (each.number, each.dated)) for each in decided.claims
        )
        new.held.update(
            (each.email, each.phone_number) for each in decided.claims if each.held_by is not None
        )
        for name, (created_at, primary) in decided.ages().items():
            new.oldest[primary] = created_at, primary
            if name != primary:
                self._successors[name] = primary
            # It may have lost its place before, and was dated older since.
            self._successors.pop(primary, None)

    def _known(self, calls: Sequence[Call], found: looking.Look) -> Known:
        """Return what is stored, as all batches before would have changed it."""
        stored, new = found.known, self._new
        known = Known(pairs=stored.pairs, held=stored.held, references=stored.references)
        for call in calls:
            content = call.content
            for memory in (stored, new):
                if content in memory.claims:
                    known.claims[content] = memory.claims[content]
                # Of what is told as two, or of which half links nobody, one half is a contact's.
                for part in (content, (content[0], None), (None, content[1])):
                    if part in memory.contents:
                        known.contents[part] = memory.contents[part]
            if content in new.claims:
                known.pairs.add(content)
                if content in new.held:
                    known.held.add(content)
            for value in call.values():
                self._hold(value, found, known)
        for value in found.ruled.apart:
            primary = self._primary(value, found)
            if primary in known.oldest:
                known.concerned.setdefault(primary, set()).add(value)
        return known

    def _hold(self, value: Value, found: looking.Look, known: Known) -> None:
        primary = self._primary(value, found)
        if primary is not None:
            known.holders[value] = primary
            known.oldest[primary] = self._new.oldest.get(primary) or found.known.oldest[primary]

    def _primary(self, value: Value, found: looking.Look) -> int | None:
        holder = found.known.holders.get(value) or self._new.holders.get(value)
        holder = holder or found.apart.get(value)
        while holder in self._successors:
            holder = self._successors[holder]
        return holder
