"""A class: its roster, a batch of reports, workers, the ledger of what is done, grading."""
