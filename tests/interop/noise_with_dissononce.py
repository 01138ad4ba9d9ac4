#!/usr/bin/python3
"""The transport's handshake against dissononce, a Python implementation of Noise (design 6).

P6: our handshake is the published pattern and nothing of our own.  Argument: the noise_driver.
Prints one line a case and the counts.
"""
import os
import subprocess
import sys

from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.exceptions.decrypt import DecryptFailedException
from dissononce.hash.sha256 import SHA256Hash
from dissononce.processing.handshakepatterns.interactive.XK import XKHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState
from dissononce.processing.modifiers.psk import PSKPatternModifier

PROLOGUE = b"dalil/1\n"


class Driver:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.argv[1], *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)

    def read(self):
        line = self.process.stdout.readline().strip()
        if not line:
            raise EOFError("the driver hung up")
        return line

    def read_bytes(self):
        return bytes.fromhex(self.read())

    def write(self, message):
        try:
            self.process.stdin.write(bytes(message).hex() + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise EOFError("the driver hung up")

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        return code


def state_of():
    dh = X25519DH()
    return dh, HandshakeState(
        SymmetricState(CipherState(ChaChaPolyCipher()), SHA256Hash()), dh)


def pattern():
    return PSKPatternModifier(3).modify(XKHandshakePattern())


def keypair(dh):
    pair = dh.generate_keypair()
    return pair, pair.private.data, pair.public.data


def finish(driver, state, ciphers, theirs_first, sent):
    """One transport message each way, then what both sides know of the handshake."""
    ours, theirs = ciphers
    if theirs_first:
        assert theirs.decrypt_with_ad(b"", driver.read_bytes()) == b"from dalil"
        driver.write(ours.encrypt_with_ad(b"", sent))
    else:
        driver.write(ours.encrypt_with_ad(b"", sent))
        assert theirs.decrypt_with_ad(b"", driver.read_bytes()) == b"from dalil"
    assert driver.read() == "got " + sent.hex()


def they_respond(psk, their_psk):
    dh, state = state_of()
    mine, _, my_public = keypair(dh)
    _, secret, public = keypair(X25519DH())
    driver = Driver("initiator", secret.hex(), psk.hex(), my_public.hex())
    try:
        state.initialize(pattern(), False, PROLOGUE, s=mine, psks=(their_psk,))
        state.read_message(driver.read_bytes(), bytearray())
        message = bytearray()
        state.write_message(b"", message)
        driver.write(message)
        receiving, sending = state.read_message(driver.read_bytes(), bytearray())
        finish(driver, state, (sending, receiving), True, b"from dissononce")
        digest = driver.read()
        assert digest == "hash " + state.symmetricstate.get_handshake_hash().hex(), digest
        assert driver.read() == "remote " + my_public.hex()
        assert state.rs.data == public
    finally:
        code = driver.close()
    assert code == 0


def they_initiate(psk, their_psk):
    dh, state = state_of()
    mine, _, my_public = keypair(dh)
    theirs, their_secret, their_public = keypair(X25519DH())
    driver = Driver("responder", their_secret.hex(), psk.hex())
    try:
        state.initialize(pattern(), True, PROLOGUE, s=mine, rs=dh.create_public(their_public),
                         psks=(their_psk,))
        message = bytearray()
        state.write_message(b"", message)
        driver.write(message)
        state.read_message(driver.read_bytes(), bytearray())
        message = bytearray()
        sending, receiving = state.write_message(b"", message)
        driver.write(message)
        finish(driver, state, (sending, receiving), False, b"from dissononce")
        digest = driver.read()
        assert digest == "hash " + state.symmetricstate.get_handshake_hash().hex(), digest
        assert driver.read() == "remote " + my_public.hex()
    finally:
        code = driver.close()
    assert code == 0


def refused(role):
    """Another psk on each side: the third message must not open."""
    try:
        role(os.urandom(32), os.urandom(32))
    except (EOFError, DecryptFailedException, BrokenPipeError):  # the driver may be gone already
        return
    except AssertionError:
        return
    raise AssertionError("a wrong psk was not noticed")


def main():
    cases = []
    for number in range(10):
        psk = os.urandom(32)
        cases.append((f"dissononce responds, {number}", they_respond, (psk, psk)))
        cases.append((f"dissononce initiates, {number}", they_initiate, (psk, psk)))
    cases.append(("dissononce responds with another psk", refused, (they_respond,)))
    cases.append(("dissononce initiates with another psk", refused, (they_initiate,)))
    passed = failed = 0
    for name, function, arguments in cases:
        try:
            function(*arguments)
            passed += 1
        except Exception as error:  # a case that fails must not hide the others
            print(f"FAILED: {name}: {type(error).__name__}: {error}")
            failed += 1
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
