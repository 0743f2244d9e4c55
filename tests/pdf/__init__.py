"""Tests of the PDF backend."""
