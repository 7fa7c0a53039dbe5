"""Stand-ins for tests and demos, which no production server loads.

play     a payment backend: play money between servers of this project
network  nodes with channels of play money
"""
