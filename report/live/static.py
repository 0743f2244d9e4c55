"""The files of the page itself: styles, scripts, fonts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from report import document, resources

_STATIC = {
    "live.css": ("assets/live/live.css", "text/css; charset=utf-8"),
    "screen.css": ("assets/live/screen.css", "text/css; charset=utf-8"),
    "copying.js": ("assets/live/copying.js", "text/javascript; charset=utf-8"),
    "stepper.css": ("assets/live/stepper.css", "text/css; charset=utf-8"),
    "live.js": ("assets/live/live.js", "text/javascript; charset=utf-8"),
    "stepper.js": ("assets/live/stepper.js", "text/javascript; charset=utf-8"),
    "htmx.min.js": ("assets/live/htmx.min.js", "text/javascript; charset=utf-8"),
    "idiomorph-ext.min.js": ("assets/live/idiomorph-ext.min.js", "text/javascript; charset=utf-8"),
    **{
        name: (f"assets/fonts/{name}", "font/otf" if name.endswith("otf") else "font/ttf")
        for name in (
            "STIXTwoText-Regular.otf",
            "STIXTwoText-Italic.otf",
            "STIXTwoText-Bold.otf",
            "STIXTwoMath-Regular.otf",
            "SourceCodePro-Regular.ttf",
        )
    },
}


async def static(request: Request) -> Response:
    """A file of the page itself."""
    name = request.path_params["name"]
    if name == "document.css":
        return Response(document.scoped_css(".document"), media_type="text/css; charset=utf-8")
    if name not in _STATIC:
        return Response("There is no such file.", status_code=404)
    path, kind = _STATIC[name]
    return Response(resources.path(path).read_bytes(), media_type=kind)
