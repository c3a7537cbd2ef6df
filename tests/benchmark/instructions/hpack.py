"""Header compression by nghttp2, which every machine that builds weir has.

The blocks are those that h2load, curl and every other client on nghttp2 send, and they do not change when weir's own
code does.
"""

import ctypes

_NGHTTP2 = ctypes.CDLL("libnghttp2.so.14")
_TABLE_BYTES = 4096  # RFC 9113 section 6.5.2: the initial value of SETTINGS_HEADER_TABLE_SIZE
_INFLATE_FINAL, _INFLATE_EMIT = 1, 2


class _Field(ctypes.Structure):  # nghttp2_nv
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p), ("name_bytes", ctypes.c_size_t),
                ("value_bytes", ctypes.c_size_t), ("flags", ctypes.c_uint8)]


class _InflatedField(ctypes.Structure):  # the same with pointers that say nothing of a terminator
    _fields_ = [("name", ctypes.c_void_p), ("value", ctypes.c_void_p), ("name_bytes", ctypes.c_size_t),
                ("value_bytes", ctypes.c_size_t), ("flags", ctypes.c_uint8)]


for _function in (_NGHTTP2.nghttp2_hd_deflate_hd, _NGHTTP2.nghttp2_hd_inflate_hd2):
    _function.restype = ctypes.c_ssize_t


class Deflater:
    def __init__(self):
        self._deflater = ctypes.c_void_p()
        _check(_NGHTTP2.nghttp2_hd_deflate_new(ctypes.byref(self._deflater), ctypes.c_size_t(_TABLE_BYTES)))

    def __del__(self):
        _NGHTTP2.nghttp2_hd_deflate_del(self._deflater)

    def block(self, fields):
        """The header block of [(name, value)], for this place in the order of all blocks."""
        encoded = [(name.encode(), value.encode()) for name, value in fields]
        array = (_Field * len(encoded))(*[(name, value, len(name), len(value), 0) for name, value in encoded])
        out = ctypes.create_string_buffer(sum(len(name) + len(value) + 16 for name, value in encoded) + 16)
        size = _NGHTTP2.nghttp2_hd_deflate_hd(self._deflater, out, ctypes.c_size_t(len(out)), array,
                                              ctypes.c_size_t(len(encoded)))
        return out.raw[:_check(size)]


class Inflater:
    def __init__(self):
        self._inflater = ctypes.c_void_p()
        _check(_NGHTTP2.nghttp2_hd_inflate_new(ctypes.byref(self._inflater)))

    def __del__(self):
        _NGHTTP2.nghttp2_hd_inflate_del(self._inflater)

    def fields(self, block):
        """{name: value} of a whole header block."""
        fields, field, flags = {}, _InflatedField(), ctypes.c_int()
        while not flags.value & _INFLATE_FINAL:
            flags.value = 0
            used = _check(_NGHTTP2.nghttp2_hd_inflate_hd2(self._inflater, ctypes.byref(field), ctypes.byref(flags),
                                                          block, ctypes.c_size_t(len(block)), 1))
            block = block[used:]
            if flags.value & _INFLATE_EMIT:
                name = ctypes.string_at(field.name, field.name_bytes).decode()
                fields[name] = ctypes.string_at(field.value, field.value_bytes).decode()
        _NGHTTP2.nghttp2_hd_inflate_end_headers(self._inflater)
        return fields


def _check(result):
    if result < 0:
        raise ValueError("nghttp2's header compression: error %d" % result)
    return result
