"""How much of a chapter is executed, and how much of that is checked. Never to fall unnoticed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from scripts.chapters import Background, Block, Chapter, Expect, File, Hidden, Notebook, Run, Variant


@dataclass(frozen=True)
class Shares:
    """Numbers of blocks in one variant. ``executed`` leaves out what is declared as skipped.

    ``commands`` are the executed run blocks that readers see; ``asserted`` those whose effect is
    checked: by an output, by a status other than 0, by a file that is compared or by a hidden check.
    ``outputs`` are the blocks that show what was printed or written, and are compared with it.
    """

    blocks: int
    executed: int
    commands: int
    asserted: int
    outputs: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    @property
    def asserted_share(self) -> float:
        return self.asserted / self.commands if self.commands else 1.0

    @property
    def executed_share(self) -> float:
        return self.executed / self.blocks if self.blocks else 1.0


def of(chapter: Chapter, variant: Variant) -> Shares:
    blocks = list(chapter.executable(variant))
    commands = [b for b in blocks if isinstance(b, Run) and not isinstance(b, Hidden | Background) and not b.skip]
    return Shares(
        blocks=len(blocks),
        executed=sum(b.skip is None for b in blocks),
        commands=len(commands),
        asserted=sum(asserted(command, blocks) for command in commands),
        outputs=sum(not b.skip and is_compared(b) for b in blocks),
    )


def is_compared(block: Block) -> bool:
    """Whether a block shows something that was printed, or a file that a tool wrote."""
    return isinstance(block, Expect) or (isinstance(block, File) and block.mode in {"state", "excerpt"})


def asserted(command: Run, blocks: list[Block]) -> bool:
    if command.exit:
        return True
    for block in blocks[blocks.index(command) + 1 :]:
        if isinstance(block, Expect) and command.id in block.producers and not block.skip:
            return True
    for block in blocks[blocks.index(command) + 1 :]:
        if isinstance(block, Hidden) or (isinstance(block, File) and is_compared(block)):
            return True
        if isinstance(block, Run | Notebook):
            return False
    return False


def fallen(now: Shares, recorded: dict[str, int]) -> str | None:
    """What has become less than it was when the chapter was last recorded."""
    before = Shares(**recorded)
    if now.executed_share < before.executed_share - 1e-9:
        return f"{now.executed} of {now.blocks} blocks are executed; it was {before.executed} of {before.blocks}"
    if now.asserted_share < before.asserted_share - 1e-9:
        return f"{now.asserted} of {now.commands} commands are checked; it was {before.asserted} of {before.commands}"
    if now.outputs < before.outputs:
        return f"{now.outputs} outputs are compared; it was {before.outputs}"
    return None
