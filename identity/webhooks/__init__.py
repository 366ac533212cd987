"""Webhooks: other systems hear of what happens to customers, without asking.

As the Standard Webhooks specification has it. What is told is what the feed tells.
"""
