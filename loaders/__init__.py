"""Loaders for those who are past one machine: an engine spreads the work, our functions do it.

An engine reads the files and finds what is connected (`spark`). What follows from what is
connected is decided by the function that decides everywhere (`following`), numbered as if one
machine had done it (`numbering`), and loaded by COPY (`tables`). These three know no engine.
"""
