"""Decisions of service packages: DMN tables, compiled once; their cells speak the language of expressions."""

from __future__ import annotations

from .coverage import Coverage, examine
from .reader import DecisionError, Problem, parse_dmn
from .table import Aggregation, Decision, Explanation, HitPolicy, Input, Output, Row, Rule

__all__ = [
    "Aggregation",
    "Coverage",
    "Decision",
    "DecisionError",
    "Explanation",
    "HitPolicy",
    "Input",
    "Output",
    "Problem",
    "Row",
    "Rule",
    "examine",
    "parse_dmn",
]
