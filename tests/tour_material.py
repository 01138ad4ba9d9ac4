#!/usr/bin/env python3
"""Makes what the tour deposits beside the corpus: photographs (PNG), a recording (WAV), and, where
no corpus stands, texts with a manifest."""

import math
import os
import random
import struct
import sys
import wave
import zlib


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def photograph(path, seed, width=320, height=240):
    """A grainy picture of a horizon, so that it looks like one and does not compress away."""
    chance = random.Random(seed)
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            ground = y > height * 0.6 + 8 * math.sin(x / 30 + seed)
            base = (120, 90, 50) if ground else (110, 150, 200)
            rows += bytes(max(0, min(255, part + chance.randrange(-12, 13))) for part in base)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                   chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))


def recording(path, seconds=20, rate=16000):
    chance = random.Random(7)
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        frames = bytearray()
        for i in range(seconds * rate):
            level = 6000 * math.sin(i / 17) * math.sin(i / 4001) + chance.randrange(-800, 800)
            frames += struct.pack("<h", int(level))
        file.writeframes(bytes(frames))


TEXTS = [
    ("testimony-1.txt", "A worker on two months in the fields", "testimony", "2017", "sealed"),
    ("testimony-2.txt", "Свидетельство о сборе хлопка", "testimony", "2017-11", "sealed"),
    ("letter-1.txt", "Joint letter", "letter", "2019-06-12", "open"),
    ("report-1.txt", "Yearly report", "report", "2019", "open"),
]


def texts(folder):
    with open(os.path.join(folder, "manifest.csv"), "w", encoding="utf-8") as manifest:
        manifest.write("file,title,type,place,date,access,case,note\n")
        for index, (name, title, kind, date, access) in enumerate(TEXTS):
            manifest.write('%s,"%s",%s,,%s,%s,tour,made for the tour\n' % (
                name, title, kind, date, access))
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write((title + ".\n") * (40 + index * 100))


def main():
    what, folder = sys.argv[1:]
    if what == "texts":
        texts(folder)
    else:
        for index in (1, 2, 3):
            photograph(os.path.join(folder, "photo-%d.png" % index), index)
        recording(os.path.join(folder, "recording.wav"))


main()
