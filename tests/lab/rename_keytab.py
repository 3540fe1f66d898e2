#!/usr/bin/python3
"""rename_keytab.py FILE PRINCIPAL: gives every key of a keytab the name of a service. Samba exports the keys of an account under the
account's name, and Apache looks for the service's."""
import struct
import sys

path, principal = sys.argv[1:]
name, realm = principal.rsplit("@", 1)


def counted(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def renamed(entry):
    components, = struct.unpack_from(">H", entry, 0)
    offset = 2
    for _ in range(components + 1):
        length, = struct.unpack_from(">H", entry, offset)
        offset += 2 + length
    parts = name.split("/")
    return struct.pack(">H", len(parts)) + counted(realm) + b"".join(counted(part) for part in parts) + entry[offset:]


data = open(path, "rb").read()
assert data[:2] == b"\x05\x02", "not a keytab"
output, offset = data[:2], 2
while offset < len(data):
    length, = struct.unpack_from(">i", data, offset)
    offset += 4
    if length > 0:
        entry = renamed(data[offset:offset + length])
        output += struct.pack(">i", len(entry)) + entry
    offset += abs(length)
with open(path, "wb") as file:
    file.write(output)
