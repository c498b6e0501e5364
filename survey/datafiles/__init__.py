"""Data out: files of responses with labels, design, proof, and only what may leave."""

from __future__ import annotations

from survey.datafiles.pages import bp as bp
