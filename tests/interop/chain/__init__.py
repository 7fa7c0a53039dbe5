"""A stand-in for the chain: blocks and transactions in a folder, a miner, and a plugin that answers lightningd from it.

lightningd asks a plugin for blocks and fees. This one needs no bitcoind, so the tests run for anyone who has lightningd
alone. `transactions` and `blocks` know the formats, `folder` keeps and mines, `plugin` answers, and `addresses` says
what a payment to an address looks like. The chain is regtest's own, from the genesis block on.

It is enough for nodes that behave. Scripts, signatures, amounts and lock times are not checked, blocks never go away,
and their transactions carry no witness commitment.
"""
