"""What the cases are written with."""

import errno

CASES = {}


def case(function):
    """Puts a case into the table, by its name."""
    assert function.__name__ not in CASES, function.__name__
    CASES[function.__name__] = function
    return function


class Differs(Exception):
    """It works in another way than it should."""


def expect(condition, what="not so"):
    if not condition:
        raise Differs(what)


def equal(got, wanted):
    expect(got == wanted, f"{shown(got)} in place of {shown(wanted)}")


def shown(value):
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."


def fails(number, function, *arguments, **keywords):
    """The call fails with this errno."""
    try:
        function(*arguments, **keywords)
    except OSError as error:
        expect(error.errno == number, f"{errno.errorcode.get(error.errno)} in place of {errno.errorcode[number]}")
        return
    raise Differs(f"success in place of {errno.errorcode[number]}")


def save(path, content):
    with open(path, "wb") as file:
        file.write(content)
    return path


def load(path):
    with open(path, "rb") as file:
        return file.read()
