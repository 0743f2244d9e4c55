"""Text -> Graph: an expression is read by a closed list of node types, and nothing is ever evaluated."""
