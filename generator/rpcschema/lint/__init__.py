"""Look for mistakes in documents that the generator can work with: `rpcschema lint`.

`rules` names and explains what is looked for, and `levels` says how bad it is. The modules of checks are `names`,
`releases`, `values`, `examples` and `prose`; `run` calls them, and `positions` finds the lines.
"""
