#!/usr/bin/python3
"""A DNS server with one name: answers with the IPv4 addresses that stand in a file, one on each line, when it is asked.

    dns_server.py FILE HOST PORT        port 0: the system chooses; it is printed: "listening on HOST:PORT"
"""

import socket
import struct
import sys

A, IN, HEADER = 1, 1, 12


def answer(question, addresses):
    """RFC 1035, section 4: the header, the question again, and a record for each address, which may not be kept."""
    end = question.index(b"\0", HEADER) + 5
    kind, = struct.unpack_from("!H", question, end - 4)
    records = [socket.inet_aton(address) for address in addresses] if kind == A else []
    header = question[:2] + struct.pack("!HHHHH", 0x8580, 1, len(records), 0, 0)
    name = struct.pack("!H", 0xc000 | HEADER)  # where it stands in the question
    return header + question[HEADER:end] + b"".join(
        name + struct.pack("!HHIH", A, IN, 0, len(record)) + record for record in records)


def main():
    path, host, port = sys.argv[1:]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((host, int(port)))
    print("listening on %s:%d" % server.getsockname(), flush=True)
    while True:
        question, client = server.recvfrom(4096)
        with open(path, encoding="ascii") as file:
            server.sendto(answer(question, file.read().split()), client)


if __name__ == "__main__":
    main()
