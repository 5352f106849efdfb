"""What can go wrong with the local cloud."""


class LocalCloudError(Exception):
    """The local cloud cannot go on; the text says what the person at the keyboard can do."""
