"""The rules for messages beyond their encoding: tables of named rules, one file for each kind of message.

A rule of the specification has one name and one place. Error messages are Core Lightning's if it has one for the rule.
A rule that depends on the reader's clock or chain is made by a function with that argument. Rules that need a network
or a store are checked elsewhere.
"""
