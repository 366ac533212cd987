"""Rulings: what a person decided about evidence. They subtract, and never invent.

What a ruling may name is in `kinds`, what is kept of it in `register`, what it would change in
`plans`, and how it is applied and undone in `applying`.
"""
