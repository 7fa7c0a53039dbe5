"""Compare rpc-schema documents with a running node: `lnstandin conform SCHEMAS --socket NODE`.

documents   the documents of a folder
node        the node, over its socket
usage       parameters as `help` shows them
parameters  parameters compared: names, presence, order, types and rules
answers     answers and payloads compared: fields, types, conditions
errors      error codes compared
findings    what is found
safe        the commands that are called, and why they have no side effects
run         the order of it all
effects     what is done with side effects, while `events` watches, through the plugin `watcher`
report      tables and JSON

What compares is without I/O, and does not know where a value comes from.
"""
