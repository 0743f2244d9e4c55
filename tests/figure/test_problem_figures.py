"""The figures of all problem files: what they show, and that nothing in them is in another's way."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pytest
from markupsafe import Markup

import report
from report.autodiff.trace import Trace
from report.document import gate_html
from report.figure import Figure, Panel, draw
from report.homework import variants
from report.homework.homework import read_homework
from report.homework.traces import traces_of
from tests.figure.pictures import (
    Box,
    Picture,
    cramped,
    crossings,
    matrices,
    read,
    signs,
    spot,
    touching,
)
from tests.problem_files import PROBLEMS, each_problem, of

ANY_ORDER = {"add", "multiply", "maximum", "minimum", "dot"}  # of dot, the sign names both
ACCENTS = str.maketrans("\u0302\u0304\u0303", "ˆ¯˜")
all_problems = each_problem()
with_and_without = pytest.mark.parametrize("numbers", [True, False], ids=["solution", "sheet"])


@cache
def figures(problem: Path, numbers: bool = True) -> list[tuple[Trace, Figure, list[Picture]]]:
    """The figure of each question, and its panels read back."""
    work = variants.draw(read_homework(problem), "1815" if problem.stem == "class" else None)
    drawn = [(t, draw(t, numbers=numbers)) for t in traces_of(work).values()]
    return [(t, figure, [read(p.svg) for p in figure.panels]) for t, figure in drawn]


def parts(figure: Figure, pictures: list[Picture]) -> list[tuple[Panel, Picture]]:
    """The panels that show gates, behind the overview."""
    return list(zip(figure.panels, pictures, strict=True))[bool(figure.overview) :]


@with_and_without
@all_problems
def test_nothing_touches_and_all_is_large_enough(problem: Path, numbers: bool) -> None:
    for _, _, pictures in figures(problem, numbers):
        for picture in pictures:
            assert touching(picture) == []
            assert min(t.size for t in picture.texts) >= 7
            assert cramped(picture, 1.2) == []


@with_and_without
@all_problems
def test_no_edges_cross(problem: Path, numbers: bool) -> None:
    for _, _, pictures in figures(problem, numbers):
        assert [crossings(picture) for picture in pictures] == [0] * len(pictures)


@with_and_without
@all_problems
def test_operands_enter_in_their_order(problem: Path, numbers: bool) -> None:
    for t, figure, pictures in figures(problem, numbers):
        gates = {g.name: g.node for g in t.gates}
        for panel, picture in parts(figure, pictures):
            spots = [(h.name, spot(h).grown(0.1)) for h in panel.hotspots]
            for box in picture.gates:
                name = next(n for n, s in spots if n in gates and s.holds(box))
                node = gates[name]
                entering = sorted(
                    (e for e in picture.edges if box.grown(0.1).holds(Box(*e[-1], *e[-1]))),
                    key=lambda edge: edge[-1][1],
                )
                came_from = [
                    next(n for n, s in spots if s.holds(Box(*e[0], *e[0]))) for e in entering
                ]
                operands = [t.name_of(a) for a in node.args if not a.is_constant]
                assert sorted(came_from) == sorted(operands)
                if node.gate.name not in ANY_ORDER:
                    assert came_from == operands


@all_problems
def test_each_gate_is_met_by_arrows_and_tells_its_number(problem: Path) -> None:
    for t, figure, pictures in figures(problem):
        named = {g.name: str(g.number) for g in t.gates if g.name != f"q{g.number}"}
        told: set[str] = set()
        for panel, picture in parts(figure, pictures):
            for tip in picture.tips:
                place = Box(*tip[0], *tip[0]).grown(0.6)
                met = [gate for gate in picture.gates if gate.meets(place)]
                ends = [text for text in picture.texts if text.box.grown(4).meets(place)]
                assert met or ends
            for h in panel.hotspots:
                inside = [text.text for text in picture.texts if spot(h).grown(0.1).holds(text.box)]
                told.update(
                    {h.name} & named.keys() if named.get(h.name) in map(str.strip, inside) else ()
                )
        assert told == named.keys()


@all_problems
def test_what_leads_to_no_gradient_asked_for_is_grey_and_has_none(problem: Path) -> None:
    for t, _, pictures in figures(problem):
        if all(q.node in t.needed for q in (*t.inputs, *t.gates)):
            continue
        texts = [text for picture in pictures for text in picture.texts]
        assert any(
            text.colour == "#595959" and text.face.endswith("italic") for text in texts
        ) or any(text.colour == "#595959" and text.face.endswith("700") for text in texts)


@all_problems
def test_each_place_of_a_panel_leads_to_one_gate(problem: Path) -> None:
    for _, figure, _ in figures(problem):
        for panel in figure.panels:
            for a, b in itertools.combinations(panel.hotspots, 2):
                assert not spot(a).grown(-0.5).meets(spot(b).grown(-0.5))


@all_problems
def test_matrices_are_aligned_and_in_one_notation(problem: Path) -> None:
    for _, _, pictures in figures(problem):
        for columns in (m for picture in pictures for m in matrices(picture)):
            entries = [text for column in columns for text, _ in column]
            assert len({"×" in text for text in entries if text != "0"}) <= 1
            shown = [text for text in entries if text != "0"]  # an exact zero has no digits
            assert len({len(text.partition(".")[2].partition("×")[0]) for text in shown}) <= 1
            for column in columns:
                points = [point for _, point in column]
                assert max(points) - min(points) < 0.05


@all_problems
def test_a_gate_has_one_sign_in_the_figure_and_in_the_margin(problem: Path) -> None:
    for t, figure, pictures in figures(problem):
        gates = {g.name: g.node for g in t.gates}
        seen = set()
        for panel, picture in parts(figure, pictures):
            spots = [(h.name, spot(h).grown(0.1)) for h in panel.hotspots if h.name in gates]
            for box, sign in signs(picture):
                name = next(n for n, s in spots if s.holds(box))
                beside = Markup(gate_html.sign(gates[name], t, 1000.0)).striptags()
                # Behind its number, a gate with a constant would read as a sum: there its sign is alone.
                assert beside in {"", *"+−×÷"} or "".join(beside.split()).translate(ACCENTS) == sign
                seen.add(name)
        assert seen == set(gates)


@with_and_without
@all_problems
def test_rows_hang_together_and_are_as_wide_as_each_other(problem: Path, numbers: bool) -> None:
    for t, figure, pictures in figures(problem, numbers):
        assert len({panel.width for panel in figure.panels}) == 1
        for picture in pictures:
            parts = _parts(picture)
            # A graph of scalars may have rows with several branches, which join in a later row.
            assert parts == 1 or not any(q.node.shape for q in t.gates)


def _parts(picture: Picture) -> int:
    """Into how many parts the gates of a row fall that no edges join."""
    parts: list[set[int]] = []
    for edge in picture.edges:
        ends = (Box(*end, *end).grown(0.5) for end in (edge[0], edge[-1]))
        joined = {i for end in ends for i, g in enumerate(picture.gates) if g.meets(end)}
        parts = [p for p in parts if not p & joined] + [
            joined.union(*(p for p in parts if p & joined))
        ]
    return len([p for p in parts if p])


@of("lstm")
@pytest.mark.parametrize("edition", ["solution", "sheet"])
def test_rows_flow_over_pages_with_their_words_and_links(tmp_path: Path, edition: str) -> None:
    lstm = next(p for p in PROBLEMS if p.stem == "lstm")
    ((t, figure, _),) = figures(lstm, edition == "solution")
    report.build(lstm, tmp_path / "lstm.pdf", edition=edition)
    reader = pypdf.PdfReader(tmp_path / "lstm.pdf")
    assert _alternatives(reader.root_object["/StructTreeRoot"]) == [
        panel.alt for panel in figure.panels
    ]
    document = pypdfium2.PdfDocument(tmp_path / "lstm.pdf")
    led: dict[int, set[str]] = {}
    for number, page in enumerate(reader.pages):
        text = document[number].get_textpage()
        for link in (a.get_object() for a in page.get("/Annots", ())):
            words = str(link.get("/Contents"))
            if words.startswith("Gate "):
                name = words.removeprefix("Gate ")
                assert str(link["/Dest"]) == f"q1-{name}"
                x0, y0, x1, y1 = (float(v) for v in link["/Rect"])
                shown = text.get_text_bounded(x0 - 1, min(y0, y1) - 2, x1 + 1, max(y0, y1) + 2)
                letters = name.replace("_tilde", "").replace("_", "")
                assert set(letters) <= set(shown)
                led.setdefault(number, set()).add(name)
    if edition == "solution":
        assert set().union(*led.values()) == {g.name for g in t.gates}
        assert len(led) > 1
    else:
        assert not led


def _alternatives(node: Any) -> list[str]:
    """The words of all figures below a node of the tree of tags, in order."""
    node = node.get_object()
    if isinstance(node, list):
        return [words for kid in node for words in _alternatives(kid)]
    if not isinstance(node, dict):
        return []
    own = [str(node["/Alt"])] if node.get("/S") == "/Figure" else []
    return own + (_alternatives(node["/K"]) if "/K" in node else [])
