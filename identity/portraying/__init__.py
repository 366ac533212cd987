"""A customer as people look at one: facts, links, contacts, history, each read in bounds.

`portraits` is the whole of it. Of a large customer a page shows a part and says so, and nothing
here reads the rest.
"""
