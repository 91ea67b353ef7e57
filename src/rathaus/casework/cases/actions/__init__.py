"""Everything that writes cases, one module a matter."""
