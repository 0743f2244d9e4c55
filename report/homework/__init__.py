"""The homework file -> Homework, its questions, random inputs and conditions, variants."""
