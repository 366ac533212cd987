"""Getting at the text of a file: whatever it is packed in, encoded with and comes through.

What stands in a row, and which columns are read, is not decided here.
"""
