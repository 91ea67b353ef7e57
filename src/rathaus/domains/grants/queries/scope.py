"""Which rows belong to a programme, said so that PostgreSQL guesses well how many they are."""

from __future__ import annotations

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func

from rathaus.domains.grants.models import Call, Programme


def of_programme(programme: Programme, call: str) -> Func:
    """A condition for `filter`: the call (the path to its key, such as `grant__call_id`) is one of the programme.

    Programmes, measures and calls are tables of few rows, which PostgreSQL may never have counted. Joined, they make it
    expect a handful of grants and walk through all of a programme's to find its few payments that wait. As an array
    looked up first they do not.
    """
    calls = ArraySubquery(Call.objects.filter(measure__programme=programme).values("id"))
    return Func(
        F(call),
        Func(calls, function="ANY"),
        template="%(expressions)s",
        arg_joiner=" = ",
        output_field=BooleanField(),
    )
