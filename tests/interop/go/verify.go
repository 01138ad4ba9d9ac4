// Verifies the files of a dalil log with golang.org/x/mod/sumdb/note and tlog, which
// share no code with dalil.
//
// Usage: verify DIRECTORY
//
// In DIRECTORY: vkey and checkpoint (`dalil log vkey`, `dalil log checkpoint`), entries (`dalil log
// entries`, from record 0), any number of *.tlog-proof (`dalil log proof ID`), and of consistency-M
// (`dalil log consistency M N`, N being the checkpoint's size). Prints what it found, and last
// "N passed, N failed, N skipped".
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var passed, failed int

// check counts one check and says what it was.
func check(what string, err error) bool {
	if err != nil {
		failed++
		fmt.Printf("FAILED  %s: %v\n", what, err)
		return false
	}
	passed++
	fmt.Printf("ok      %s\n", what)
	return true
}

// refused is for what must not pass.
func refused(what string, err error) {
	if err == nil {
		check(what, errors.New("was let through"))
	} else {
		check(what, nil)
	}
}

func read(dir, name string) []byte {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	return data
}

// openCheckpoint verifies the log's signature and reads origin, size and root.
func openCheckpoint(text []byte, vkey string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tree, errors.New("not origin, size and root")
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tree, err
	}
	tree.Hash, err = parseHash(lines[2])
	return tree, err
}

func parseHash(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		return hash, errors.New("no hash: " + text)
	}
	copy(hash[:], raw)
	return hash, nil
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		hash, err := parseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// parseBundle reads u16 length and record, one after the other (C2SP tlog-tiles).
func parseBundle(data []byte) ([][]byte, error) {
	var records [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("a bundle that is cut")
		}
		size := int(binary.BigEndian.Uint16(data))
		records = append(records, data[2:2+size])
		data = data[2+size:]
	}
	return records, nil
}

// stored is a tlog.HashReader over the hashes of a whole log.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, errors.New("past the log's end")
		}
		hashes[i] = s[index]
	}
	return hashes, nil
}

func buildTree(records [][]byte) (stored, error) {
	var all stored
	for i, record := range records {
		hashes, err := tlog.StoredHashes(int64(i), record, all)
		if err != nil {
			return nil, err
		}
		all = append(all, hashes...)
	}
	return all, nil
}

// checkProof verifies a C2SP tlog-proof of one of the records.
func checkProof(text []byte, vkey string, records [][]byte) error {
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	if !found {
		return errors.New("no checkpoint in the proof")
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("no tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	hashes, err := parseHashes(lines[2:])
	if err != nil {
		return err
	}
	tree, err := openCheckpoint([]byte(checkpoint), vkey)
	if err != nil {
		return err
	}
	if index < 0 || index >= int64(len(records)) {
		return errors.New("a proof of a record that is not in the entries")
	}
	return tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(records[index]))
}

// checkConsistency verifies that the checkpointed tree extends that of the first m records.
func checkConsistency(text []byte, m int64, tree tlog.Tree, all stored) error {
	var lines []string
	if len(text) > 0 {
		lines = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	hashes, err := parseHashes(lines)
	if err != nil {
		return err
	}
	old, err := tlog.TreeHash(m, all)
	if err != nil {
		return err
	}
	return tlog.CheckTree(hashes, tree.N, tree.Hash, m, old)
}

// flip changes the character in the middle of a line's base64, keeping it base64.
func flip(text []byte, at int) []byte {
	changed := append([]byte(nil), text...)
	if changed[at] == 'A' {
		changed[at] = 'B'
	} else {
		changed[at] = 'A'
	}
	return changed
}

func verifyLog(dir string) {
	vkey := strings.TrimSuffix(string(read(dir, "vkey")), "\n")
	checkpoint := read(dir, "checkpoint")
	tree, err := openCheckpoint(checkpoint, vkey)
	if !check("the checkpoint opens", err) {
		return
	}
	_, err = openCheckpoint(flip(checkpoint, bytes.LastIndexByte(checkpoint, ' ')+20), vkey)
	refused("an altered signature", err)
	_, err = openCheckpoint(flip(checkpoint, bytes.Index(checkpoint, []byte("\n\n"))-20), vkey)
	refused("an altered root", err)
	records, err := parseBundle(read(dir, "entries"))
	if !check("the entries are a bundle", err) {
		return
	}
	if int64(len(records)) < tree.N {
		check("the entries reach the checkpoint", errors.New("they do not"))
		return
	}
	records = records[:tree.N]
	all, err := buildTree(records)
	if !check(fmt.Sprintf("%d records make a tree", len(records)), err) {
		return
	}
	root, err := tlog.TreeHash(tree.N, all)
	if err == nil && root != tree.Hash {
		err = errors.New("another root than the checkpoint's")
	}
	check("its root is the checkpoint's", err)
	proofs, _ := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	for _, path := range proofs {
		text := read(dir, filepath.Base(path))
		check(filepath.Base(path), checkProof(text, vkey, records))
		if lines := bytes.Split(text, []byte("\n")); len(lines[2]) > 0 {
			at := len(lines[0]) + len(lines[1]) + 2 + 20
			refused("an altered "+filepath.Base(path), checkProof(flip(text, at), vkey, records))
		}
	}
	consistencies, _ := filepath.Glob(filepath.Join(dir, "consistency-*"))
	for _, path := range consistencies {
		name := filepath.Base(path)
		m, err := strconv.ParseInt(strings.TrimPrefix(name, "consistency-"), 10, 64)
		if err == nil {
			err = checkConsistency(read(dir, name), m, tree, all)
		}
		check(name, err)
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Println("usage: verify DIRECTORY")
		os.Exit(2)
	}
	verifyLog(os.Args[1])
	fmt.Printf("%d passed, %d failed, 0 skipped\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}
