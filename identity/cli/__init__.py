"""The commands: `flask identity ...`."""

from identity.cli.commands import Commands

PLACES = {
    "access": "disclosures:access",
    "apart": "rulings:apart",
    "audit": "audit:audit",
    "deliver": "delivering:deliver",
    "erase": "erasures:erase",
    "erasures": "erasures:erasures",
    "export": "exports:export_file",
    "import": "files:import_file",
    "key": "keys:key",
    "links-nobody": "rulings:links_nobody",
    "local": "audit:local",
    "report": "report:report",
    "retain": "retain:retain",
    "review": "review:review",
    "rulings": "rulings:rulings",
    "seed": "seed:seed",
    "undo": "rulings:undo",
    "user": "users:user",
    "verify": "verify:verify",
    "webhook": "webhooks:webhook",
    "why": "why:why",
    "withdraw": "rulings:withdraw",
}
"""Where each command is. To load all of them would take longer than most of them do."""
identity = Commands(
    "identity",
    "Look after the customers.",
    {name: f"{__name__}.{place}" for name, place in PLACES.items()},
)
