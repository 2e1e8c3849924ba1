"""The tokens of this user for servers, one per URL, in a file of the configuration folder that only its owner can read."""

import contextlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lineal.errors import SettingsError, UsageError
from lineal.settings import Settings, config_folder

FILE = "tokens.json"
_LOCAL = re.compile(r"localhost|127(\.\d+){3}|::1")


def server_url(text: str) -> str:
    """Give a server's URL in the one way in which it is written: lower case, without the port that is understood and without a slash at
    the end. Raises UsageError for what is no URL of a server.
    """
    try:
        parts = urlsplit(text.strip())
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError:
        scheme, host, port, parts = "", "", None, urlsplit("")
    if scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise UsageError(f"{text[:200]!a} is no URL of a server; write https://lineal.example.org, without user, query and fragment")
    shown = f"[{host}]" if ":" in host else host
    is_usual = port in (None, 443 if scheme == "https" else 80)
    return f"{scheme}://{shown}{'' if is_usual else f':{port}'}{parts.path.rstrip('/')}"


def is_private(url: str) -> bool:
    """Tell whether nobody between here and a server reads along: it is encrypted, or on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or _LOCAL.fullmatch(parts.hostname or "") is not None


def token_for(server: str, settings: Settings) -> str | None:
    """Give the token to send to a server: that of the settings, else the one that `lineal login` has kept for this very URL, else None."""
    return settings.token or kept_tokens().get(server_url(server))


def kept_tokens() -> dict[str, str]:
    """Give what `lineal login` has kept: tokens by URL. Raises SettingsError for a file that is none of ours."""
    path = config_folder() / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}; remove it, and log in again") from error
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise SettingsError(f"{path} holds no tokens by URL; remove it, and log in again")
    return found


def keep_token(server: str, token: str) -> Path:
    """Keep a token for a server; gives the file."""
    return _write({**kept_tokens(), server_url(server): token})


def forget_token(server: str) -> str | None:
    """Forget the token for a server; gives it, None when there was none."""
    tokens = kept_tokens()
    found = tokens.pop(server_url(server), None)
    if found is not None:
        _write(tokens)
    return found


def _write(tokens: dict[str, Any]) -> Path:
    path = config_folder() / FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{FILE}.{secrets.token_hex(4)}")
    try:
        # Never readable by others, not even for a moment, and never half written.
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            json.dump(tokens, file, indent=2, sort_keys=True)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise SettingsError(f"{path} cannot be written: {error.strerror}; check the permissions of the folder") from error
    return path
