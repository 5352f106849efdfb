"""Write the table of settings into README.md, from the settings themselves."""

from pathlib import Path

from handlers.runtime.settings import settings_table

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN = "<!-- settings:begin (make readme writes this) -->\n"
END = "<!-- settings:end -->\n"


def with_table(text: str, table: str) -> str:
    """Return the text with ``table`` between its marks. Raises ValueError without the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("README.md has lost the marks around its table of settings.")
    return f"{before}{BEGIN}\n{table.strip()}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text("utf-8"), settings_table()), "utf-8")
