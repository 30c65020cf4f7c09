"""Values of a condition as staff or a file gives them; a ValueError has the code of what is wrong with one."""

from decimal import Decimal, InvalidOperation

LARGEST = Decimal(10) ** 12
YES_NO = {True: True, False: False, "yes": True, "no": False}


def as_number(value: object) -> Decimal:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError("not_a_number")
    if number.copy_abs() > LARGEST:  # abs() rounds, and fails on an exponent without end
        raise ValueError("out_of_range")
    return number


def as_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("not_a_text")
    return value.strip()


def as_yes_or_no(value: object) -> bool:
    if not isinstance(value, str | bool) or value not in YES_NO:
        raise ValueError("not_yes_or_no")
    return YES_NO[value]
