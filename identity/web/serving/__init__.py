"""How requests are served: at doors, which are quick, and in the office, which takes its time.

A door is a worker of gunicorn's gevent kind. It holds thousands of connections for next to
nothing, and waits for all of them and for PostgreSQL at once; but while it computes, or waits for
SQLite, everybody at that door waits. So it answers what is quick by itself (the views marked so:
calls, figures, files of the pages), and passes everything else on to the office: one worker of
threads behind a socket in the file system, which plans, exports, imports and draws pages.
"""
