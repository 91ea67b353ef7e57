"""Forms as data: a JSON Schema and a UI schema become pages, clean answers, errors in German, and words."""

from rathaus.engine.forms.form import Form
from rathaus.engine.forms.model import (
    Answers,
    Choice,
    Field,
    FieldError,
    FileAnswer,
    FormError,
    Group,
    Kind,
    Page,
    Reading,
    Sum,
    SummaryItem,
    SummarySection,
    SummaryTable,
    Table,
    Text,
)
from rathaus.engine.forms.reading import Data, Files, FindAuthority
from rathaus.engine.forms.values import format_bytes
from rathaus.engine.forms.views import (
    ElementView,
    FieldView,
    GroupView,
    InputView,
    OptionView,
    RowView,
    TableView,
)

__all__ = [
    "Answers",
    "Choice",
    "Data",
    "ElementView",
    "Field",
    "FieldError",
    "FieldView",
    "FileAnswer",
    "Files",
    "FindAuthority",
    "Form",
    "FormError",
    "Group",
    "GroupView",
    "InputView",
    "Kind",
    "OptionView",
    "Page",
    "Reading",
    "RowView",
    "Sum",
    "SummaryItem",
    "SummarySection",
    "SummaryTable",
    "Table",
    "TableView",
    "Text",
    "format_bytes",
]
