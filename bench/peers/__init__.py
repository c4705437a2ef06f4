"""`make bench-peers`: the gateway and its peers side by side, over one vendor; see docs/performance.md."""
