"""Who may ask for what: this machine only, the right host and origin, the page's own secret address."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

MAX_BODY = 1_000_000  # bytes of a request
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guarded:
    """An ASGI application behind the rules; what breaks one gets a short answer in plain text.

    All addresses begin with the token, which only who started the server knows. A page of another
    origin can neither read nor guess it; what says that it comes from one is refused as well.
    """

    def __init__(self, app: Any, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or refuse."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        status, words = self.refusal(scope, headers)
        if status:
            await _plain(send, status, words)
            return
        await self.app(scope, _limited(receive), _with_headers(send))

    def refusal(self, scope: Any, headers: dict[str, str]) -> tuple[int, str]:
        """The status and words of a refusal; 0 where the request may pass."""
        client = scope.get("client")
        if client and not _is_loopback(client[0]):
            return 403, "The live page is for this machine only."
        host = headers.get("host", "")
        if host not in self.hosts:
            return 421, "The live page is at 127.0.0.1 and localhost only."
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return 403, "Requests from other pages are refused."
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "Requests from other pages are refused."
        if scope["method"] not in ("GET", "HEAD") and origin is None:
            return 403, "A change needs the header Origin."
        given = scope["path"].removeprefix("/").partition("/")[0].encode("utf-8", "replace")
        if not hmac.compare_digest(given, self.token.encode()):
            return 403, "Open the address that `report serve` printed."
        length = headers.get("content-length") or "0"
        if not length.isdecimal() or int(length) > MAX_BODY:
            return 413, "This is too large for the live page."
        return 0, ""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _limited(receive: Any) -> Any:
    """The body of a request, cut off where it is longer than it may be."""
    size = 0

    async def limited() -> Any:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            return {"type": "http.disconnect"}
        return message

    return limited


def _with_headers(send: Any) -> Any:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            own = [(k.encode(), v.encode()) for k, v in _HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *own]}
        await send(message)

    return sending


async def _plain(send: Any, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})
