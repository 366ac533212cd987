"""Who may ask: API keys, and users who sign in. Secrets are kept as hashes only."""

from identity.access import guarding, keys, users
from identity.access.guarding import anybody, let_local_in
from identity.access.keys import PREFIX, Key, Scope, all_keys, create_key, key_of, revoke_key
from identity.access.names import ENVIRONMENT_KEY, ENVIRONMENT_USER, is_name
from identity.access.sessions import (
    LASTS,
    Session,
    begin_session,
    end_session,
    end_sessions_of,
    session_of,
    sessions_of,
)
from identity.access.users import (
    Person,
    change_password,
    change_role,
    create_user,
    is_password_of,
    password_hash_of,
    remove_user,
    users_by_name,
)
from identity.roles import Role

__all__ = [
    "ENVIRONMENT_KEY",
    "ENVIRONMENT_USER",
    "LASTS",
    "PREFIX",
    "Key",
    "Person",
    "Role",
    "Scope",
    "Session",
    "all_keys",
    "anybody",
    "begin_session",
    "change_password",
    "change_role",
    "create_key",
    "create_user",
    "end_session",
    "end_sessions_of",
    "forget",
    "is_name",
    "is_password_of",
    "key_of",
    "let_local_in",
    "password_hash_of",
    "remove_user",
    "revoke_key",
    "session_of",
    "sessions_of",
    "users_by_name",
]


def forget() -> None:
    """Ask the database afresh for whatever was remembered."""
    keys.with_hash.forget()
    users.password_hash.forget()
    guarding.told_apart.forget()
