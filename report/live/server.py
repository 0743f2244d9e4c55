"""The application: the page, what a change brings, files to take away, news for other tabs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from report import answering, document, student
from report.autodiff.inputs import check_name
from report.errors import ReportError
from report.live import editing, form, plot
from report.live.editing import Editing
from report.live.safety import Guarded
from report.live.static import static
from report.live.worker import Superseded, Worker

WHOLE, HEAVY = 20.0, 120.0  # seconds that work may take
MAX_STEPS = 500  # of gradient descent that the plot shows


class LivePage(Editing):
    """The pages, forms and files of one homework."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(path)
        self.slow = Worker()

    def app(self, token: str, port: int) -> Guarded:
        """The application at its secret address."""
        routes = [
            Route("/", self.page),
            Route("/edit", self.edit, methods=["POST"]),
            Route("/input", self.change_input, methods=["POST"]),
            Route("/text", self.set_text, methods=["POST"]),
            Route("/undo", self.undo, methods=["POST"]),
            Route("/descend", self.descend, methods=["POST"]),
            Route("/own", self.own, methods=["POST"]),
            Route("/fragments", self.fragments),
            Route("/document", self.document),
            Route("/runs", self.runs),
            Route("/events", self.events),
            Route("/download/{kind}", self.download),
            Route("/static/{name}", static),
        ]
        whole = Starlette(
            routes=[Mount(f"/{token}", routes=routes)],
            lifespan=self.lifespan,
            exception_handlers={ReportError: self.refuse},
        )
        return Guarded(whole, token, port)

    async def refuse(self, _: Request, error: Exception) -> Response:
        """What is wrong with a request to which no fragments can be given."""
        context = {"error": self.without_place(str(error)), "whole": False}
        return HTMLResponse(
            _render("live/error.html.j2", context), headers={**_FRESH, "HX-Trigger": "failed"}
        )

    def without_place(self, words: str) -> str:
        """A message without the file's name, which the page shows anyway."""
        plain = re.sub(rf"^{re.escape(self.file.name)}(, question [\w-]+)?: ", "", words)
        return plain.replace(self.file.name, Path(self.file.name).name)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Start the workers and follow the file; save what is left at the end."""
        started = [asyncio.create_task(w.ask("ready")) for w in (self.quick, self.slow)]
        following = asyncio.create_task(self.follow())
        try:
            yield
        finally:
            for task in (following, *started):
                task.cancel()
            if self.saving:
                self.saving.cancel()
            self.save()
            self.quick.end()
            self.slow.end()

    # ------------------------------------------------------------ the page

    async def page(self, request: Request) -> Response:
        """The whole page; that of the first question where no other one is named."""
        try:
            question = self.asked(request)
        except ReportError:
            return RedirectResponse("./")
        context = {**self.form_context(question), **await self.computed(question), "whole": True}
        return HTMLResponse(_render("live/page.html.j2", context), headers=_FRESH)

    def asked(self, request: Request) -> str:
        """The question that a request is about: the first where it names none. ReportError for none of the file."""
        known = [q.id for q in self.file.parsed.questions]
        name: str = request.query_params.get("q") or known[0]
        if name not in known:
            raise ReportError(
                f"the file has no question {name[:40]} any more; load the page without ?q="
            )
        return name

    def form_context(self, question: str) -> dict[str, Any]:
        """What the form shows."""
        homework = self.file.parsed
        asked = homework.question(question)
        return {
            "homework": homework,
            "question": asked,
            "inputs": form.inputs_of(asked),
            "more": form.more_of(asked),
            "unfold": " ".join(asked.unfolded),
            "version": self.file.version,
            "file": self.file,
            "saved": self.file.path is not None and self.file.text == self.file.on_disk,
            "problem": self.problem,
            "losses": plot.losses(self.losses.get(question, [])),
            "count": len(self.losses.get(question, [])),
        }

    async def computed(self, question: str) -> dict[str, Any]:
        """The fragments for values and graph, or in `error` why there are none."""
        try:
            found = await self.quick.ask(
                "quick",
                self.file.text,
                self.file.name,
                question,
                kind="quick",
                seconds=editing.QUICK,
            )
        except ReportError as error:
            return {"error": self.without_place(str(error)), "parts": None}
        return {"error": "", "parts": found}

    async def fragments(self, request: Request) -> Response:
        """Everything that a change may have changed; for a tab that hears of one."""
        return await self.answer(self.asked(request))

    async def answer(
        self, question: str, error: str = "", fields: Collection[str] = ()
    ) -> Response:
        """The fragments after a change; `error` is what was wrong with it, or with some `fields` of it."""
        version = self.file.version
        try:
            found = await self.computed(question)
        except Superseded:
            return Response(status_code=204)
        if error:
            found = {**found, "error": self.without_place(error)}
        context = {**self.form_context(question), **found, "whole": False}
        told: dict[str, Any] = {"changed": None} if found["parts"] else {"failed": None}
        told |= {"rejected": list(fields), "version": version}
        headers = {**_FRESH, "HX-Trigger": json.dumps(told)}
        if version != self.file.version:
            context["version"] = version
        return HTMLResponse(_render("live/fragments.html.j2", context), headers=headers)

    # ------------------------------------------------------------ changes

    async def edit(self, request: Request) -> Response:
        """A form with what a user has changed in it."""
        posted = await _posted(request)
        question = self.asked(request)
        base = self.file.homework(_count(posted, "version", 0))
        changed = form.changes(posted, base, self.file.parsed, question)
        try:
            if changed:
                await self.apply(question, changed.heading, dict(changed.question))
        except ReportError as error:
            return await self.answer(question, str(error), posted)
        return await self.answer(question, "\n".join(changed.faults.values()), changed.faults)

    async def change_input(self, request: Request) -> Response:
        """One input in another way: its size, pasted numbers, drawn ones, taken away; or all drawn."""
        posted = await _posted(request)
        question = self.asked(request)
        q = self.file.parsed.question(question)
        name, what = posted.get("name", ""), posted.get("what", "")
        try:
            if what == "draw":
                plain = [i.name for i in form.inputs_of(q) if i.kind in form.KINDS]
                values = form.drawn(q.inputs, plain, posted.get("seed", "1")[:100])
            elif what == "add":
                if name in q.inputs:
                    raise ReportError(f"there is an input {name!r} already")
                values = {check_name(name): 1.0}
            elif name not in q.inputs:
                raise ReportError(f"there is no input {name[:40]!r}")
            elif what == "paste":
                values = {name: form.pasted(posted.get("text", ""), name)}
            elif what == "size":
                rows, columns = (_count(posted, key) for key in ("rows", "columns"))
                values = {name: form.sized(q.inputs[name], rows, columns)}
            else:
                values = {name: None}
            await self.apply(question, {}, {"inputs": values})
        except ReportError as error:
            return await self.answer(question, str(error))
        return await self.answer(question)

    async def set_text(self, request: Request) -> Response:
        """The file as text."""
        posted = await _posted(request)
        question = self.asked(request)
        try:
            if _count(posted, "version", 0) != self.file.version:
                raise ReportError(
                    "the file was changed elsewhere meanwhile; copy your text, then load the page again"
                )
            before = self.file.parsed
            if self.file.change(posted.get("text", "")):
                self.touch(before)
                self.file.unsaved.clear()
                self.losses.clear()
                self.changed()
        except ReportError as error:
            return await self.answer(question, str(error), ["text"])
        return await self.answer(self.asked(request))

    async def undo(self, request: Request) -> Response:
        """Take back the last change."""
        if self.file.undo():
            self.losses.clear()
            self.changed()
        return await self.answer(self.asked(request))

    async def descend(self, request: Request) -> Response:
        """Steps of gradient descent: each input asked for less its gradient times the rate."""
        posted = await _posted(request)
        question = self.asked(request)
        losses = self.losses.get(question, [])
        try:
            rate = float(form.number(posted.get("rate", ""), "rate"))
            many = min(_count(posted, "steps"), 100)
            for _ in range(many):
                losses = losses or [await self.value(question)]
                args = (self.file.text, self.file.name, question)
                slopes = await self.quick.ask("gradients", *args, seconds=editing.QUICK)
                q = self.file.parsed.question(question)
                moved = {name: _less(q.inputs[name], g, rate) for name, g in slopes.items()}
                if self.file.edit(question, {}, {"inputs": moved}):
                    self.changed()
                losses = [*losses, await self.value(question)][-MAX_STEPS:]
        except ReportError as error:
            self.losses[question] = losses
            return await self.answer(question, str(error))
        self.losses[question] = losses
        return await self.answer(question)

    async def value(self, question: str) -> float:
        """The function's value with the inputs of now."""
        args = (self.file.text, self.file.name, question)
        found: float = await self.quick.ask("value", *args, seconds=editing.QUICK)
        return found

    # ------------------------------------------------------------ the document and files

    async def document(self, request: Request) -> Response:
        """The question as in the report, without what its programs print."""
        return await self.asked_for("whole", request, WHOLE)

    async def runs(self, request: Request) -> Response:
        """The same with its programs run; nothing where the homework has changed meanwhile."""
        return await self.asked_for("with_runs", request, WHOLE)

    async def asked_for(self, what: str, request: Request, seconds: float) -> Response:
        """What the slow worker makes of the question, the newest request first."""
        version = self.file.version
        question = self.asked(request)
        args = (self.file.text, self.file.name, question)
        try:
            found = await self.slow.ask(what, *args, kind="document", seconds=seconds)
        except Superseded:
            return Response(status_code=204)
        except ReportError as error:
            words = self.without_place(str(error))
            return HTMLResponse(_render("live/failed.html.j2", {"error": words}), headers=_FRESH)
        if what == "with_runs" and version != self.file.version:
            return Response(status_code=204)
        mark = f'<span id="document-version" data-version="{version}" hidden></span>'
        return HTMLResponse(mark + found, headers=_FRESH)

    async def own(self, request: Request) -> Response:
        """A student's own numbers, or a program that is to run now, held against the question."""
        posted = await _posted(request)
        question = self.asked(request)
        what, written = posted.get("what", ""), posted.get("text", "")
        args = (self.file.text, self.file.name, question)
        try:
            if what == "numbers":
                found = await self.slow.ask("own_numbers", *args, written, seconds=WHOLE)
            else:
                name, source = self.own_source(question, what, written)
                found = await self.slow.ask("own_program", *args, name, source, seconds=HEAVY)
        except ReportError as error:
            words = self.without_place(str(error))
            found = _render("live/own-failed.html.j2", {"fault": words})
        return HTMLResponse(found, headers=_FRESH)

    def own_source(self, question: str, what: str, written: str) -> tuple[str, str]:
        """The name and the text of a program: what was typed, or a file that the homework names."""
        if what == "program":
            notebook = written.lstrip().startswith("{")
            return ("mine.ipynb" if notebook else "mine.py"), written.replace("\r\n", "\n")
        name = what.removeprefix("file:")
        if self.file.path is None or name not in self.file.parsed.question(question).program:
            raise ReportError("this homework names no such program")
        own = answering.own_file(self.file.path, name)
        return name, student.program_text(own)

    async def download(self, request: Request) -> Response:
        """A file for the user."""
        kind = request.path_params["kind"]
        if kind == "toml":
            name = self.file.path.name if self.file.path else "homework.toml"
            return _file(self.file.text.encode(), "application/toml; charset=utf-8", name)
        if kind not in ("solution", "sheet", "key", "html", "svg", "programs", "trace"):
            return Response("There is no such file.", status_code=404)
        try:
            args = (self.file.text, self.file.name, kind, self.asked(request))
            return _file(*await self.slow.ask("download", *args, seconds=HEAVY))
        except ReportError as error:
            words = self.without_place(str(error))
            return Response(words, status_code=422, media_type="text/plain; charset=utf-8")

    async def events(self, request: Request) -> Response:
        """What happens elsewhere, as server-sent events."""
        queue: asyncio.Queue[str] = asyncio.Queue()

        async def stream() -> AsyncIterator[str]:
            self.watchers.add(queue)
            try:
                yield f"data: version {self.file.version}\n\n"
                while True:
                    yield f"data: {await queue.get()}\n\n"
            finally:
                self.watchers.discard(queue)

        return StreamingResponse(stream(), media_type="text/event-stream", headers=_FRESH)


# ---------------------------------------------------------------- small things

_FRESH = {"Cache-Control": "no-store"}


def _render(name: str, context: Mapping[str, Any]) -> str:
    return document.environment(document.BROWSER).get_template(name).render(context)


async def _posted(request: Request) -> dict[str, str]:
    """The fields of a form."""
    try:
        body = (await request.body()).decode("utf-8", "replace")
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=5000))
    except (ValueError, ClientDisconnect):
        raise ReportError("this is too large for the live page") from None


def _count(posted: Mapping[str, str], key: str, least: int = 1) -> int:
    """A whole number of a form; the least where there is none."""
    text = posted.get(key, "").strip()
    return max(int(text), least) if re.fullmatch(r"[0-9]{1,9}", text) else least


def _file(data: bytes, kind: str, name: str) -> Response:
    plain = re.sub(r"[^\w.-]", "-", name, flags=re.ASCII)
    headers = {**_FRESH, "Content-Disposition": f'attachment; filename="{plain}"'}
    return Response(data, media_type=kind, headers=headers)


def _less(value: Any, gradient: Any, rate: float) -> Any:
    """x − rate · gradient, rounded to six digits, as they are shown and saved."""
    if isinstance(value, list):
        return [_less(v, g, rate) for v, g in zip(value, gradient, strict=True)]
    return float(f"{value - rate * gradient:.6g}")
