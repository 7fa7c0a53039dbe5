"""Stand-ins for tests and demos, which no production server loads.

play     a payment backend: play money between servers of this project
network  nodes with channels of play money
mock     serves any documents
conform  compares documents with a running node

The last two share `documents`, documents as a node follows them, and `validation`, which checks values against them.
`cli` is the program `lnstandin`. `pytest_plugin` has the fixtures, and `asserting` the classes of `cln` and `clnrest`.
"""
