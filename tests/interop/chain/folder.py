"""The chain as files: blocks by height and waiting transactions by txid, both as hex."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from .blocks import REWARD_SAT, Block, genesis_block, make_block, read_block
from .transactions import COINBASE_OUTPOINT, Outpoint, Output, Transaction, make_transaction, read_transaction

MISSING_INPUTS: Final = "bad-txns-inputs-missingorspent"
"""What bitcoind says too when a transaction spends what is not there."""


class Chain:
    """A chain below `directory`. Several processes may read it and submit transactions; one may mine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._blocks = directory / "blocks"
        self._mempool = directory / "mempool"

    @classmethod
    def create(cls, directory: Path) -> Chain:
        """Begin a chain in an empty or missing directory, with the first block and one more."""
        chain = cls(directory)
        chain._blocks.mkdir(parents=True)
        chain._mempool.mkdir()
        _write(chain._block_path(0), genesis_block().raw)
        chain.mine()  # so that there is a coinbase to spend; that of the first block belongs to someone
        return chain

    @property
    def height(self) -> int:
        """The height of the newest block; the first block's is 0."""
        return len(list(self._blocks.glob("*.hex"))) - 1

    def block(self, height: int) -> Block | None:
        """Return the block at `height`, None if there is none yet."""
        try:
            return read_block(_read(self._block_path(height)))
        except FileNotFoundError:
            return None

    def blocks(self) -> Iterator[Block]:
        """Yield all blocks, the first one first."""
        for height in range(self.height + 1):
            yield read_block(_read(self._block_path(height)))

    def waiting(self) -> list[Transaction]:
        """Return the transactions that wait for a block."""
        found = []
        for path in sorted(self._mempool.glob("*.hex")):
            try:
                found.append(read_transaction(_read(path)))
            except FileNotFoundError:  # mined or replaced meanwhile
                continue
        return found

    def unspent(self) -> dict[Outpoint, Output]:
        """Return every output in a block that no transaction in a block spends."""
        outputs: dict[Outpoint, Output] = {}
        for block in self.blocks():
            for transaction in block.transactions:
                _apply(transaction, outputs)
        return outputs

    def submit(self, transaction: Transaction) -> str | None:
        """Let a transaction wait for the next block, and return None, or else the reason for refusing it.

        It replaces those that spend the same outputs: lightningd sends a transaction again with a higher fee.
        """
        waiting = self.waiting()
        outputs = self.unspent()
        for other in waiting:
            outputs.update(_new_outputs(other))
        if not all(spent in outputs for spent in transaction.inputs):
            return MISSING_INPUTS
        _write(self._waiting_path(transaction), transaction.raw)
        for other in waiting:
            if other.txid != transaction.txid and set(other.inputs) & set(transaction.inputs):
                self._waiting_path(other).unlink(missing_ok=True)
        return None

    def mine(self, count: int = 1, payments: Sequence[Output] = ()) -> None:
        """Add blocks. The first has the waiting transactions, and one that makes the payments from nobody's money.

        Raises:
            ValueError: If the payments come to more than a block's reward.
        """
        if count < 1:
            return
        tip = self.block(self.height)
        transactions = [] if tip is None or not payments else [_payout(tip, payments)]
        waiting = self.waiting()
        outputs = self.unspent()
        for transaction in transactions:
            _apply(transaction, outputs)
        while ready := [each for each in waiting if all(spent in outputs for spent in each.inputs)]:
            # One at a time: another may spend the same, or what this one makes.
            _apply(ready[0], outputs)
            transactions.append(ready[0])
            waiting.remove(ready[0])
        self._add(transactions)
        for transaction in (*transactions, *waiting):  # what could not be mined now never can
            self._waiting_path(transaction).unlink(missing_ok=True)
        for _ in range(count - 1):
            self._add([])

    def _add(self, transactions: Sequence[Transaction]) -> None:
        height = self.height + 1
        previous = read_block(_read(self._block_path(height - 1)))
        # Blocks are made faster than one a second, and each must be later than the one before.
        now = max(int(time.time()), previous.time + 1) if height > 1 else int(time.time())
        _write(self._block_path(height), make_block(previous, height, now, transactions).raw)

    def _block_path(self, height: int) -> Path:
        return self._blocks / f"{height:08}.hex"

    def _waiting_path(self, transaction: Transaction) -> Path:
        return self._mempool / f"{transaction.txid}.hex"


def _payout(tip: Block, payments: Sequence[Output]) -> Transaction:
    """Return a transaction that pays from the newest block's coinbase, which anyone can spend."""
    total = sum(payment.amount_sat for payment in payments)
    if total > REWARD_SAT:
        raise ValueError(f"a block pays {REWARD_SAT} sat at most, not {total}")
    return make_transaction(Outpoint(tip.transactions[0].txid, 0), payments)


def _new_outputs(transaction: Transaction) -> dict[Outpoint, Output]:
    return {Outpoint(transaction.txid, index): output for index, output in enumerate(transaction.outputs)}


def _apply(transaction: Transaction, outputs: dict[Outpoint, Output]) -> None:
    for spent in transaction.inputs:
        if spent != COINBASE_OUTPOINT:
            outputs.pop(spent, None)
    outputs.update(_new_outputs(transaction))


def _read(path: Path) -> bytes:
    return bytes.fromhex(path.read_text("ascii"))


def _write(path: Path, data: bytes) -> None:
    """Write a file that other processes see whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(data.hex())
    Path(name).replace(path)
