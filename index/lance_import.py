"""Import lancedb in half the time, without a client of a server that is never talked to.

``lancedb`` takes its types of requests and answers from ``lance_namespace_urllib3_client.models``.
Before Python imports that, it runs the file ``__init__`` of the package above, which builds nine
clients of a REST catalogue: half of all the time that ``import lancedb`` takes. An index in a
folder or bucket has no such catalogue.

So the package is entered into ``sys.modules`` without its ``__init__`` having been run. Nothing is
replaced: its submodules are found and imported as ever, and only the names are absent that the file
would have collected in the package. Should a later lancedb need one, its import says which.
"""

import importlib.util
import sys

PACKAGE = "lance_namespace_urllib3_client"


def spare_rest_client() -> None:
    """Prepare for a quick ``import lancedb``; does nothing where the package is loaded or absent.

    To be called before ``index.lance`` is imported for the first time.
    """
    if PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None and spec.submodule_search_locations is not None:
        sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
