"""The 50 groups that may read the pages of the large index; light enough for any process."""

from index.audience import Principal

GROUPS = tuple(Principal("group", f"group {number}") for number in range(50))
