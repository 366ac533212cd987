"""How a cluster looks from outside. Plain dicts for JSON; nothing is looked up here."""

from datetime import UTC, datetime
from typing import Any

from identity.clusters import Cluster, Found, Member
from identity.evidence import Graph


def answer(cluster: Cluster) -> dict[str, Any]:
    """Return the published answer: the customer, whole."""
    return {"contact": summary(cluster)}


def masked(cluster: Cluster) -> dict[str, Any]:
    """Return what lets a caller join customers without reading them."""
    return {
        "contact": {
            "primaryContatctId": cluster.primary_id,
            "primaryContactId": cluster.primary_id,
            "contactCount": len(cluster.members),
            "emails": [mask_email(email) for email in cluster.emails],
            "phoneNumbers": [mask_phone_number(number) for number in cluster.phone_numbers],
        }
    }


def mask_email(email: str) -> str:
    """Return an email of which only the first letter and the domain can be read."""
    name, _, domain = email.rpartition("@")
    return f"{name[0] if len(name) > 1 else ''}***@{domain}"


def mask_phone_number(number: str) -> str:
    """Return a phone number of which only the last three digits can be read."""
    digits = "".join(filter(str.isdigit, number.partition(";")[0]))
    return f"***{digits[-3:] if len(digits) > 5 else ''}"


def summary(cluster: Cluster) -> dict[str, Any]:
    """Return the customer as the contract has it."""
    return {
        # Misspelt in the published contract, and clients depend on it. Others expect it right.
        "primaryContatctId": cluster.primary_id,
        "primaryContactId": cluster.primary_id,
        "emails": cluster.emails,
        "phoneNumbers": cluster.phone_numbers,
        "secondaryContactIds": cluster.secondary_ids,
    }


def answer_with_contacts(cluster: Cluster) -> dict[str, Any]:
    """Return the published answer, and the contacts it was made from."""
    return answer(cluster) | {"contacts": [contact(member) for member in cluster.members]}


def contact(member: Member) -> dict[str, Any]:
    """Return one contact, with the published table's words in JSON's spelling."""
    return {
        "id": member.id,
        "email": member.email,
        "phoneNumber": member.phone_number,
        "linkedId": member.linked_id,
        "linkPrecedence": member.precedence.value,
        "createdAt": member.created_at.isoformat(),
    }


def looked_up(found: Found) -> dict[str, Any]:
    """Return the customer found, and the one that identify would merge into it, or None."""
    stays, *others = found.clusters
    return answer(stays) | {"wouldMergeWith": summary(others[0]) if others else None}


def graph(graph: Graph, primary_id: int) -> dict[str, Any]:
    """Return the identifiers of a customer and the links between them, ends by name."""
    return {
        "nodes": [
            {
                "name": node.name,
                "kind": node.kind.value,
                "value": node.value,
                "primary": node.contact_id == primary_id,
            }
            for node in graph.nodes
        ],
        "edges": [
            {
                "email": edge.email.name,
                "phone": edge.phone.name,
                "source": edge.source,
                "firstSeenAt": edge.first_seen_at.isoformat(),
            }
            for edge in graph.edges
        ],
    }


def ago(moment: datetime) -> str:
    """Return how long ago a moment was, as a person would say it; the date after a month."""
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = seconds // length
        if unit == "day" and count > 30:
            return moment.strftime("%Y-%m-%d")
        if count > 0:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
