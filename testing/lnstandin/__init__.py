"""Stand-ins for tests and demos, which no production server loads.

play     a payment backend: play money between servers of this project
network  nodes with channels of play money
mock     serves any documents
conform  compares documents with a running node

What several of them use: `releases`, documents as another release follows them, and `validation`, values checked
against documents.
"""
