"""A server that others reach, for real: with a certificate of its own, and behind nginx as docs/server.md shows it."""

import json
import os
import re
import ssl
import time
from pathlib import Path

import httpx2
import pytest

from lineal import Client, save_artifact
from lineal.workspace import open_workspace

from .encrypted import PASSWORD, Authority, Behind, Machine, Start, free_port, serve


def test_a_server_with_its_own_certificate_is_used_by_who_trusts_its_authority(
    start: Start, authority: Authority, token: str, lineal_home: Path, tmp_path: Path
) -> None:
    """Signing in, listing, running: over TLS, by a name that the certificate is for."""
    port = free_port()
    chain, key = authority.certificate("DNS:localhost,IP:127.0.0.1")
    serve(start, port, "--tls-cert", str(chain), "--tls-key", str(key))
    machine = Machine(tmp_path / "machine", lineal_home, token, authority.file)
    for url in (f"https://localhost:{port}", f"https://127.0.0.1:{port}"):
        assert "knows you as eddy (editor)" in machine.run("login", url, "--token", given=token).out
        assert "eddy" in machine.run("token", "list", "--server", url).out
    url = f"https://localhost:{port}"
    for expected in ("['completed', 'completed']", "['cached', 'cached']"):
        out, err = machine.script("watch", url).communicate("\n", timeout=120)
        assert expected in out, err
    assert Client().list_pipeline_runs().total == 2
    with httpx2.Client(base_url=url, verify=ssl.create_default_context(cafile=authority.file)) as browser:
        answer = browser.post("/api/v1/session", json={"name": "eddy", "password": PASSWORD})
        assert answer.headers["set-cookie"].startswith("__Host-lineal_session=")
        assert "Secure" in answer.headers["set-cookie"]
        assert "strict-transport-security" in browser.get("/").headers


@pytest.mark.parametrize(
    ("names", "is_trusted", "reason"),
    [
        ("DNS:localhost,IP:127.0.0.1", False, "unable to get local issuer certificate"),
        ("DNS:lineal.example.org", True, "Hostname mismatch, certificate is not valid for 'localhost'"),
    ],
)
def test_a_certificate_that_proves_nothing_is_refused(
    start: Start, authority: Authority, token: str, lineal_home: Path, tmp_path: Path, names: str, is_trusted: bool, reason: str
) -> None:
    """A stranger who answers in the server's place gets no token: the error says why, and what to do. It is not tried again."""
    port = free_port()
    chain, key = authority.certificate(names)
    serve(start, port, "--tls-cert", str(chain), "--tls-key", str(key))
    machine = Machine(tmp_path / "machine", lineal_home, token, authority.file if is_trusted else None)
    url = f"https://localhost:{port}"
    began = time.monotonic()
    for said in (machine.run("login", url, "--token", given=token), machine.run("runs", "list", url=url)):
        assert said.code == 5
        assert f"the certificate of {url} cannot be trusted: {reason}" in said.err
        assert "SSL_CERT_FILE" in said.err
        assert "Traceback" not in said.err
    assert time.monotonic() - began < 60
    assert open_workspace().accounts.list_tokens("eddy")[0].used is None, "the token was never sent"


def test_who_encrypts_where_nobody_does_is_told(start: Start, token: str, lineal_home: Path, tmp_path: Path) -> None:
    port = free_port()
    serve(start, port)
    machine = Machine(tmp_path / "machine", lineal_home, token, None)
    url = f"https://localhost:{port}"
    for said in (machine.run("login", url, "--token", given=token), machine.run("runs", "list", url=url)):
        assert said.code == 5
        assert "what listens there does not encrypt; write http:// if it is on this machine" in said.err


def test_behind_nginx_a_run_is_shown_while_it_goes_on(behind: Behind) -> None:
    """Its events are not kept back by the proxy: they come while its step waits for us."""
    process = behind.machine.script("watch", behind.url)
    assert process.stdin is not None
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    headers = {"authorization": f"Bearer {behind.machine.token}"}
    statuses, last = [], ""
    with (
        httpx2.Client(base_url=behind.url, verify=behind.verify, headers=headers, timeout=60) as client,
        client.stream("GET", f"/api/v1/runs/{run_id}/events") as events,
    ):
        for line in events.iter_lines():
            if line.startswith("event: "):
                last = line.removeprefix("event: ")
            if line.startswith("data: ") and last == "run":
                statuses.append(json.loads(line.removeprefix("data: "))["status"])
                if len(statuses) == 1:
                    assert process.poll() is None
                    process.stdin.write("\n")
                    process.stdin.flush()
    assert (statuses[0], statuses[-1], last) == ("running", "completed", "end")
    out, err = process.communicate(timeout=60)
    assert "['completed', 'completed']" in out, err


def test_behind_nginx_large_things_pass_both_ways(behind: Behind, tmp_path: Path, lineal_home: Path) -> None:
    """A commit of several megabytes in, a file of sixty out, as a whole and in parts."""
    folder = behind.machine.folder / "many"
    folder.mkdir()
    out, err = behind.machine.script(str(folder), behind.url).communicate(timeout=120)
    assert "['completed']" in out, err
    data = os.urandom(1 << 20) * 60
    version = save_artifact(data, "data")
    path = f"/api/v1/versions/{version.id}/files/0"
    headers = {"authorization": f"Bearer {behind.machine.token}"}
    with httpx2.Client(base_url=behind.url, verify=behind.verify, headers=headers, timeout=60) as client:
        assert client.get(path).content == data
        part = client.get(path, headers={"range": "bytes=52428800-53477375"})
        assert (part.status_code, part.content) == (206, data[52428800:53477376])
        assert part.headers["content-range"] == f"bytes 52428800-53477375/{len(data)}"
        assert client.get(path, headers={"range": f"bytes={len(data)}-"}).status_code == 416
        assert client.get(path, headers={"if-none-match": part.headers["etag"]}).status_code == 304


def test_behind_nginx_the_dashboard_is_whole_below_its_path_and_who_asks_is_known(behind: Behind) -> None:
    """Cookies are for that path and for TLS; another site changes nothing; the audit has the address of who asked the proxy."""
    with httpx2.Client(base_url=behind.url, verify=behind.verify) as browser:
        page = browser.get("/")
        assets = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page.text)
        assert assets
        assert [browser.get(f"/{each}").status_code for each in assets] == [200] * len(assets)
        for origin, status in (("https://evil.test", 403), (behind.url.removesuffix("/lineal"), 204)):
            body = {"name": "eddy", "password": PASSWORD}
            answer = browser.post("/api/v1/session", json=body, headers={"origin": origin, "x-forwarded-for": "203.0.113.9"})
            assert answer.status_code == status
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Secure-lineal_session=")
        assert "Path=/lineal/" in cookie
        assert browser.get("/api/v1/me").json()["name"] == "eddy"
    assert open_workspace().accounts.list_audit(what="login").items[0].peer == "127.0.0.1", "what a client says of itself counts nothing"


def test_behind_nginx_a_server_that_is_restarted_is_waited_for(behind: Behind) -> None:
    """The proxy answers 502 meanwhile, in a page of its own."""
    process = behind.machine.script("watch", behind.url)
    assert process.stdout is not None
    process.stdout.readline()
    behind.server.terminate()
    behind.server.wait(20)
    assert httpx2.get(behind.url, verify=behind.verify, follow_redirects=True).status_code == 502
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    time.sleep(1)
    behind.again()
    out, err = process.communicate(timeout=60)
    assert "['completed', 'completed']" in out, err
