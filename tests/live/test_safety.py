"""Who is answered: this machine, the right host and origin, who knows the page's address."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from report.live.server import LivePage

pytestmark = pytest.mark.xdist_group("guarded page")
TOKEN = "secret-of-this-page"
PORT = 8765
HOME = f"http://127.0.0.1:{PORT}"
OWN = {"origin": HOME}


@pytest.fixture(scope="module")
def client():
    app = LivePage(None).app(TOKEN, PORT)
    with TestClient(app, base_url=HOME, client=("127.0.0.1", 50000)) as client:
        yield client


def test_the_page_is_at_its_secret_address_only(client):
    assert client.get(f"/{TOKEN}/").status_code == 200
    for path in ("*", "/", "/edit", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/", "/static/live.css", "/%00/"):
        assert client.get(path).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", "", f"[::1]:{PORT}"],
)
def test_other_hosts_are_refused(client, host):
    """DNS rebinding: the name of another site that leads to this machine."""
    assert client.get(f"/{TOKEN}/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9000", "https://127.0.0.1:8765"]
)
def test_other_origins_are_refused(client, origin):
    for headers in ({"origin": origin}, {"origin": origin, "sec-fetch-site": "same-origin"}):
        assert client.post(f"/{TOKEN}/edit", headers=headers).status_code == 403
        assert client.get(f"/{TOKEN}/", headers=headers).status_code == 403
    assert client.get(f"/{TOKEN}/", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_change_says_where_it_comes_from(client):
    assert client.post(f"/{TOKEN}/edit", content="function=x").status_code == 403
    assert client.post(f"/{TOKEN}/edit", headers=OWN, content="version=1").status_code == 200


def test_other_machines_are_refused():
    app = LivePage(None).app(TOKEN, PORT)
    client = TestClient(app, base_url=HOME, client=("192.168.0.7", 50000))
    assert client.get(f"/{TOKEN}/").status_code == 403


def test_large_requests_are_refused(client):
    assert client.post(f"/{TOKEN}/text", headers=OWN, content="x" * 1_000_001).status_code == 413
    with contextlib.suppress(Exception):  # a body that does not say its length is cut off
        found = client.post(
            f"/{TOKEN}/text", headers=OWN, content=iter([b"text="] + [b"x" * 100_000] * 20)
        )
        assert found.status_code != 200 or "too large" in found.text


def test_headers_forbid_what_the_page_does_not_do(client):
    headers = client.get(f"/{TOKEN}/").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"


def test_only_files_of_the_page_are_given_away(client):
    assert client.get(f"/{TOKEN}/static/live.js").status_code == 200
    for name in (
        "../live.js",
        "..%2f..%2fpyproject.toml",
        "report.css",
        "live.js/..",
        "globals.d.ts",
    ):
        assert client.get(f"/{TOKEN}/static/{name}").status_code in (403, 404)
    assert client.get(f"/{TOKEN}/download/passwd").status_code == 404


def test_text_of_the_user_stays_text(client):
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    posted = {"version": "1", "title": hostile, "function": 'x"><script>alert(1)</script>'}
    answer = client.post(f"/{TOKEN}/edit", headers=OWN, data=posted).text
    for page in (answer, client.get(f"/{TOKEN}/").text, client.get(f"/{TOKEN}/document").text):
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_port_that_is_taken_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "report", "serve", "--port", port]
        found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert found.returncode == 2
    assert f"port {port} cannot be had" in found.stderr
    assert "Traceback" not in found.stderr


def test_it_listens_on_loopback_only_and_ends_in_peace(tmp_path):
    command = [sys.executable, "-m", "report", "serve", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        port = int(address.split(":")[2].split("/")[0])
        with urllib.request.urlopen(address, timeout=30) as page:
            assert page.status == 200
        table = Path("/proc/net/tcp")
        listening = (
            [line.split() for line in table.read_text().splitlines()] if table.exists() else []
        )
        bound = [
            row[1] for row in listening[1:] if row[1].endswith(f":{port:04X}") and row[3] == "0A"
        ]
        assert bound in ([], [f"0100007F:{port:04X}"])
        process.send_signal(2)
        started = time.monotonic()
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0
        assert said == ""
        assert time.monotonic() - started < 10
