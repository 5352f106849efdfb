"""The settings of documents and their index, with those of setting_fields.py below them. Pure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from handlers.runtime import setting_kinds as kinds
from handlers.runtime.secret import SecretStr
from handlers.runtime.setting_fields import Setting, SlackFields

_DOCUMENTS = "Documents"


@dataclass(frozen=True, kw_only=True)
class DocumentFields(SlackFields):
    """The values of the settings of sources and index."""

    docs: Annotated[
        Path | None,
        Setting(_DOCUMENTS, "FOOTNOTE_DOCS", kinds.path, "Folder of documents to answer from."),
    ] = None
    docs_url: Annotated[
        str,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_DOCS_URL",
            kinds.url_folder,
            "Where people can open that folder in a browser; footnotes link to it.",
        ),
    ] = ""
    sources: Annotated[
        Path | None,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_SOURCES",
            kinds.path,
            "Catalog of more sources, a TOML file such as `infra/sources.toml`.",
        ),
    ] = None
    source_secrets: Annotated[
        SecretStr | None,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_SOURCE_SECRETS",
            kinds.secrets,
            "Secrets that the catalog names, as `name=value`; several with spaces between.",
        ),
    ] = None
    home: Annotated[
        Path,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_HOME",
            kinds.path,
            "Folder for what Footnote keeps: index, queue, state and models.",
        ),
    ] = Path(".footnote")
    models: Annotated[
        Path | None,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_MODELS",
            kinds.path,
            "Folder for the embedder exported to ONNX; made on first use.",
            shown="`models` in FOOTNOTE_HOME",
        ),
    ] = None
    index: Annotated[
        str,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_INDEX",
            kinds.index_address,
            "The index: a folder, or `s3://bucket/prefix`.",
            shown="`index` in FOOTNOTE_HOME",
        ),
    ] = ""
    sync_minutes: Annotated[
        float,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_SYNC_MINUTES",
            kinds.number(0, 10080),
            "Minutes between two syncs of `footnote serve`; 0 syncs only at the start.",
        ),
    ] = 60.0
