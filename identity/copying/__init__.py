"""A copy of all evidence, out of one database and into another.

Claims, references, rulings and imports: all that customers follow from, and nothing that follows.
Whoever takes the copy in rebuilds the customers with the function that rebuilds them everywhere.
"""
