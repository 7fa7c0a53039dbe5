"""Print text as roff, in the man(7) macros that mandoc and groff read.

The output is ASCII: other characters are written as \\[uXXXX], which needs no preprocessor. Hyphens are written as
minus signs, so that commands and options can be copied from a page and are never broken across lines.

Source: man(7), mandoc_char(7), groff(7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from markdown_it.tree import SyntaxTreeNode

from rpcschema.text import prose

_PARAGRAPH: Final = ".PP\n"
_BREAK: Final = ".br"
_ESCAPES: Final = {
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    "`": "\\(ga",
    "^": "\\(ha",
    "~": "\\(ti",
    "\t": " ",
    "\n": " ",
}
_SPECIAL: Final = re.compile(r"[\\\-'`^~\t\n]|(?<!\S)\.|[^\x20-\x7e]")
_FONTS: Final = {"": "\\fR", "b": "\\fB", "i": "\\fI", "bi": "\\f(BI"}


def text(string: str) -> str:
    """Return `string`, which is not Markdown, as part of a line or of a macro's quoted argument."""
    return _escaped(string).replace('"', "\\(dq")


def title(string: str) -> str:
    """Return `string` as the quoted argument of .SH."""
    return text(string.upper())


def inline(markdown: str) -> str:
    """Return one line of text, without a line break."""
    return _spans(prose.spans(markdown)).replace(f"\n{_BREAK}\n", " ").replace("\n", " ")


def blocks(lines: Sequence[str]) -> tuple[str, str]:
    """Return the lines of the first paragraph, and what follows it, which begins with a macro; either may be ""."""
    return _split(list(_blocks(prose.blocks(lines))))


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> Iterator[str]:
    for node in nodes:
        match node.type:
            case "paragraph":
                yield _PARAGRAPH + _filled(_spans(node.children[0].children))
            case "heading":
                yield _PARAGRAPH + _filled(_in_font("b", node.children[0].children, ""))
            case "bullet_list":
                yield _list(node, ["\\(bu"] * len(node.children), 2)
            case "ordered_list":
                start = int(node.attrs.get("start", 1))
                yield _list(node, [f"{number}." for number in range(start, start + len(node.children))], 4)
            case "blockquote":
                yield _indented("".join(_blocks(node.children)))
            case _:  # fence
                yield _indented(_verbatim(node.content.removesuffix("\n")))


def _list(node: SyntaxTreeNode, marks: Sequence[str], width: int) -> str:
    """Return the items of a list. Those of a tight list, whose paragraphs are hidden in Markdown, have no space
    between.
    """
    items = ""
    for mark, item in zip(marks, node.children, strict=True):
        start = f".IP {mark} {width}\n"
        items += f".PD 0\n{start}.PD\n" if items and _is_tight(item) else start
        items += _item(list(_blocks(item.children)), width)
    return items


def _item(blocks: list[str], width: int) -> str:
    first, others = _split(blocks)
    return (first or "\\&\n") + _indented(others, width)


def _split(blocks: list[str]) -> tuple[str, str]:
    blocks = list(filter(None, blocks))  # an empty quote is not a block
    has_lead = bool(blocks) and blocks[0].startswith(_PARAGRAPH)
    lead = blocks.pop(0).removeprefix(_PARAGRAPH) if has_lead else ""
    return lead, "".join(blocks)


def _is_tight(item: SyntaxTreeNode) -> bool:
    nesters = (child.nester_tokens for child in item.children if child.type == "paragraph")
    return any(nester is not None and nester.opening.hidden for nester in nesters)


def _indented(blocks: str, width: int = 4) -> str:
    return f".RS {width}\n{blocks}.RE\n" if blocks else ""


def _verbatim(text: str) -> str:
    return ".EX\n" + "".join(f"{_escaped(line.expandtabs(8))}\n" for line in text.split("\n")) + ".EE\n"


def _filled(spans: str) -> str:
    """Return `spans` as lines, none of them blank, which roff would print, and without breaks before the first text."""
    lines: list[str] = []
    for line in filter(None, map(str.strip, spans.split("\n"))):
        if line != _BREAK or lines[-1:] not in ([], [_BREAK]):
            lines.append(line)
    return "".join(f"{line}\n" for line in lines) or "\\&\n"


def _spans(nodes: Sequence[SyntaxTreeNode], font: str = "") -> str:
    return "".join(_span(node, font) for node in nodes)


def _span(node: SyntaxTreeNode, font: str) -> str:
    match node.type:
        case "softbreak":
            return "\n"
        case "hardbreak":
            return f"\n{_BREAK}\n"
        case "strong":
            return _in_font("b", node.children, font)
        case "em":
            return _in_font("i", node.children, font)
        case "code_inline":
            return _FONTS[_added(font, "b")] + _escaped(node.content) + _FONTS[font]
        case "link":
            return _spans(node.children, font) + _escaped(_address(node))
        case _:  # text
            return _escaped(node.content)


def _address(link: SyntaxTreeNode) -> str:
    """Return the address and title of a link, unless its text says them."""
    href, title = str(link.attrs["href"]), str(link.attrs.get("title", ""))
    shown = "".join(node.content for node in link.walk() if node.type == "text")
    address = "" if shown in {href, href.removeprefix("mailto:")} else f" <{href}>"
    return f'{address} "{title}"' if title else address


def _in_font(added: str, nodes: Sequence[SyntaxTreeNode], font: str) -> str:
    """Return `nodes` in `font` combined with bold ("b") or italics ("i"), followed by a switch back to `font`."""
    inner = _added(font, added)
    return _FONTS[inner] + _spans(nodes, inner) + _FONTS[font]


def _added(font: str, added: str) -> str:
    return "".join(sorted({*font, added}))


def _escaped(string: str) -> str:
    """Return `string` with everything escaped that is special to roff, including a dot at the start of a line.

    A dot after white space counts too, because that space may be removed. Markdown has entities, so even printable text
    can produce unprintable characters.
    """
    return _SPECIAL.sub(lambda match: _escape(match.group()), prose.printable(string))


def _escape(character: str) -> str:
    if character == ".":
        return "\\&."
    return _ESCAPES.get(character) or f"\\[u{ord(character):04X}]"
