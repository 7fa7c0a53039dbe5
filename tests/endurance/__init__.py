"""What takes too long for every run of the tests: nox sessions of their own, of which CI runs a short form.

`soak` fills a store, `durability` kills the server again and again, `fuzz_socket` sends it what no client would.
"""
