"""Stands for an installed library; tests copy this folder and rewrite it."""
import os

VERSION = "one"
IMPORTED_BY = os.getpid()
