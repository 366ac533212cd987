"""The caution of whoever joins: strangers are not made one customer silently.

A file is examined before anything of it is written (`examining`): which values do too
many strangers share (`strangers`, `names`)? What is found is told with what each choice leads to
(`planning`), and unless somebody chose otherwise, ruled as that import's (`choosing`, `running`).
The same may be asked of calls (`calls`).
"""
