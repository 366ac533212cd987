"""What looks wrong, found without anybody asking.

Values that strangers share, customers that one link holds together. Nothing here changes a
customer: a person looks, and rules or says that it is fine.
"""
