"""Puts a demo's closing table into README.md: python docs/show_demo.py heptad-demo/summary.json."""

import json
import re
import sys
from pathlib import Path
from typing import Any

README = Path(__file__).parent.parent / "README.md"
COLUMNS = ("month", "predictions", "frozen", "loop", "alerts", "plans", "promoted", "refused")
HEADINGS = ("month", "rows", "frozen model", "the loop", "alerts", "plans", "promoted", "refused")


def section(summary: dict[str, Any]) -> str:
    """The table by month as Markdown, what it cost, and the picture."""
    result, observed = summary["result"], summary["observed"]
    whole = {
        "month": "all",
        "predictions": result["predictions"],
        "frozen": result["auc_frozen"],
        "loop": result["auc_loop"],
        "alerts": result["alerts"],
        "plans": result["retrained"],
        "promoted": result["promoted"],
        "refused": result["refused"],
    }
    lines = [f"| {' | '.join(HEADINGS)} |", f"|---|{'---:|' * (len(HEADINGS) - 1)}"]
    lines += [f"| {' | '.join(_shown(row[name]) for name in COLUMNS)} |" for row in [*result["months"], whole]]
    cost = (
        f"Scores are ROC AUC. {result['failed_requests']} requests failed; "
        f"it took {observed['seconds']:.0f} s and {observed['peak_rss_mb']:.0f} MB."
    )
    picture = (
        "![The demo's report](docs/images/report.png)\n\n"
        if (README.parent / "docs/images/report.png").exists()
        else ""
    )
    return picture + "\n".join(lines) + f"\n\n{cost}"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    made = section(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    text = README.read_text(encoding="utf-8")
    text = re.sub(r"(?s)(?<=<!-- demo:begin -->\n).*?(?=\n<!-- demo:end -->)", lambda _: made, text)
    README.write_text(text, encoding="utf-8")
