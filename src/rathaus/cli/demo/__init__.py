"""`rathaus demo`: Starke Heimat Hessen from the register to the last notice, then the site with its logins."""

from rathaus.cli.demo.command import demo

__all__ = ["demo"]
