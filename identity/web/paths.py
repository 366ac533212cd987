"""Addresses of which several are made."""

from identity.models import LARGEST_ID

CLUSTER = f"/clusters/<int(max={LARGEST_ID}):contact_id>"
RULING = f"/rulings/<int(max={LARGEST_ID}):ruling_id>"
ERASURE = f"/erasures/<int(max={LARGEST_ID}):erasure_id>"
IMPORT = f"/imports/<int(max={LARGEST_ID}):import_id>"
FINDING = f"/findings/<int(max={LARGEST_ID}):finding_id>"
WEBHOOK = f"/webhooks/<int(max={LARGEST_ID}):webhook_id>"
MESSAGE = f"/messages/<int(max={LARGEST_ID}):message_id>"
