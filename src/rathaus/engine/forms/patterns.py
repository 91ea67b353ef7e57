"""Which regular expressions a form may use: those that every engine matches in reasonable time."""

import jsonschema_rs

from rathaus.engine.forms import limits

#: Rust's linear-time engine: no look-around, no back references, bounded size.
LINEAR = jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000)


def problem_with(pattern: object) -> str | None:
    """Why a pattern is refused, in German; None if it may be used.

    A repetition inside a repetition explodes in backtracking engines, and the browser has one.
    """
    if not isinstance(pattern, str) or not pattern:
        return "Das Muster ist kein Text."
    if len(pattern) > limits.PATTERN_LENGTH:
        return f"Das Muster ist länger als {limits.PATTERN_LENGTH} Zeichen."
    if _repeats_a_repetition(pattern):
        return "Das Muster wiederholt eine Wiederholung; das kann beliebig lange rechnen."
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=LINEAR)
    except ValueError:
        return "Das Muster ist kein regulärer Ausdruck, oder es benutzt Rückbezüge oder Umschau."
    return None


def _repeats_a_repetition(pattern: str) -> bool:
    """Whether a group that holds a quantifier (other than ``?``) or an alternative is itself repeated."""
    open_groups: list[bool] = []
    in_class = False
    last_group_varies = False
    after_group = False
    position = 0
    varies = False
    while position < len(pattern):
        char = pattern[position]
        width = 2 if char == "\\" else 1
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            if pattern[position + 1 : position + 2] in ("]", "^"):
                width = 2
        elif char == "(":
            open_groups.append(varies)
            varies = False
        elif char == ")" and open_groups:
            last_group_varies = varies
            varies = open_groups.pop() or varies
        elif char in "*+{":
            if after_group and last_group_varies:
                return True
            varies = True
        elif char == "|" and open_groups:
            varies = True
        after_group = char == ")" and not in_class
        position += width
    return False
