"""Named checks of a bundle: of its lines by themselves, among each other, and with the database.

Each finds one kind of fault and stands in a registry (`examine.CHECKS`), so that a test can take it
out and see the fault go unnoticed. What only ms-swift can tell is asked of ms-swift
(`exports.training.verify`).
"""
