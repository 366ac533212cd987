"""How many records are how many people, who told them, and the customers behind each figure.

Two statements over everything, whose results do not grow with it. What the words mean is in
`words`.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, TextClause, text

MOST, FEWER = 1_000, 200
"""Customers behind a figure that are kept: of one about everybody, and of one about a source."""
SPREAD, SOURCE, PAIR = "spread", "source", "pair"
SEVERAL, EMAILS_OF, WITHIN, KNOWN = "several", "emails", "within", "known"
TWICE, SHARED = "twice", "shared"
"""What a row is about, in its first column: figures, and the customers behind them."""

# A claim is the customer's of its email, as /identify answers; the customer's of its phone number
# where it has no email, or one that links nobody. Where a source has no ids of its own, a phone
# number is a record when it was never told with an email: all of them, less those that were.
# `told` and `shared` are read once and kept aside, for each of the questions is about all of it.
RECORDS = text("""
WITH told AS MATERIALIZED (
    SELECT customer, source, first, emails, records,
        min(first) OVER of_one AS earliest, sum(records) OVER of_one AS in_all,
        count(*) OVER of_one AS sources
    FROM (
        SELECT customer, source, min(claim) AS first, count(DISTINCT email) AS emails,
            count(DISTINCT reference)
                + count(DISTINCT CASE WHEN reference IS NULL THEN email END)
                + count(DISTINCT CASE WHEN reference IS NULL THEN phone END)
                - count(DISTINCT CASE WHEN reference IS NULL AND email IS NOT NULL THEN phone END)
                AS records
        FROM (
            SELECT coalesce(contact.linked_id, contact.id) AS customer, claim.id AS claim,
                claim.source, reference.reference, claim.phone_number AS phone,
                CASE WHEN mail.contact_id IS NOT NULL THEN claim.email END AS email
            FROM claim
            LEFT JOIN identifier AS mail ON mail.kind = 'email' AND mail.value = claim.email
            LEFT JOIN identifier AS number
                ON number.kind = 'phone' AND number.value = claim.phone_number
            JOIN contact ON contact.id = coalesce(mail.contact_id, number.contact_id)
            LEFT JOIN reference
                ON reference.claim_id = claim.id AND reference.reference <> ''
            WHERE claim.stands
        ) AS claims
        GROUP BY customer, source
    ) AS grouped
    WINDOW of_one AS (PARTITION BY customer)
),
shared AS MATERIALIZED (
    SELECT one.source AS source, other.source AS other, one.customer, one.in_all
    FROM told AS one
    JOIN told AS other ON other.customer = one.customer AND other.source > one.source
    WHERE one.sources > 1 AND other.sources > 1
)
SELECT 'spread' AS about, NULL AS source, NULL AS other, in_all, count(*), 0, 0, 0
FROM told WHERE first = earliest GROUP BY in_all
UNION ALL
SELECT 'source', source, NULL, sum(records), count(*),
    sum(CASE WHEN first = earliest THEN 1 ELSE 0 END), sum(emails),
    sum(CASE WHEN emails > 0 THEN 1 ELSE 0 END)
FROM told GROUP BY source
UNION ALL
SELECT 'pair', source, other, count(*), 0, 0, 0, 0 FROM shared GROUP BY source, other
UNION ALL
SELECT 'several', NULL, NULL, customer, place, 0, 0, 0 FROM (
    SELECT customer, row_number() OVER (ORDER BY in_all DESC, customer) AS place
    FROM told WHERE first = earliest AND in_all > 1
) AS several WHERE place <= :most
UNION ALL
SELECT 'within', source, NULL, customer, place, 0, 0, 0 FROM (
    SELECT source, customer,
        row_number() OVER (PARTITION BY source ORDER BY records DESC, customer) AS place
    FROM told WHERE records > 1
) AS within_one WHERE place <= :fewer
UNION ALL
SELECT 'known', source, NULL, customer, place, 0, 0, 0 FROM (
    SELECT source, customer,
        row_number() OVER (PARTITION BY source ORDER BY records DESC, customer) AS place
    FROM told WHERE records > CASE WHEN first = earliest THEN 1 ELSE 0 END
) AS known WHERE place <= :fewer
UNION ALL
SELECT 'twice', source, NULL, customer, place, 0, 0, 0 FROM (
    SELECT source, customer,
        row_number() OVER (PARTITION BY source ORDER BY emails DESC, customer) AS place
    FROM told WHERE emails > 1
) AS twice WHERE place <= :fewer
UNION ALL
SELECT 'shared', source, other, customer, place, 0, 0, 0 FROM (
    SELECT source, other, customer,
        row_number() OVER (PARTITION BY source, other ORDER BY in_all DESC, customer) AS place
    FROM shared
) AS of_both WHERE place <= :fewer
""")
"""Rows of what they are about, a source and another, and five numbers."""
EMAILS = text("""
WITH addressed AS MATERIALIZED (
    SELECT coalesce(contact.linked_id, contact.id) AS customer, count(*) AS emails
    FROM identifier JOIN contact ON contact.id = identifier.contact_id
    WHERE identifier.kind = 'email'
    GROUP BY coalesce(contact.linked_id, contact.id)
)
SELECT 'spread', NULL, NULL, emails, count(*), 0, 0, 0 FROM addressed GROUP BY emails
UNION ALL
SELECT 'emails', NULL, NULL, customer, place, 0, 0, 0 FROM (
    SELECT customer, row_number() OVER (ORDER BY emails DESC, customer) AS place
    FROM addressed WHERE emails > 1
) AS twice WHERE place <= :most
""")
"""The same, of the emails on record, whoever told them."""


def read(connection: Connection, statement: TextClause) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one of these statements."""
    asked = {"most": MOST, "fewer": FEWER}
    wanted = {name: asked[name] for name in statement.compile().params}
    for row in connection.execute(statement, wanted):
        yield tuple(row)
