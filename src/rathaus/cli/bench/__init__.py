"""`rathaus bench`: the figures of docs/performance.md, measured with their yardsticks in the same run."""

from rathaus.cli.bench.command import bench

__all__ = ["bench"]
