"""All SQL: one module per noun, connection first, one write transaction, plain data back."""


class Refused(Exception):
    """The store will not do this, and says why.

    Parameters
    ----------
    code : short machine word, also the key ``refused.<code>`` of the text catalogue
    status : HTTP status that the doors answer with
    facts : values for the placeholders of the message (dates, names)
    """

    def __init__(self, code: str, status: int, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.facts = facts
