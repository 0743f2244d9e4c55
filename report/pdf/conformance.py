"""One file that is PDF/A-3a and PDF/UA-1.

WeasyPrint writes either the one or the other and leaves some tags unfinished. What it writes as
PDF/A-3a is completed here, in the terms of ISO 32000-1, before the file is closed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pydyf

from report.errors import ReportError
from report.pdf.pdf_2 import PDF_UA_2, lead_to_structure, name_no_files, settle_element
from report.typeset import mathml

_POINTS = 0.75  # one CSS pixel

_LINKS = ("http:", "https:", "mailto:")

# The identifier of PDF/UA-1, and the description of that identifier that PDF/A asks for.
_PDF_UA = """\
<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""
    xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part>
</rdf:Description>
<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""
    xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
    xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
    xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
 <pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
  <pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
  <pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
  <pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
  <pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
   <pdfaProperty:name>part</pdfaProperty:name>
   <pdfaProperty:valueType>Integer</pdfaProperty:valueType>
   <pdfaProperty:category>internal</pdfaProperty:category>
   <pdfaProperty:description>The part of ISO 14289 that is followed</pdfaProperty:description>
  </rdf:li></rdf:Seq></pdfaSchema:property>
 </rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
"""


@dataclass(frozen=True)
class Attachment:
    """A file inside the PDF.

    ``name`` is plain ASCII without folders, ``relationship`` one of "Source", "Data",
    "Alternative", "Supplement" and "Unspecified", ``mime`` such as "text/x-python".
    """

    name: str
    data: bytes
    relationship: str
    mime: str
    description: str


class Finisher:
    """Completes the file that WeasyPrint is about to close."""

    def __init__(
        self, document: Any, pdf: Any, attachments: Sequence[Attachment], standard: str
    ) -> None:
        self._document, self._pdf = document, pdf
        self._is_pdf_2 = standard == "ua-2"
        self._links = [link for page in document.pages for link in page.links]
        self._attachments = {attachment.name: attachment for attachment in attachments}
        self._formulas: dict[str, bytes] = {}
        self._root = self._object(pdf.catalog["StructTreeRoot"])
        self._pages = {reference: self._object(reference) for reference in pdf.page_references}
        self._called = {
            reference: _names(self._object(page["Contents"]).stream)
            for reference, page in self._pages.items()
        }

    def finish(self) -> None:
        """Do all of it."""
        self._declare()
        self._describe_attachments()
        self._describe_links()
        self._forbid_interpolation()
        self._complete_tree()
        if self._is_pdf_2:
            lead_to_structure(self._document, self._pdf)
            name_no_files(self._pdf)

    def _object(self, reference: bytes) -> Any:
        return self._pdf.objects[int(reference.split()[0])]

    def _declare(self) -> None:
        metadata = self._object(self._pdf.catalog["Metadata"])
        before, end, after = metadata.stream[0].rpartition(b"</rdf:RDF>")
        metadata.stream[0] = (
            before + (PDF_UA_2 if self._is_pdf_2 else _PDF_UA).encode() + end + after
        )
        metadata.compress = False  # to be found by programs that know no PDF

    def _describe_attachments(self) -> None:
        for item in self._pdf.objects:
            if isinstance(item, dict) and item.get("Type") == "/Filespec":
                attachment = self._attachments[item["UF"].string]
                item["AFRelationship"] = f"/{attachment.relationship}"
                content = self._object(item["EF"]["F"])
                content.extra["Subtype"] = pydyf.name(attachment.mime)
                for date in ("CreationDate", "ModDate"):
                    del content.extra["Params"][date]
        if "AF" in self._pdf.catalog:  # WeasyPrint lists each file twice
            self._pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(self._pdf.catalog["AF"]))

    def _describe_links(self) -> None:
        for kind, target, _, box in self._links:
            if kind == "external" and not target.lower().startswith(_LINKS):
                raise ReportError(
                    f"A link of this document is neither web nor mail: {target[:200]}"
                )
            if box.link_annotation:
                words = box.element.get("title") or " ".join(
                    "".join(box.element.itertext()).split()
                )
                box.link_annotation["Contents"] = pydyf.String(words or target)

    def _forbid_interpolation(self) -> None:
        for item in self._pdf.objects:
            if isinstance(item, pydyf.Stream) and item.extra.get("Interpolate") == "true":
                item.extra["Interpolate"] = "false"

    # The structure tree ------------------------------------------------------------------------

    def _complete_tree(self) -> None:
        """Mend the elements of the tree."""
        identifiers: dict[str, bytes] = {}
        repeated: set[bytes] = set()
        waiting = [(reference, self._root, False, False) for reference in self._root["K"]]
        while waiting:
            reference, parent, in_head, in_link = waiting.pop()
            element = self._object(reference)
            kind = element["S"]
            if in_link:
                repeated |= self._take_annotations(element)
            if kind == "/LI":
                self._wrap_list_item(element)
            elif kind == "/TH":
                element["A"]["Scope"] = "/Column" if in_head else "/Row"
            elif kind == "/Figure":
                self._complete_figure(element)
            if "ID" in element:
                identifiers[element["ID"].string] = reference
            in_head |= kind == "/THead"
            in_link |= kind == "/Link"
            if self._is_pdf_2:
                settle_element(element, parent)
            waiting += [(child, element, in_head, in_link) for child, _ in self._elements(element)]
        if identifiers:
            names = [x for name in sorted(identifiers) for x in (name, identifiers[name])]
            self._root["IDTree"] = pydyf.Dictionary(
                {"Names": pydyf.Array(pydyf.String(x) if isinstance(x, str) else x for x in names)}
            )
        self._drop_annotations(repeated)

    def _elements(self, element: Any) -> Iterator[tuple[bytes, Any]]:
        """The children of a structure element that are structure elements."""
        for child in element["K"]:
            if isinstance(child, bytes) and (found := self._object(child))["Type"] != "/OBJR":
                yield child, found

    def _take_annotations(self, element: Any) -> set[bytes]:
        """Annotations of an element inside a link, where WeasyPrint repeats that of the link."""
        inner = [
            child
            for child in element["K"]
            if isinstance(child, bytes) and self._object(child)["Type"] == "/OBJR"
        ]
        for child in inner:
            element["K"].remove(child)
        return {self._object(child)["Obj"] for child in inner}

    def _drop_annotations(self, dropped: set[bytes]) -> None:
        parents = self._object(self._root["ParentTree"])["Nums"]
        gone = {self._object(reference).pop("StructParent") for reference in dropped}
        pairs = zip(parents[::2], parents[1::2], strict=True)
        parents[:] = [x for key, value in pairs if key not in gone for x in (key, value)]
        self._root["ParentTreeNextKey"] = max(parents[::2]) + 1
        for page in self._pages.values():
            if dropped and "Annots" in page:
                page["Annots"] = pydyf.Array(x for x in page["Annots"] if x not in dropped)

    def _wrap_list_item(self, item: Any) -> None:
        """Put what is neither label nor body of a list item into a body."""
        kinds = {child: found["S"] for child, found in self._elements(item)}
        loose = [child for child in item["K"] if kinds.get(child) not in ("/Lbl", "/LBody")]
        if not loose:
            return
        body = pydyf.Dictionary(
            {
                "Type": "/StructElem",
                "S": "/LBody",
                "P": item.reference,
                "Pg": item["Pg"],
                "K": pydyf.Array(loose),
            }
        )
        self._pdf.add_object(body)
        for child in loose:
            if child in kinds:
                self._object(child)["P"] = body.reference
        item["K"] = pydyf.Array([x for x in item["K"] if x not in loose] + [body.reference])

    def _complete_figure(self, figure: Any) -> None:
        page = figure["Pg"]
        formulas = getattr(self._object(self._pages[page]["Contents"]), "formulas", {})
        for identifier in figure["K"]:
            figure["S"] = self._called[page].get(identifier, figure["S"])
            if identifier in formulas:
                figure["AF"] = pydyf.Array([self._associated(mathml(formulas[identifier], True))])
        if figure["S"] in ("/Code", "/Span"):  # is read as it stands
            del figure["Alt"], figure["A"]
            return
        left, top, right, bottom = (side * _POINTS for side in figure["A"]["BBox"])
        height = self._pages[page]["MediaBox"][3]
        figure["A"]["BBox"] = pydyf.Array((left, height - bottom, right, height - top))

    def _associated(self, formula: str) -> bytes:
        """The reference of MathML as a file of its own; the same formula is one file."""
        if formula not in self._formulas:
            data = formula.replace("<math", f'<math xmlns="{_NAMESPACE}"', 1).encode()
            size = pydyf.Dictionary({"Size": len(data)})
            kind = {"Type": "/EmbeddedFile", "Subtype": pydyf.name(_MATHML), "Params": size}
            content = pydyf.Stream([data], kind, compress=True)
            self._pdf.add_object(content)
            name = pydyf.String(f"formula-{len(self._formulas) + 1}.mml")
            file = pydyf.Dictionary(
                {
                    "Type": "/Filespec",
                    "F": name,
                    "UF": name,
                    "EF": pydyf.Dictionary({"F": content.reference}),
                    "AFRelationship": "/Supplement",
                }
            )
            self._pdf.add_object(file)
            self._formulas[formula] = file.reference
        return self._formulas[formula]


_MATHML, _NAMESPACE = "application/mathml+xml", "http://www.w3.org/1998/Math/MathML"
_CALLED = ("/Formula", "/Code", "/Span")


def _names(items: list[Any]) -> dict[int, str]:
    """What images in a stream were called: the identifier of the marked content, and its tag."""
    return {
        items[i - 1]["MCID"]: items[i - 2]
        for i, item in enumerate(items)
        if item == b"BDC" and items[i - 2] in _CALLED and "MCID" in items[i - 1]
    }
