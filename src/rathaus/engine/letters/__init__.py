"""Letters: a Typst template and the data of a case become a PDF that can be archived and read aloud.

The template is text of a service package; `vorlage/brief.typ` gives it the shape of a letter
(DIN 5008 form B).
"""

from rathaus.engine.letters.check import LetterProblem, check_letter
from rathaus.engine.letters.render import LetterError, render_letter

__all__ = ["LetterError", "LetterProblem", "check_letter", "render_letter"]
