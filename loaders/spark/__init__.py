"""The loader on Apache Spark: `python -m loaders.spark`.

Needs requirements-spark.txt and Java 17; nothing else imports this. It spreads what a file says
(`told`) over the machines, finds what is connected (`connected`) and what strangers share
(`crowds`), and lets each part follow by itself (`parts`). Each writes what it found into the
folder of work, which every machine must see under the same path.
"""
