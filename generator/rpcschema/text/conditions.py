"""Conditions in words, as Markdown on one line."""

from __future__ import annotations

from rpcschema.model.conditions import Clause, Condition, Conjunction, Form
from rpcschema.text.prose import code, plain


def condition_words(condition: Condition | Form) -> str:
    """Return a clause that fits after "if".

    For example: `type` is "rune" and `valid` is true; negated: `type` is not "rune" or `valid` is not true.
    """
    if isinstance(condition, Form):
        return f"form {condition.number} of {condition.count} is used"
    if not condition.clauses:
        return f"the condition at {plain(condition.pointer)} {'does not hold' if condition.negated else 'holds'}"
    clauses = (_clause_words(clause, negated=condition.negated) for clause in condition.clauses)
    return " ".join((" or " if condition.negated else " and ").join(clauses).split())


def conjunction_words(conditions: Conjunction) -> str:
    """Return, for example: if `type` is "rune" and `valid` is true."""
    return "if " + " and ".join(map(condition_words, conditions))


def _clause_words(clause: Clause, *, negated: bool) -> str:
    name, no = code(".".join(clause.names)), "not " if negated else ""
    if clause.type is not None:
        return f"{name} is {no}of type {clause.type}"
    if clause.values is None:
        return f"{name} is {'absent' if negated else 'present'}"
    texts = list(map(plain, clause.values))
    if not texts:
        return f"{name} has {'any value' if negated else 'a value that does not exist'}"
    if not negated:
        return f"{name} is {' or '.join(texts)}"
    return f"{name} is not {texts[0]}" if len(texts) == 1 else f"{name} is neither {' nor '.join(texts)}"
