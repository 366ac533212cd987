"""What looks wrong, found without anybody asking.

Values that strangers share, customers that one link holds together. Nothing here changes a
customer: a person looks, and rules or says that it is fine.
"""

from identity.reviewing.sweeping import Swept, sweep

__all__ = ["Swept", "sweep"]
