"""Reading is fast enough to be done at every start of pytest."""

from __future__ import annotations

import time
from collections.abc import Callable

from scripts.chapters import Chapter, read_chapter
from tests.chapters.samples import HEAD, PAGE

LIMIT = 1.0
"""Seconds of processor time for a thousand blocks; a laptop takes a tenth of it."""

SECTION = """
## Section {number}

Some prose, with `code` in it, over
two lines.

=== "uv"

    1. An item

        <!-- block: run timeout=60 -->
        ```sh
        uv run python3 src/train.py --seed {number}
        ```

        ```text title="Output"
        accuracy 0.{number}
        ```

=== "pip"

    1. An item

        ```sh
        python3 src/train.py --seed {number}
        ```

        ```text title="Output"
        accuracy 0.{number}
        ```

```py title="src/module_{number}.py"
a = {number}
```
"""


def test_a_thousand_blocks(record_testsuite_property: Callable[[str, object], None]) -> None:
    page = HEAD + "".join(SECTION.format(number=number) for number in range(200))
    start = time.process_time()
    chapter = read_chapter(PAGE, page)
    seconds = time.process_time() - start
    record_testsuite_property("seconds for reading a thousand blocks", round(seconds, 3))
    assert isinstance(chapter, Chapter)
    assert len(chapter.blocks) == 1000
    assert seconds < LIMIT, f"reading took {seconds:.2f} s"
