"""Print text as Markdown, for pages on GitHub and similar sites.

Descriptions are not copied but printed from their meaning. So nothing in them can end a list item, open a table or
start HTML, and lists indented by four spaces look as their authors intended. The extensions of GitHub Flavored Markdown
count as markup too.

Source: CommonMark 0.31; GitHub Flavored Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import indent

from markdown_it.tree import SyntaxTreeNode

from rpcschema.text import prose


def text(string: str) -> str:
    """Return `string`, which is not Markdown, as a line or a part of one."""
    return prose.plain(string.strip())


def title(string: str) -> str:
    """Return `string` as the text of a heading."""
    return text(string)


def inline(markdown: str) -> str:
    """Return one line of text, without a line break."""
    return _spans(prose.spans(markdown)).replace("\\\n", " ").replace("\n", " ")


def blocks(lines: Sequence[str]) -> tuple[str, str]:
    """Return the first paragraph, and the blocks after it, separated by empty lines; either may be ""."""
    nodes = prose.blocks(lines)
    leading = 1 if nodes and nodes[0].type == "paragraph" else 0
    return _joined(nodes[:leading]), _joined(nodes[leading:])


def _joined(nodes: Sequence[SyntaxTreeNode]) -> str:
    return "\n".join(_blocks(nodes))


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> Iterator[str]:
    """Yield each block, ending in a line break."""
    for node in nodes:
        match node.type:
            case "paragraph":
                yield _filled(_spans(node.children[0].children))
            case "heading":  # only the page itself has headings
                spans = _spans(node.children[0].children)
                yield _filled(f"**{spans}**" if spans else "")
            case "bullet_list":
                yield _list(node, ["-"] * len(node.children))
            case "ordered_list":
                start = int(node.attrs.get("start", 1))
                yield _list(node, [f"{number}." for number in range(start, start + len(node.children))])
            case "blockquote":
                yield indent(_joined(node.children), "> ", lambda _: True)
            case _:  # fence
                language = re.sub(r"[^\w+-].*", "", node.info, flags=re.DOTALL)
                yield "".join(f"{line}\n" for line in prose.fence(node.content.removesuffix("\n"), language))


def _list(node: SyntaxTreeNode, marks: Sequence[str]) -> str:
    """Return the items of a list, without empty ones: marks alone could form a thematic break."""
    items = ((mark, _joined(item.children)) for mark, item in zip(marks, node.children, strict=True))
    return "".join(_item(f"{mark} ", blocks) for mark, blocks in items if blocks.strip())


def _item(mark: str, blocks: str) -> str:
    return mark + indent(blocks, " " * len(mark)).removeprefix(" " * len(mark))


def _filled(spans: str) -> str:
    """Return the lines of a paragraph, none of which begins like another kind of block."""
    lines = (line.strip() for line in spans.split("\n"))
    return "".join(f"{prose.line_start(line)}\n" for line in lines if line)


def _spans(nodes: Sequence[SyntaxTreeNode]) -> str:
    return "".join(map(_span, nodes))


def _span(node: SyntaxTreeNode) -> str:
    match node.type:
        case "softbreak":
            return "\n"
        case "hardbreak":
            return "\\\n"
        case "strong":
            return f"**{_spans(node.children)}**"
        case "em":
            return f"*{_spans(node.children)}*"
        case "link" if node.markup == "autolink":
            return f"<{str(node.attrs['href']).removeprefix('mailto:')}>"
        case "link":
            return f"[{_spans(node.children)}](<{_entities(node.attrs['href'])}>{_title(node)})"
        case "code_inline":
            return prose.code(node.content)
        case _:  # text
            return prose.plain(node.content)


def _title(link: SyntaxTreeNode) -> str:
    title = prose.plain(str(link.attrs.get("title", ""))).replace('"', "&quot;")
    return f' "{title}"' if title else ""


def _entities(address: object) -> str:
    return str(address).replace("&", "&amp;")
