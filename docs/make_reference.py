"""Writes the pages that are read off the code: settings, commands, records, events. `--check` only compares.

Run it after a change: python docs/make_reference.py
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from heptad.config import Config

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "heptad"
MADE = "<!-- Made by docs/make_reference.py; change the docstrings in the code instead. -->\n"


def classes(folder: Path, base: str) -> Iterator[tuple[Path, ast.ClassDef]]:
    """Classes of a folder's files that derive from `base`, in order of file and line."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and any(ast.unparse(one) == base for one in node.bases):
                yield path, node


def fields(node: ast.ClassDef) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and docstring of each declared field."""
    for position, item in enumerate(node.body):
        if not isinstance(item, ast.AnnAssign) or ast.unparse(item.annotation).startswith("ClassVar"):
            continue
        below = node.body[position + 1] if position + 1 < len(node.body) else None
        described = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        text = str(below.value.value) if described else ""  # type: ignore[union-attr]  # told by `described`
        default = "" if item.value is None else ast.unparse(item.value)
        yield ast.unparse(item.target), ast.unparse(item.annotation), default, " ".join(text.split())


def table(node: ast.ClassDef) -> list[str]:
    rows = ["| setting | type | default | |", "|---|---|---|---|"]
    for name, kind, default, text in fields(node):
        shown = f"`{default}`" if default else "required"
        cells = (f"`{name}`", f"`{kind}`".replace("|", "\\|"), shown.replace("|", "\\|"), text.replace("|", "\\|"))
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def settings_page() -> str:
    """Every section of heptad.toml, in the order of the steps."""
    known = {node.name: node for _, node in classes(SOURCE, "Settings")}
    lines = [MADE, "# Configuration", "", *_INTRODUCTION, ""]
    for field in msgspec.structs.fields(Config):
        name = re.findall(r"([A-Za-z]+)(?:'>|\]|$)", str(field.type))[-1]
        node = known[name]
        many = str(field.type).startswith("dict")
        lines += [
            f"## `[{field.name}{'.NAME' if many else ''}]`",
            "",
            ast.get_docstring(node) or "",
            "",
            *table(node),
            "",
        ]
        for nested in known.values():
            if (ast.get_docstring(nested) or "").startswith(f"`[{field.name}.") and nested is not node:
                lines += [ast.get_docstring(nested) or "", "", *table(nested), ""]
    return "\n".join(lines).rstrip() + "\n"


_INTRODUCTION = [
    "A project is a folder with a file `heptad.toml`. Only `[data] target` has to be there; what is left out has the",
    "default below, and `heptad explain-config` prints the whole of what is in force. `${NAME}` in any text is read",
    "from the environment at the moment it is used and never stored. Every mistake is named with its line, all at once.",
]


def records_page() -> str:
    """Every kind of record, step by step."""
    lines = [MADE, "# Records", "", *_RECORDS, ""]
    for path, node in classes(SOURCE, "Body"):
        step = path.relative_to(SOURCE).parts[0]
        kind = next(
            ast.unparse(item.value)
            for item in node.body
            if isinstance(item, ast.AnnAssign) and ast.unparse(item.target) == "kind" and item.value
        )
        lines += [
            f"## {node.name}",
            "",
            f"{kind.strip(chr(39))}, written by `{step}`. {' '.join((ast.get_docstring(node) or '').split())}",
            "",
        ]
        lines += ["| field | type | |", "|---|---|---|"]
        lines += [
            f"| `{name}` | `{kind_}` | {text} |".replace(" | None", " \\| None")
            for name, kind_, _, text in fields(node)
        ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


_RECORDS = [
    "A record is frozen: it holds what was known when it was born, who made it, and when. What changes afterwards",
    "(status, tags, latest metrics, aliases) are attributes beside it. Records are linked to what they were made from.",
]

PAGES = {"configuration.md": settings_page, "records.md": records_page}


def main() -> int:
    stale = []
    for name, make in PAGES.items():
        path = DOCS / "reference" / name
        page = make()
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            stale.append(name)
            if "--check" not in sys.argv:
                path.parent.mkdir(exist_ok=True)
                path.write_text(page, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"Not up to date: {', '.join(stale)}. Run python docs/make_reference.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
