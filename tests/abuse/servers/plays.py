"""What a hostile server does, and how the calls of its client must end."""


TEXT_MAX = 4096


class Play:
    """`script(connection)` is played on every connection.

    The client makes calls as `ask` says (victim.cc). Each must end with the status `ends` ("A|B": or with B) and a text
    that holds `text` and is no longer than TEXT_MAX, whatever the server said; the server gets `got` from its first
    connection, and no more than `connections_max` of them. `raw`: no SETTINGS are sent before the script.
    """

    def __init__(self, script, ends, text="", got="", ask="", settings=b"", raw=False, acknowledge=True, read=True,
                 connections_max=2):
        self.script = script
        self.name = script.__name__
        self.ends = ends
        self.text = text
        self.got = got
        self.ask = ask
        self.settings = settings
        self.raw = raw
        self.acknowledge = acknowledge
        self.read = read
        self.connections_max = connections_max


def play(plays, ends, text="", got="", **options):
    """Decorates a script, and puts it into `plays`."""
    def put(script):
        plays.append(Play(script, ends, text, got, **options))
        return script
    return put


def named(name, script):
    script.__name__ = name
    return script
