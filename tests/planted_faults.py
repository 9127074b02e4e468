"""Faults to plant in a good bundle, by name: what a defect of an export could do to its rows."""

from tests import faults_of_files, faults_of_parts, faults_of_rows, faults_of_sources

FAULTS = (
    *faults_of_sources.FAULTS,
    *faults_of_rows.FAULTS,
    *faults_of_parts.FAULTS,
    *faults_of_files.FAULTS,
)
