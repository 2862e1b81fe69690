"""Django's hello of the benchmark: what `startproject` gives (its apps and middleware), one view, no query."""
