"""Tests; each file holds one part of Pitwall to what it promises."""
