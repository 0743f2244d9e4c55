"""What report.pdf and report.typeset.mathra_layout rely on inside mathra and WeasyPrint.

Each test names one part. A test that fails after an upgrade says what changed there, and with it
what has to be written anew.
"""

import importlib
import inspect
import re
from typing import Any

import pytest

from report import ReportError
from report.pdf import breaking, engine, ink, patches, preflight
from report.typeset import fonts, glyphs, mathra_layout
from report.typeset.drawing import GlyphRun


def weasyprint(name: str = "") -> Any:
    preflight.load()
    return importlib.import_module(f"weasyprint{name and '.'}{name}")


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_versions_are_the_ones_written_for() -> None:
    import mathra
    import pydyf

    assert mathra.core_version == mathra_layout.MATHRA
    assert weasyprint().__version__ == engine.WEASYPRINT
    assert pydyf.__version__ == engine.PYDYF


def test_another_version_is_refused_with_the_remedy() -> None:
    with pytest.raises(ReportError, match=r"pip install weasyprint==70\.0") as error:
        mathra_layout.check_version("weasyprint", "71.0", engine.WEASYPRINT)
    assert "weasyprint 71.0 is installed" in str(error.value)


# mathra


def svg(latex: str) -> str:
    import mathra

    return mathra.tex_to_svg(latex, display=True, strict=True)


def test_mathra_frames_a_drawing_as_it_did() -> None:
    found = svg(r"\frac{a}{b}")
    assert found.startswith('<svg xmlns="http://www.w3.org/2000/svg"'), "another root element"
    assert re.search(r'viewBox="0 -1119 795 1771"', found), "the box is not in thousandths of an em"
    assert "<title id=" in found, "the spoken words are not in <title>"
    assert found.index("<title") < found.index("<defs>") < found.rindex("<text "), "another order"
    assert ">a/b</text></svg>" in found, "the plain text is not the last <text>"


def test_mathra_draws_with_the_elements_it_used() -> None:
    everything = svg(
        r"\frac{a_1}{\sqrt{b}} \cancel{c} \textcolor{#0072B2}{d} \boxed{e} \left(\frac{f}{g}\right)"
    )
    body = everything[everything.rindex("</defs>") + 7 : everything.rindex("<text ")]
    assert set(re.findall(r"<(\w+)", body)) == {"g", "use", "rect", "line"}
    assert '<g fill="currentColor" stroke="none" transform="scale(1,-1)">' in body, "y is not up"
    assert re.search(r'<use href="#mathra-\w+-g3326" x="\S+" y="\S+"/>', body), "glyphs differ"
    assert re.search(r'transform="translate\(\S+ \S+\) scale\(0\.7\)"', body), "scripts differ"
    assert 'fill="#0072B2"' in body, "colours differ"
    assert re.search(r'<rect x="\S+" y="\S+" width="\S+" height="\S+"/>', body), "rules differ"
    assert re.search(r'<line x1="\S+" y1="\S+" x2="\S+" y2="\S+" stroke=', body), "lines differ"


@pytest.mark.parametrize("character", "aW=∂σ⊙∑√(")
def test_mathra_numbers_glyphs_as_the_bundled_font_does(character: str) -> None:
    [*_, glyph] = re.findall(r'-g(\d+)" (?:x|transform)=', svg(character))
    assert glyphs.table().characters[int(glyph)] == character


def test_mathra_advances_as_the_bundled_font_does() -> None:
    drawing = mathra_layout.typeset(r"\mathrm{abcdefgh0123456789}", False)
    [run] = drawing.marks
    assert isinstance(run, GlyphRun), "one line of letters is drawn otherwise"
    assert ">" not in run.codes, "letters are kerned, or the advances differ"


def test_mathra_refuses_with_value_error() -> None:
    with pytest.raises(ValueError, match=r"column 1: unsupported command: \\nonsense"):
        svg(r"\nonsense")


# WeasyPrint


def test_images_are_looked_up_in_the_cache_first() -> None:
    images = weasyprint("images")
    found = images.get_image_from_uri({"math:x": "found"}, None, {}, "math:x")
    assert found == "found", "get_image_from_uri() does not return what the cache holds"


def test_the_cache_may_be_any_dict() -> None:
    source = inspect.getsource(weasyprint("document").Document._build_layout_context)
    assert "isinstance(cache, (dict, DiskCache))" in source, "another test of the cache option"


def test_images_have_two_methods() -> None:
    images = weasyprint("images")
    for name, arguments in {
        "get_intrinsic_size": ["resolution", "font_size"],
        "draw": ["stream", "concrete_width", "concrete_height", "style"],
    }.items():
        assert parameters(getattr(images.RasterImage, name))[1:] == arguments, name
        assert len(parameters(getattr(ink.FormulaImage, name))) == len(arguments) + 1, name


def test_blocks_are_laid_out_by_a_switch() -> None:
    layout = weasyprint("layout.block")
    source = inspect.getsource(layout.block_level_layout)
    assert "return block_level_layout_switch(" in source, "another function does it"
    patches.mend()
    usual = layout.block_level_layout_switch.__closure__[0].cell_contents
    assert parameters(usual) == [
        "context", "box", "bottom_space", "skip_stack", "containing_block", "page_is_empty",
        "absolute_boxes", "fixed_boxes", "adjoining_margins", "first_letter_style",
        "first_line_style", "discard", "max_lines",
    ]  # fmt: skip
    assert parameters(breaking.lay_out) == parameters(usual)
    assert "return (*result, None)" in inspect.getsource(usual), "it returns something else"
    assert parameters(weasyprint("layout").LayoutContext.overflows_page)[1:] == [
        "bottom_space", "position_y",
    ]  # fmt: skip


def test_text_is_shaped_by_the_same_functions() -> None:
    line_break = weasyprint("text.line_break")
    assert parameters(line_break.create_layout) == [
        "text", "style", "context", "max_width", "justification_spacing",
    ]  # fmt: skip
    assert parameters(line_break.strut) == ["style"]
    assert parameters(weasyprint("css").AnonymousStyle) == ["parent_style"]
    drawn = inspect.getsource(weasyprint("draw.text").draw_first_line)
    for part in ("glyph_item.item.analysis.font", "clusters", "stream.logical_rect"):
        assert part in drawn, f"{part} is not used any more"


def test_images_of_blocks_are_marked_as_figures() -> None:
    source = inspect.getsource(weasyprint("draw").draw_block_level)
    assert "with stream.marked(block, 'Figure'):" in source


def test_tags_and_links_are_made_of_boxes() -> None:
    source = inspect.getsource(weasyprint("pdf.tags")._build_box_tree)
    for part in ("tags.pop(child)", "tags.pop(box)", "child.element_tag == 'tr'", "box.colspan"):
        assert part in source, f"{part} is not used any more"
    assert "mcid = len(self._tags)" in inspect.getsource(weasyprint("pdf.stream").Stream.marked)
    source = inspect.getsource(weasyprint("anchors").gather_anchors)
    assert "links.append((link_type, target, rectangle, box))" in source
    assert weasyprint("formatting_structure.boxes").TableRowBox


def test_streams_draw_as_they_did() -> None:
    stream = weasyprint("pdf.stream").Stream
    for name, arguments in {
        "add_font": ["pango_font"],
        "set_color": ["color", "stroke"],
        "set_font_size": ["font", "size"],
        "begin_marked_content": ["tag", "property_list"],
        "end_marked_content": [],
        "begin_text": [],
        "set_text_matrix": ["a", "b", "c", "d", "e", "f"],
        "show_text": ["text"],
        "end_text": [],
        "set_matrix": ["a", "b", "c", "d", "e", "f"],
        "stacked": [],
    }.items():
        assert parameters(getattr(stream, name))[1:] == arguments, f"Stream.{name}() differs"


def test_marked_content_is_three_items_of_a_stream() -> None:
    import pydyf

    stream = pydyf.Stream()
    stream.begin_marked_content("Figure", pydyf.Dictionary({"MCID": 3}))
    tag, properties, operator = stream.stream
    assert (tag, properties["MCID"], operator) == ("/Figure", 3, b"BDC")


def test_fonts_are_described_by_the_same_attributes() -> None:
    source = inspect.getsource(weasyprint("pdf.fonts").Font.__init__)
    for name in ("hash", "family", "glyph_count", "widths", "to_unicode"):
        assert f"self.{name} = " in source, f"Font.{name} is gone"
    assert "font.to_unicode" in inspect.getsource(weasyprint("pdf.fonts").build_fonts_dictionary)


def test_pango_is_reached_by_the_same_functions() -> None:
    ffi = weasyprint("text.ffi")
    for name in (
        "pango_font_map_create_context",
        "pango_font_description_new",
        "pango_font_description_free",
        "pango_font_description_set_family",
        "pango_font_description_set_absolute_size",
        "pango_font_map_load_font",
    ):
        assert hasattr(ffi.pango, name), f"{name}() is not declared"
    assert hasattr(ffi.gobject, "g_object_unref")
    with fonts.closed():
        configuration = weasyprint("text.fonts").FontConfiguration()
    assert configuration.font_map, "FontConfiguration.font_map is gone"


def test_the_math_font_is_the_bundled_one() -> None:
    with fonts.closed():
        configuration = weasyprint("text.fonts").FontConfiguration()
        font = ink.math_font(configuration).pango
        described = weasyprint("pdf.fonts").Font(
            font, *weasyprint("text.fonts").get_pango_font_key(font)[1:]
        )
    assert described.family == fonts.MATH
    assert described.glyph_count == len(glyphs.table().advances)


def test_pages_are_painted_by_a_method_that_may_be_replaced() -> None:
    document = weasyprint("document")
    assert parameters(document.Page.paint) == ["self", "stream", "scale"]
    source = inspect.getsource(weasyprint("pdf").generate_pdf)
    assert "page.paint(stream, scale)" in source
    with fonts.closed():
        made = weasyprint().HTML(string="<html lang=en><body><p id=x>a").render()
    [page] = made.pages
    assert page.anchors.keys() == {"x"}
    box = page._page_box
    assert box.children[0].element_tag == "html"
    assert box.content_box_x() == box.margin_left
    assert box.margin_height() == page.height


def test_stylesheets_may_serve_several_documents() -> None:
    source = inspect.getsource(weasyprint("document").Document._build_layout_context)
    assert "if not hasattr(css, 'matcher'):" in source, "another test of what is a stylesheet"


def test_notes_and_markers_are_all_that_every_element_would_get() -> None:
    patches.mend()
    matcher = importlib.import_module("cssselect2").Matcher()
    css = weasyprint("html").UA
    weasyprint().CSS(string=css, matcher=matcher)
    notes = {"footnote-call", "footnote-marker", "note-call", "note-marker", "note-callback"}
    assert {pseudo for _, _, _, pseudo, _ in matcher.other_selectors} == {None, "marker"} | notes

    html = weasyprint().HTML(string="<html><body><ul><li>a</li></ul><p>b</p></body></html>")
    for element in html.wrapper_element.iter_subtree():
        usual = [rule[:3] for rule in matcher.match(element) if rule[2] not in notes]
        if element.local_name != "li":
            usual = [rule for rule in usual if rule[2] != "marker"]
        found = weasyprint("html").UA_STYLESHEET.matcher.match(element)
        assert [rule[:3] for rule in found] == usual


def test_faces_have_a_key() -> None:
    line_break = weasyprint("text.line_break")
    assert parameters(line_break._font_style_cache_key) == ["style", "include_size"]
    assert parameters(line_break.Layout.get_first_line) == ["self"]


def test_pydyf_compresses_with_a_level() -> None:
    source = inspect.getsource(importlib.import_module("pydyf"))
    used = set(re.findall(r"zlib\.(\w+)", source))
    assert used == {"compress", "compressobj"}, "another part of zlib is used"
    assert "zlib.compressobj(level=9)" in source, "another level is the usual one"
    assert source.count("compressobj.compress(") == source.count("compressobj.flush()") == 1


def test_pydyf_keeps_the_references_of_pages() -> None:
    patches.mend()
    import pydyf

    document = pydyf.PDF()
    for _ in range(3):
        document.add_page(pydyf.Dictionary({"Type": "/Page"}))
        assert len(document.page_references) == document.pages["Count"]
    assert document.page_references == (b"3 0 R", b"4 0 R", b"5 0 R")


def test_options_are_those_of_write_pdf() -> None:
    options = weasyprint().DEFAULT_OPTIONS
    assert options.keys() >= {"cache", "stylesheets", "attachments", "pdf_variant"}
    assert {"finisher", "font_config"} <= set(parameters(weasyprint().HTML.write_pdf))
    _, settings = weasyprint("pdf.pdfa").VARIANTS["pdf/a-3a"]
    assert settings == {
        "pdf_version": "1.7",
        "pdf_identifier": True,
        "output_intent": "srgb",
        "pdf_tags": True,
    }


def test_missing_glyphs_are_logged_with_their_code() -> None:
    source = inspect.getsource(weasyprint("draw.text"))
    assert "'.notdef glyph rendered for Unicode string unsupported by fonts: '" in source
    assert "chr(codepoint), codepoint)" in source


def test_addresses_are_fetched_by_a_callable() -> None:
    source = inspect.getsource(weasyprint("urls").fetch)
    assert "url_fetcher(url)" in source
    assert "url_fetcher._fail_on_errors" in source


@pytest.mark.parametrize("package", preflight._RARELY_CALLED)
def test_what_is_put_off_is_named_as_it_was(package: str) -> None:
    module = importlib.import_module(package)
    for name in preflight._RARELY_CALLED[package]:
        assert callable(getattr(module, name))
