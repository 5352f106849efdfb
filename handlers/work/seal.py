"""Sealed text: what must wait in a queue but may be read by nobody who only sees the queue."""

from handlers.work.errors import BadSeal

_PURPOSE = b"footnote sealed text 1"


class Seal:
    """Seals and opens short texts with a key derived from ``secret``.

    Fernet (AES-128-CBC with HMAC-SHA256), its key derived by HKDF-SHA256 so that the secret itself,
    which serves another purpose, is never used as a key. ``secret`` must not be empty.
    """

    def __init__(self, secret: str) -> None:
        if not secret:
            raise ValueError("A seal needs a secret.")
        self._secret = secret.encode()

    def __repr__(self) -> str:
        return "Seal(...)"

    def seal(self, text: str) -> str:
        """Return ``text`` as URL-safe letters that only the same secret opens."""
        # Imported here because most requests seal nothing, and the front door must start fast.
        from cryptography.fernet import Fernet

        return Fernet(self._key()).encrypt(text.encode("utf-8", "surrogatepass")).decode("ascii")

    def open(self, sealed: str) -> str:
        """Return the text again. Raises BadSeal when it was changed or sealed otherwise."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            return Fernet(self._key()).decrypt(sealed).decode("utf-8", "surrogatepass")
        except (InvalidToken, ValueError) as error:
            raise BadSeal("Sealed text cannot be opened: another key sealed it.") from error

    def _key(self) -> bytes:
        import base64

        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(self._secret)
        return base64.urlsafe_b64encode(derived)
