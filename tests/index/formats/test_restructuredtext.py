"""index.formats.rst: what pages of Docutils and Sphinx say, with the anchors of their HTML."""

import pytest

from tests.index.formats.conftest import Read

PAGE = """
.. index:: leave

=====
Leave
=====

Twenty ``days`` a *year*, see :ref:`the form <leave-form>` or :class:`~a.b.Form` (|version|).

.. _leave-form:

The form
--------

.. note:: Sign it.

.. versionadded:: 3.2
   The second page.

.. admonition:: Who signs

   Your manager.

- one

  1. inner
  2. other

- two

term
   meaning

:Author: Ann
:Days: 20

===  ====
Who  Days
===  ====
Ann  20
===  ====

.. list-table:: Offices
   :header-rows: 1

   * - City
     - Desk
   * - Rome
     - 7

.. code-block:: python
   :caption: form.py
   :emphasize-lines: 2

   def f():
       return 1

.. py:function:: fill(name, *, draft=False)
   :noindex:

   Fills the form.

.. toctree::

   other

.. include:: /etc/hostname

.. raw:: html

   <b>raw</b>

Verse::

    as it
      is

| line one
| line two

A claim [1]_.

.. [1] The proof.

.. A comment.

.. image:: x.png
   :alt: A chart

.. mystery:: unknown
   :option: 3

   But its words count.
"""


def test_a_page_reads_as_its_html_does(read: Read) -> None:
    document = read(PAGE, ".rst")
    assert document.title == "Leave"
    assert [(h.text, h.level, h.anchor) for h in document.headings] == [
        ("Leave", 1, "leave"),
        ("The form", 2, "the-form"),
    ]
    assert document.text == (
        "Leave\n\nTwenty days a year, see the form or Form (|version|).\n\nThe form\n\n"
        "Note:\n\nSign it.\n\n3.2\n\nThe second page.\n\nWho signs:\n\nYour manager.\n\n"
        "- one\n  1. inner\n  2. other\n- two\n\nterm\nmeaning\n\nAuthor: Ann\nDays: 20\n\n"
        "Who | Days\nAnn | 20\n\nOffices\n\nCity | Desk\nRome | 7\n\n"
        "def f():\n    return 1\n\nfill(name, *, draft=False)\n\nFills the form.\n\n"
        "Verse:\n\nas it\n  is\n\nline one\nline two\n\nA claim 1.\n\n[1] The proof.\n\nA chart\n\n"
        "unknown\n\nBut its words count."
    )


@pytest.mark.parametrize(
    "broken",
    ["Title\n==\n\ntext", "===\nA\n\ntext", "* a\nb `c\n\n.. note::\n\ntext", "+--+\n|text\n+--+"],
)
def test_what_is_written_wrongly_keeps_its_text(read: Read, broken: str) -> None:
    assert "text" in read(broken, ".rst").text
