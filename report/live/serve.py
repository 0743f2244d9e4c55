"""`report serve`: a free port of this machine, the server on it, the address to open."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from report.errors import ReportError

MISSING = 'the live page needs more libraries: pip install "report[live]" from this checkout, or make serve'


def serve(
    path: Path | None, port: int, tell: Callable[[str], None], *, open_browser: bool = False
) -> None:
    """Serve the live page of a homework file, or of a new one, until the process is interrupted.

    `tell` gets the address, which holds a secret and is all that is needed to use the page. Raises
    ReportError where the file is no homework file, the port is taken or a library is missing.
    """
    try:
        import uvicorn

        from report.live.server import LivePage
    except ImportError as error:
        if (error.name or "").startswith("report"):
            raise
        raise ReportError(MISSING) from None
    page = LivePage(path)
    with _socket(port) as bound:
        own = bound.getsockname()[1]
        token = secrets.token_urlsafe(24)
        address = f"http://127.0.0.1:{own}/{token}/"
        config = uvicorn.Config(
            page.app(token, own), log_level="warning", access_log=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        tell(f"The live page of {path or 'a new homework'}: {address}\nStop it with Ctrl-C.")
        if open_browser:
            import webbrowser

            webbrowser.open(address)
        server.run(sockets=[bound])


def _socket(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
        bound.listen()  # the address may be opened as soon as it is told
    except (OSError, OverflowError) as error:
        bound.close()
        raise ReportError(
            f"port {port} cannot be had ({getattr(error, 'strerror', error)}); choose another one: --port 8001"
        ) from None
    return bound
