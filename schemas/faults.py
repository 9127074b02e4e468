"""What pydantic refuses, in one line that repeats no value: it may be a secret."""

from pydantic import ValidationError


def faults_of(error: ValidationError) -> str:
    """Each place and what is wrong there."""
    return "; ".join(
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
        for each in error.errors(include_input=False, include_url=False)
    )
