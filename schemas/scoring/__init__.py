"""Pure judgements of a plan or a trace.

These modules travel with every bundle: they take plain values and import only the standard library,
numpy and scipy, by relative imports among themselves.
"""
