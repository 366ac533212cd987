"""Forgetting a person: what goes is planned, shown, and gone in every table.

Ids and dates are left, and keyed hashes that keep the person out (`forgetting`). Nobody can undo
it. What claims say of an erased identifier goes with the whole claim, and customers follow from
those that are left, as after a ruling.
"""
