"""Find what releases of Core Lightning remove, in the source of programs. Nothing is imported or run.

`files` finds the sources. `index` notes the names and calls of a module, in `scopes`; `follow` resolves what an
expression can be. `uses` collects the commands and fields that a module uses, with `calls` for those named as text.
`table` says what is deprecated, and `report` makes findings. `moving` says what changes for programs of pyln-client.
"""
