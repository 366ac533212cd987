"""Many calls at once: the rows of a file, or calls that somebody sent together.

What is known of them is a few statements (`questions`, `looking`), and what they bring is one
transaction (`taking`), whoever they come from. Calls that were sent together are told in parts, so
that nobody waits for all of them (`telling`), and each is answered with its customer (`answering`).
"""
