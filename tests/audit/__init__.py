"""Proof that nothing is lost between a document and what is made of it: `python -m tests.audit` (nox session `audit`).

The audit shares no code with the generator. It runs the generator's command line, reads the raw JSON by its own
understanding of the dialect (`dialect`, `values`), reads the results as their users do (`classes` by `get_type_hints`,
`pages` through mandoc and a Markdown parser), and compares. `rows` are the lines of its table.
"""
