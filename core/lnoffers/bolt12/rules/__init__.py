"""The rules for messages beyond their encoding: tables of named rules, one file for each kind of message.

A rule of the specification has one name and one place. Messages are Core Lightning's where it has one for the rule.
What needs something of the reader's, as its clock or the chain it is on, is a rule that a function makes of that; what
needs a network or a store is checked by whoever has it.
"""
