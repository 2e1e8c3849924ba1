"""`lineal server`: the dashboard and the API for a team, with users and passwords."""

import contextlib
import ipaddress
import re
import ssl
import sys
from pathlib import Path
from typing import Any

import click

from lineal.console import json_option, print_json
from lineal.errors import UsageError
from lineal.server.app import create_app
from lineal.server.serve import HOST, PORT, listen, run
from lineal.server.team import TeamAccess
from lineal.workspace import open_workspace

_ROOT = re.compile(r"(/[A-Za-z0-9._~-]+)*")


@click.command("server", short_help="Serve what is stored to a team, with users and passwords.")
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port to listen on; 0 for any free one.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="Host name, with its port if not 80 or 443, under which it is reached.")
@click.option(
    "--trusted-proxy", multiple=True, metavar="ADDRESS", help="Address or network of a proxy whose forwarded headers are believed."
)
@click.option("--root-path", default="", metavar="PATH", help="Path below which a proxy shows it, such as /lineal.")
@click.option(
    "--tls-cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificate chain, to encrypt without a proxy."
)
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Key of the certificate.")
@click.option("--insecure-http", is_flag=True, help="Let passwords travel unencrypted to another address than this machine's.")
@json_option
def command(
    host: str, port: int, allow_host: tuple[str, ...], trusted_proxy: tuple[str, ...], root_path: str, tls_cert: Path | None,
    tls_key: Path | None, insecure_http: bool, as_json: bool,
) -> None:  # fmt: skip
    """Serve the dashboard and the HTTP API to a team until Ctrl-C.

    As long as there is no admin it prints a token, with which the first one is made in the browser. It listens on this machine only unless
    --host says otherwise; then it wants the names under which it is reached, and encryption: its own (--tls-cert, --tls-key), or that of a
    proxy (--trusted-proxy).
    """
    is_encrypted = check_exposure(host, allow_host, has_proxy=bool(trusted_proxy), tls=(tls_cert, tls_key), is_insecure=insecure_http)
    if tls_cert is not None and tls_key is not None:
        check_certificate(tls_cert, tls_key)
    root = checked_root(root_path)
    for each in trusted_proxy:
        _check_network(each)
    workspace = open_workspace()
    access = TeamAccess(workspace.accounts)
    with contextlib.closing(listen(port, host)) as listener:
        number = listener.getsockname()[1]
        own = [f"{name}:{number}" for name in (f"[{host}]" if ":" in host else host, "localhost")] if _is_loopback(host) else []
        app = create_app(workspace, access, [*own, *allow_host], root)
        url = f"{'https' if is_encrypted else 'http'}://{(list(allow_host) or own)[0]}{root}"
        _tell(url, access.new_setup_token() if access.needs_setup() else None, as_json=as_json)
        more: dict[str, Any] = {}
        if trusted_proxy:
            more = {"proxy_headers": True, "forwarded_allow_ips": list(trusted_proxy)}
        if tls_cert is not None:
            more |= {"ssl_certfile": str(tls_cert), "ssl_keyfile": str(tls_key)}
        run(app, listener, limit_concurrency=1000, **more)


def check_exposure(
    host: str, allow_host: tuple[str, ...], *, has_proxy: bool, tls: tuple[Path | None, Path | None], is_insecure: bool
) -> bool:
    """Give whether what arrives was encrypted. Raises UsageError when others could read along, or pretend to be this server."""
    if (tls[0] is None) != (tls[1] is None):
        raise UsageError("--tls-cert and --tls-key belong together; give both, or none")
    if not _is_loopback(host):
        if not allow_host:
            raise UsageError(f"at {host} other machines reach it: say under which names, such as --allow-host lineal.example.org")
        if tls[0] is None and not has_proxy and not is_insecure:
            raise UsageError(
                f"at {host} passwords and tokens would travel unencrypted: give --tls-cert and --tls-key, or --trusted-proxy with the address "
                "of the proxy that encrypts; --insecure-http does without, for a network that only you reach"
            )
    return tls[0] is not None or has_proxy


def check_certificate(chain: Path, key: Path) -> None:
    """Raise UsageError unless a chain of certificates and a key can be used together. An encrypted key cannot: nobody is there to open it."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(chain, key, password="")
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        raise UsageError(
            f"--tls-cert {chain} and --tls-key {key} cannot be used: {reason}. Give the chain, the server's own certificate first, and the "
            "unencrypted key of that one, both as PEM"
        ) from error


def checked_root(path: str) -> str:
    """Give a root path without a slash at its end. Raises UsageError for what is none."""
    root = path.rstrip("/")
    if not _ROOT.fullmatch(root) or "/." in root:
        raise UsageError(f"--root-path {path[:200]!a} is no path; write /lineal")
    return root


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise UsageError(f"--host {host[:200]!a} is no address; write 127.0.0.1, or 0.0.0.0 for all of this machine") from None


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise UsageError(f"--trusted-proxy {text[:200]!a} is no address or network; write 192.0.2.7 or 192.0.2.0/24") from None


def _tell(url: str, setup: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": url, "setup_token": setup})
    else:
        click.echo(f"Lineal serves a team at {url} (Ctrl-C ends it)")
        if setup is not None:
            # Behind the #, a token reaches no server's log.
            click.echo(f"set up    {url}/#/setup?token={setup}")
            click.echo("          it makes the first admin, once; whoever reads this can")
    sys.stdout.flush()
