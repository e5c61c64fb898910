#!/usr/bin/env python3
"""Reads and writes Kafka log segments: a second opinion, which shares no code with the project.

Written from public descriptions, with the standard library alone:

  record batch, record, control record   Kafka documentation, "Message Format" (5.3), and KIP-98
  .index, .timeindex                     Kafka documentation, "Log" (5.4), and KIP-33
  producer snapshot                      KIP-98, "Producer state snapshots"
  CRC-32C                                RFC 3720, appendix B.4 (iSCSI); reflected polynomial 0x82F63B78
  gzip                                   RFC 1952, by zlib
  snappy                                 "Snappy compressed format description"; xerial framing of snappy-java
  lz4                                    "LZ4 Block Format Description", "LZ4 Frame Format Description" 1.6
  xxhash32                               "xxHash fast digest algorithm", Yann Collet
  zstd                                   compression.zstd (Python 3.14), else libzstd.so.1 by ctypes, else none

Commands, all of which speak JSON on standard output:

  segment_codec.py codecs                what can be compressed and inflated here
  segment_codec.py decode DIRECTORY      a partition directory: batches, records, indexes, snapshots, what is wrong
  segment_codec.py encode DIRECTORY      writes one from the same JSON on standard input

Bytes are base64 in JSON, null is null. Encoders of snappy and lz4 emit literals only, which is legal.
"""

import base64
import ctypes
import json
import os
import re
import struct
import sys
import zlib


class Damaged(Exception):
    """The bytes are not what the format says."""


def need(condition, words):
    if not condition:
        raise Damaged(words)


# --- checksums -------------------------------------------------------------------------------------------------------


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    table = CRC_TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


P1, P2, P3, P4, P5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
M32 = 0xFFFFFFFF


def rotl(value, bits):
    return ((value << bits) | (value >> (32 - bits))) & M32


def xxhash32(data, seed=0):
    size, at = len(data), 0
    if size >= 16:
        lanes = [(seed + P1 + P2) & M32, (seed + P2) & M32, seed, (seed - P1) & M32]
        while at + 16 <= size:
            words = struct.unpack_from("<4I", data, at)
            lanes = [rotl((lane + word * P2) & M32, 13) * P1 & M32 for lane, word in zip(lanes, words)]
            at += 16
        value = (rotl(lanes[0], 1) + rotl(lanes[1], 7) + rotl(lanes[2], 12) + rotl(lanes[3], 18)) & M32
    else:
        value = (seed + P5) & M32
    value = (value + size) & M32
    while at + 4 <= size:
        (word,) = struct.unpack_from("<I", data, at)
        value = rotl((value + word * P3) & M32, 17) * P4 & M32
        at += 4
    while at < size:
        value = rotl((value + data[at] * P5) & M32, 11) * P1 & M32
        at += 1
    value = (value ^ (value >> 15)) * P2 & M32
    value = (value ^ (value >> 13)) * P3 & M32
    return value ^ (value >> 16)


# --- snappy ----------------------------------------------------------------------------------------------------------

XERIAL = b"\x82SNAPPY\x00"


def uvarint(data, at):
    value = shift = 0
    while True:
        need(at < len(data) and shift < 70, "a varint does not end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def put_uvarint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def copy_back(out, offset, length):
    """A match may reach into what it itself produces."""
    need(0 < offset <= len(out), "a copy from before the start")
    start = len(out) - offset
    if offset >= length:
        out += out[start : start + length]
    else:
        chunk = bytes(out[start:])
        out += (chunk * (length // offset + 1))[:length]


def snappy_block_decode(data):
    size, at = uvarint(data, 0)
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        kind, upper = tag & 3, tag >> 2
        if kind == 0:
            if upper >= 60:
                extra = upper - 59
                upper = int.from_bytes(data[at : at + extra], "little")
                at += extra
            need(at + upper + 1 <= len(data), "a snappy literal does not fit")
            out += data[at : at + upper + 1]
            at += upper + 1
        elif kind == 1:
            copy_back(out, (tag >> 5) << 8 | data[at], (upper & 7) + 4)
            at += 1
        else:
            width = 2 if kind == 2 else 4
            copy_back(out, int.from_bytes(data[at : at + width], "little"), upper + 1)
            at += width
    need(len(out) == size, f"a snappy block of {len(out)} bytes that says {size}")
    return bytes(out)


def snappy_block_encode(data):
    out = bytearray(put_uvarint(len(data)))
    for at in range(0, len(data), 65536):
        part = data[at : at + 65536]
        length = len(part) - 1
        if length < 60:
            out.append(length << 2)
        else:
            out += bytes([61 << 2]) + length.to_bytes(2, "little")
        out += part
    return bytes(out)


def snappy_decode(data):
    if not data.startswith(XERIAL):
        return snappy_block_decode(data)
    version, compatible = struct.unpack_from(">ii", data, 8)
    need(version >= 1 and compatible == 1, f"xerial version {version}, compatible {compatible}")
    out, at = b"", 16
    while at < len(data):
        (size,) = struct.unpack_from(">i", data, at)
        need(0 < size <= len(data) - at - 4, f"a xerial block of {size} bytes")
        out += snappy_block_decode(data[at + 4 : at + 4 + size])
        at += 4 + size
    return out


def snappy_encode(data):
    out = XERIAL + struct.pack(">ii", 1, 1)
    for at in range(0, len(data), 32768):
        block = snappy_block_encode(data[at : at + 32768])
        out += struct.pack(">i", len(block)) + block
    return out


# --- lz4 -------------------------------------------------------------------------------------------------------------

LZ4_MAGIC = 0x184D2204
STORED = 0x80000000


def lz4_length(data, at, nibble):
    length = nibble
    if nibble == 15:
        while True:
            need(at < len(data), "an lz4 length does not end")
            byte = data[at]
            at += 1
            length += byte
            if byte != 255:
                break
    return length, at


def lz4_block_decode(data, out):
    """Appends to `out`, whose end is the window of a linked block."""
    at = 0
    while at < len(data):
        token = data[at]
        literals, at = lz4_length(data, at + 1, token >> 4)
        need(at + literals <= len(data), "lz4 literals do not fit")
        out += data[at : at + literals]
        at += literals
        if at == len(data):
            return
        (offset,) = struct.unpack_from("<H", data, at)
        length, at = lz4_length(data, at + 2, token & 15)
        copy_back(out, offset, length + 4)


def lz4_block_encode(data):
    """One sequence of literals, as the last sequence of every block is."""
    if len(data) < 15:
        return bytes([len(data) << 4]) + data
    rest = len(data) - 15
    return b"\xf0" + b"\xff" * (rest // 255) + bytes([rest % 255]) + data


def lz4_decode(data):
    magic, flags, sizes = struct.unpack_from("<IBB", data, 0)
    need(magic == LZ4_MAGIC and flags >> 6 == 1, f"no lz4 frame: {data[:6].hex()}")
    at = 6 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
    need(data[at] == (xxhash32(data[4:at]) >> 8) & 0xFF, "the lz4 header fails its checksum")
    content_size = struct.unpack_from("<Q", data, 6)[0] if flags & 8 else None
    at += 1
    out, block_max = bytearray(), 1 << (8 + 2 * (sizes >> 4 & 7))
    while True:
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
        if size == 0:
            break
        length = size & ~STORED
        need(length <= block_max and at + length <= len(data), f"an lz4 block of {length} bytes")
        block = data[at : at + length]
        at += length
        if flags & 0x10:
            need(struct.unpack_from("<I", data, at)[0] == xxhash32(block), "an lz4 block fails its checksum")
            at += 4
        before = len(out)
        if size & STORED:
            out += block
        elif flags & 0x20:
            alone = bytearray()
            lz4_block_decode(block, alone)
            out += alone
        else:
            lz4_block_decode(block, out)
        need(len(out) - before <= block_max, "an lz4 block inflates beyond its bound")
    if flags & 4:
        need(struct.unpack_from("<I", data, at)[0] == xxhash32(out), "the lz4 content fails its checksum")
        at += 4
    need(at == len(data), f"{len(data) - at} bytes follow the lz4 frame")
    need(content_size in (None, len(out)), f"{len(out)} bytes where the lz4 frame says {content_size}")
    return bytes(out)


def lz4_encode(data):
    """Version 1, independent blocks of at most 64 KiB, checksums of blocks and content, content size."""
    descriptor = struct.pack("<BBQ", 0x40 | 0x20 | 0x10 | 0x08 | 0x04, 4 << 4, len(data))
    out = struct.pack("<I", LZ4_MAGIC) + descriptor + bytes([xxhash32(descriptor) >> 8 & 0xFF])
    for at in range(0, len(data), 65536):
        part = data[at : at + 65536]
        block = lz4_block_encode(part)
        # What does not get smaller should be stored; every other such block shows the other form.
        stored = at // 65536 % 2 == 1 or len(part) == 65536
        block = part if stored else block
        out += struct.pack("<I", len(block) | (STORED if stored else 0)) + block + struct.pack("<I", xxhash32(block))
    return out + struct.pack("<II", 0, xxhash32(data))


# --- zstd ------------------------------------------------------------------------------------------------------------


def find_zstd():
    """(compress, inflate), or None where nothing on this machine can do it."""
    try:
        from compression import zstd

        return zstd.compress, zstd.decompress
    except ImportError:
        pass
    try:
        library = ctypes.CDLL("libzstd.so.1")
    except OSError:
        return None
    size_t = ctypes.c_size_t
    library.ZSTD_compressBound.restype = size_t
    library.ZSTD_compress.restype = size_t
    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_decompressStream.restype = size_t

    class Stream(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_void_p), ("size", size_t), ("at", size_t)]

    def compress(data):
        bound = library.ZSTD_compressBound(size_t(len(data)))
        out = ctypes.create_string_buffer(bound)
        size = library.ZSTD_compress(out, size_t(bound), data, size_t(len(data)), 3)
        need(not library.ZSTD_isError(size_t(size)), "zstd cannot compress")
        return out.raw[:size]

    def inflate(data):
        """As a stream: the frame of a stream does not bear its content size."""
        stream = ctypes.c_void_p(library.ZSTD_createDStream())
        source = ctypes.create_string_buffer(data, len(data))
        given = Stream(ctypes.cast(source, ctypes.c_void_p), len(data), 0)
        out = bytearray()
        chunk = ctypes.create_string_buffer(131072)
        while True:
            room = Stream(ctypes.cast(chunk, ctypes.c_void_p), len(chunk), 0)
            code = library.ZSTD_decompressStream(stream, ctypes.byref(room), ctypes.byref(given))
            need(not library.ZSTD_isError(size_t(code)), "the zstd frame is damaged")
            out += chunk.raw[: room.at]
            if code == 0:
                break
            need(room.at > 0 or given.at < given.size, "the zstd frame has no end")
        library.ZSTD_freeDStream(stream)
        need(given.at == given.size, "bytes follow the zstd frame")
        return bytes(out)

    return compress, inflate


ZSTD = find_zstd()


def gzip_encode(data):
    squeezer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return squeezer.compress(data) + squeezer.flush()


def gzip_decode(data):
    inflater = zlib.decompressobj(31)
    out = inflater.decompress(data) + inflater.flush()
    need(inflater.eof and not inflater.unused_data, "the gzip stream does not end with the records")
    return out


def same(data):
    return data


CODEC_NAMES = ["none", "gzip", "snappy", "lz4", "zstd"]
ENCODERS = {"none": same, "gzip": gzip_encode, "snappy": snappy_encode, "lz4": lz4_encode}
DECODERS = {"none": same, "gzip": gzip_decode, "snappy": snappy_decode, "lz4": lz4_decode}
if ZSTD is not None:
    ENCODERS["zstd"], DECODERS["zstd"] = ZSTD


# --- record batches --------------------------------------------------------------------------------------------------

# base offset, batch length, leader epoch, magic, crc, attributes, last offset delta, base timestamp, max timestamp,
# producer id, producer epoch, base sequence, count
HEADER = struct.Struct(">qiibIhiqqqhii")
CRC_START = 21
LOG_APPEND_TIME, TRANSACTIONAL, CONTROL, DELETE_HORIZON = 8, 16, 32, 64
assert HEADER.size == 61


def zigzag(data, at):
    raw, at = uvarint(data, at)
    return (raw >> 1) ^ -(raw & 1), at


def put_zigzag(value):
    return put_uvarint(value * 2 if value >= 0 else -value * 2 - 1)


def to_json(data):
    return None if data is None else base64.b64encode(data).decode()


def from_json(text):
    return None if text is None else base64.b64decode(text)


def take_blob(data, at):
    length, at = zigzag(data, at)
    if length == -1:
        return None, at
    need(0 <= length <= len(data) - at, f"a length of {length} with {len(data) - at} bytes left")
    return data[at : at + length], at + length


def put_blob(blob):
    return put_zigzag(-1) if blob is None else put_zigzag(len(blob)) + blob


def decode_record(data, at, base_offset, base_timestamp):
    length, at = zigzag(data, at)
    end = at + length
    need(0 < length <= len(data) - at, f"a record of {length} bytes with {len(data) - at} left")
    need(data[at] == 0, f"record attributes {data[at]}")
    time_delta, at = zigzag(data, at + 1)
    offset_delta, at = zigzag(data, at)
    key, at = take_blob(data, at)
    value, at = take_blob(data, at)
    count, at = zigzag(data, at)
    need(count >= 0, f"{count} headers")
    headers = []
    for _ in range(count):
        name, at = take_blob(data, at)
        need(name is not None, "a header without a key")
        header, at = take_blob(data, at)
        headers.append([name.decode("utf-8"), to_json(header)])
    need(at == end, f"a record that ends at {at} and says {end}")
    record = {
        "offset": base_offset + offset_delta,
        "timestamp": base_timestamp + time_delta,
        "key": to_json(key),
        "value": to_json(value),
        "headers": headers,
    }
    return record, end


def encode_record(record, base_offset, base_timestamp):
    body = b"\0" + put_zigzag(record["timestamp"] - base_timestamp)
    body += put_zigzag(record["offset"] - base_offset)
    body += put_blob(from_json(record["key"])) + put_blob(from_json(record["value"]))
    body += put_zigzag(len(record["headers"]))
    for name, value in record["headers"]:
        body += put_blob(name.encode("utf-8")) + put_blob(from_json(value))
    return put_zigzag(len(body)) + body


def decode_batch(data, position):
    """The batch at `position` and where it ends."""
    need(position + HEADER.size <= len(data), f"{len(data) - position} bytes are no batch")
    (base, length, epoch, magic, crc, attributes, last_delta, base_time, max_time, pid, pepoch, sequence, count) = (
        HEADER.unpack_from(data, position)
    )
    end = position + 12 + length
    need(magic == 2, f"magic {magic}")
    need(length >= 49 and end <= len(data), f"a batch length of {length}")
    computed = crc32c(memoryview(data)[position + CRC_START : end])
    need(crc == computed, f"CRC {crc:#x} stored, {computed:#x} computed")
    codec = attributes & 7
    need(codec < len(CODEC_NAMES) and attributes & ~0x7F == 0, f"attributes {attributes:#x}")
    batch = {
        "base_offset": base,
        "last_offset": base + last_delta,
        "leader_epoch": epoch,
        "codec": CODEC_NAMES[codec],
        "log_append_time": attributes & LOG_APPEND_TIME != 0,
        "transactional": attributes & TRANSACTIONAL != 0,
        "control": attributes & CONTROL != 0,
        "delete_horizon": attributes & DELETE_HORIZON != 0,
        "base_timestamp": base_time,
        "max_timestamp": max_time,
        "producer_id": pid,
        "producer_epoch": pepoch,
        "base_sequence": sequence,
        "position": position,
    }
    inflate = DECODERS.get(CODEC_NAMES[codec])
    if inflate is None:
        batch["skipped"] = f"no {CODEC_NAMES[codec]} on this machine"
        return batch, end
    batch["records"] = decode_records(inflate(data[position + HEADER.size : end]), batch, count)
    return batch, end


def decode_records(data, batch, count):
    records, at, last = [], 0, batch["base_offset"] - 1
    for _ in range(count):
        record, at = decode_record(data, at, batch["base_offset"], batch["base_timestamp"])
        need(last < record["offset"] <= batch["last_offset"], f"record offset {record['offset']} after {last}")
        last = record["offset"]
        if batch["log_append_time"]:
            record["timestamp"] = batch["max_timestamp"]
        records.append(record)
    need(at == len(data), f"{len(data) - at} bytes follow the records")
    if records:
        largest = max(record["timestamp"] for record in records)
        need(largest == batch["max_timestamp"], f"max timestamp {batch['max_timestamp']}, records have {largest}")
    return records


def encode_batch(batch):
    records = batch["records"]
    base = batch["base_offset"]
    base_time = records[0]["timestamp"] if records else -1
    max_time = max((record["timestamp"] for record in records), default=-1)
    clear = b"".join(encode_record(record, base, base_time) for record in records)
    body = ENCODERS[batch["codec"]](clear)
    attributes = CODEC_NAMES.index(batch["codec"])
    for name, bit in (("log_append_time", LOG_APPEND_TIME), ("transactional", TRANSACTIONAL), ("control", CONTROL)):
        attributes |= bit if batch.get(name) else 0
    last = batch.get("last_offset", records[-1]["offset"] if records else base)
    fields = (attributes, last - base, base_time, max_time)
    producer = tuple(batch.get(name, -1) for name in ("producer_id", "producer_epoch", "base_sequence"))
    checked = struct.pack(">hiqqqhii", *fields, *producer, len(records)) + body
    head = struct.pack(">qiibI", base, len(checked) + 9, batch["leader_epoch"], 2, crc32c(checked))
    return head + checked


# --- the files of a partition ----------------------------------------------------------------------------------------

OFFSET_ENTRY = struct.Struct(">ii")
TIME_ENTRY = struct.Struct(">qi")
SNAPSHOT_HEAD = struct.Struct(">hIi")
SNAPSHOT_ENTRY = struct.Struct(">qhiqiqiq")
SNAPSHOT_NAMES = (
    "producer_id",
    "producer_epoch",
    "last_sequence",
    "last_offset",
    "offset_delta",
    "timestamp",
    "coordinator_epoch",
    "current_txn_first_offset",
)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def read_or_none(path):
    return read(path) if os.path.exists(path) else None


def decode_log(data, base_offset):
    batches, at, expected = [], 0, base_offset
    while at < len(data):
        batch, at = decode_batch(data, at)
        need(batch["base_offset"] >= expected, f"offset {batch['base_offset']} where {expected} or more must be")
        expected = batch["last_offset"] + 1
        batches.append(batch)
    return batches


def check_index(data, base_offset, batches):
    need(len(data) % OFFSET_ENTRY.size == 0, f"an index of {len(data)} bytes")
    starts = {batch["position"]: batch for batch in batches}
    entries, last = [], (-1, -1)
    for relative, position in OFFSET_ENTRY.iter_unpack(data):
        need(relative > last[0] and position > last[1], f"entry {relative, position} after {last}")
        need(position in starts, f"no batch begins at {position}")
        found = starts[position]["last_offset"] - base_offset
        need(found == relative, f"the batch at {position} ends with {found}, the index says {relative}")
        last = (relative, position)
        entries.append([base_offset + relative, position])
    return entries


def check_time_index(data, base_offset, batches):
    need(len(data) % TIME_ENTRY.size == 0, f"a time index of {len(data)} bytes")
    entries, last = [], (-2, -1)
    for timestamp, relative in TIME_ENTRY.iter_unpack(data):
        need(timestamp > last[0] and relative > last[1], f"entry {timestamp, relative} after {last}")
        offset = base_offset + relative
        upto = [batch["max_timestamp"] for batch in batches if batch["base_offset"] <= offset]
        need(max(upto, default=-1) == timestamp, f"timestamp {timestamp} at {offset}: {upto[-3:]}")
        last = (timestamp, relative)
        entries.append([timestamp, offset])
    largest = max((batch["max_timestamp"] for batch in batches), default=-1)
    need((entries[-1][0] if entries else -1) == largest, f"the last entry is not {largest}")
    return entries


def decode_snapshot(data):
    version, crc, count = SNAPSHOT_HEAD.unpack_from(data)
    need(version == 1, f"snapshot version {version}")
    need(crc == crc32c(data[6:]), "the snapshot fails its CRC")
    need(len(data) == SNAPSHOT_HEAD.size + count * SNAPSHOT_ENTRY.size, f"{count} producers in {len(data)} bytes")
    return [dict(zip(SNAPSHOT_NAMES, entry)) for entry in SNAPSHOT_ENTRY.iter_unpack(data[SNAPSHOT_HEAD.size :])]


def decode_segment(directory, base_offset):
    path = os.path.join(directory, f"{base_offset:020}")
    segment = {"base_offset": base_offset, "problems": []}

    def attempt(name, action):
        try:
            segment[name] = action()
        except (Damaged, struct.error, zlib.error) as error:
            segment["problems"].append(f"{path} {name}: {error}")

    attempt("batches", lambda: decode_log(read(path + ".log"), base_offset))
    batches = segment.get("batches", [])
    checks = (("index", check_index), ("timeindex", check_time_index))
    for suffix, check in checks:
        data = read_or_none(f"{path}.{suffix}")
        if data is not None:
            attempt(suffix, lambda data=data, check=check: check(data, base_offset, batches))
    return segment


def decode_text(data):
    """Kafka's checkpoint: version, count, lines; in version 1 a line with the CRC-32C of all before it follows."""
    version, count, *lines = data.decode().split("\n")
    need(version in ("0", "1") and lines.pop() == "", "a checkpoint of another version, or cut")
    if version == "1":
        last = lines.pop()
        covered = data[: len(data) - len(last) - 1]
        need(last == f"crc32c {crc32c(covered):08x}", "a checkpoint with another checksum")
    need(len(lines) == int(count), "a checkpoint that does not add up")
    return [[int(word) if word.isdigit() else word for word in line.split(" ")] for line in lines]


def decode_partition(directory):
    names = sorted(os.listdir(directory))
    bases = [int(name[:20]) for name in names if re.fullmatch(r"\d{20}\.log", name)]
    found = {"segments": [decode_segment(directory, base) for base in bases]}
    found["snapshots"] = {
        str(int(name[:20])): decode_snapshot(read(os.path.join(directory, name)))
        for name in names
        if re.fullmatch(r"\d{20}\.snapshot", name)
    }
    epochs = read_or_none(os.path.join(directory, "leader-epoch-checkpoint"))
    found["leader_epochs"] = None if epochs is None else decode_text(epochs)
    metadata = read_or_none(os.path.join(directory, "partition.metadata"))
    match = re.fullmatch(r"version: 0\ntopic_id: (\S{22})\n?(?:crc32c: [0-9a-f]{8}\n)?", (metadata or b"").decode())
    found["topic_id"] = match and match[1]
    found["problems"] = [problem for segment in found["segments"] for problem in segment.pop("problems")]
    return found


def encode_partition(directory, partition):
    """`index_interval`: also writes indexes, an entry whenever more than so many bytes came since the last one."""
    os.makedirs(directory)
    with open(os.path.join(directory, "partition.metadata"), "w") as file:
        file.write(f"version: 0\ntopic_id: {partition['topic_id']}")
    for segment in partition["segments"]:
        path = os.path.join(directory, f"{segment['base_offset']:020}")
        log, index, times = encode_segment(segment, partition.get("index_interval"))
        with open(path + ".log", "wb") as file:
            file.write(log)
        if partition.get("index_interval") is not None:
            for suffix, data in (("index", index), ("timeindex", times)):
                with open(f"{path}.{suffix}", "wb") as file:
                    file.write(data)


def encode_segment(segment, interval):
    base = segment["base_offset"]
    log, index, times = bytearray(), bytearray(), bytearray()
    since, largest, last_time = 0, (-1, base), None
    for batch in segment["batches"]:
        data = encode_batch(batch)
        last = batch["records"][-1]["offset"]
        largest = max(largest, (max(record["timestamp"] for record in batch["records"]), -last))
        if interval is not None and since > interval:
            index += OFFSET_ENTRY.pack(last - base, len(log))
            if last_time is None or largest[0] > last_time:
                times += TIME_ENTRY.pack(largest[0], -largest[1] - base)
                last_time = largest[0]
            since = 0
        since += len(data)
        log += data
    if last_time is None or largest[0] > last_time:
        times += TIME_ENTRY.pack(largest[0], -largest[1] - base)
    return bytes(log), bytes(index), bytes(times)


def self_test():
    """Published check values: a decoder that is wrong must not judge others."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert xxhash32(b"") == 0x02CC5D05 and xxhash32(b"abc") == 0x32D153FF
    assert xxhash32(b"Nobody inspects the spammish repetition") == 0xE2293B2F
    sample = bytes(range(256)) * 700
    for name, encode in ENCODERS.items():
        for data in (b"", b"x", sample):
            assert DECODERS[name](encode(data)) == data, name


def main(words):
    self_test()
    if words == ["codecs"]:
        answer = {name: name in DECODERS for name in CODEC_NAMES}
    elif len(words) == 2 and words[0] == "decode":
        answer = decode_partition(words[1])
    elif len(words) == 2 and words[0] == "encode":
        encode_partition(words[1], json.load(sys.stdin))
        answer = {}
    else:
        sys.exit(__doc__)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
