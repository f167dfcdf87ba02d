// Checks a log that Tourniquet serves with code that is not ours: golang.org/x/mod/sumdb (note, tlog) and
// github.com/transparency-dev (merkle, formats). Prints a line for each check; exits with 1 at the first that fails.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	mproof "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	logURL, vkey, witnessURL, witnessVkey, proofFile, policyFile := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]

	verifier := must(note.NewVerifier(vkey))
	raw := get(logURL + "/checkpoint")
	opened := must(note.Open(raw, note.VerifierList(verifier)))
	ok("sumdb/note opens the checkpoint of %s", opened.Sigs[0].Name)

	checkpoint, _, parsed, err := log.ParseCheckpoint(raw, verifier.Name(), verifier)
	check(err)
	ok("formats/log parses it: %d entries, %d signatures", checkpoint.Size, len(parsed.Sigs)+len(parsed.UnverifiedSigs))

	cosigner := must(fnote.NewVerifierForCosignatureV1(witnessVkey))
	cosigned := must(note.Open(raw, note.VerifierList(cosigner)))
	seconds := must(fnote.CoSigV1Timestamp(cosigned.Sigs[0]))
	ok("formats/note verifies the cosignature of our witness %s (%s)", cosigned.Sigs[0].Name, seconds.UTC().Format("15:04:05"))

	tree := tlog.Tree{N: int64(checkpoint.Size), Hash: tlog.Hash(checkpoint.Hash)}
	reader := tlog.TileHashReader(tree, tiles{logURL})
	if root := must(tlog.TreeHash(tree.N, reader)); root != tree.Hash {
		fail("the tiles have another root")
	}
	ok("sumdb/tlog reads our tiles and finds the signed root over %d entries", tree.N)

	proven := 0
	for bundle := int64(0); bundle*256 < tree.N; bundle++ {
		for i, entry := range entries(logURL, bundle, tree.N) {
			index := bundle*256 + int64(i)
			leaf := rfc6962.DefaultHasher.HashLeaf(entry)
			path := must(tlog.ProveRecord(tree.N, index, reader))
			hashes := make([][]byte, len(path))
			for j := range path {
				hashes[j] = path[j][:]
			}
			check(mproof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(tree.N), leaf, hashes, checkpoint.Hash))
			proven++
		}
	}
	ok("merkle/proof verifies the inclusion of each of %d entries, from entry bundles and tiles over HTTP", proven)

	var bundled proof.TLogProof
	check(bundled.Unmarshal(must(os.ReadFile(proofFile))))
	inProof, _, _, err := log.ParseCheckpoint(bundled.Checkpoint, verifier.Name(), verifier)
	check(err)
	index := int64(bundled.Index)
	leaf := rfc6962.DefaultHasher.HashLeaf(entries(logURL, index/256, tree.N)[index%256])
	hashes := make([][]byte, len(bundled.Hashes))
	for j := range bundled.Hashes {
		hashes[j] = bundled.Hashes[j][:]
	}
	check(mproof.VerifyInclusion(rfc6962.DefaultHasher, bundled.Index, inProof.Size, leaf, hashes, inProof.Hash))
	ok("formats/proof reads the tlog-proof of entry %d in our bundle, and merkle/proof accepts it", index)
	wrong := append([]byte{}, leaf...)
	wrong[0] ^= 1
	if mproof.VerifyInclusion(rfc6962.DefaultHasher, bundled.Index, inProof.Size, wrong, hashes, inProof.Hash) == nil {
		fail("a wrong leaf was accepted")
	}
	ok("and refuses it for another entry")

	group := must(witness.ParsePolicy(must(os.ReadFile(policyFile))))
	if !group.Satisfied(raw) {
		fail("the checkpoint does not fulfil our policy")
	}
	ok("formats/witness reads our policy, and the checkpoint of the log fulfils it")

	old := tree.N / 2
	consistency := must(tlog.ProveTree(tree.N, old, reader))
	oldRoot := must(tlog.TreeHash(old, reader))
	path := make([][]byte, len(consistency))
	for j := range consistency {
		path[j] = consistency[j][:]
	}
	check(mproof.VerifyConsistency(rfc6962.DefaultHasher, uint64(old), uint64(tree.N), path, oldRoot[:], checkpoint.Hash))
	ok("merkle/proof verifies the growth from %d to %d entries", old, tree.N)

	status, answer := post(witnessURL+"/add-checkpoint", fmt.Sprintf("old %d\n\n%s", tree.N, raw))
	if status != 200 {
		fail(fmt.Sprintf("our witness answered %d: %s", status, answer))
	}
	signature := opened.Sigs[0]
	alone := fmt.Sprintf("%s\n— %s %s\n%s", opened.Text, signature.Name, signature.Base64, answer)
	must(note.Open([]byte(alone), note.VerifierList(cosigner)))
	ok("our witness answers a Go client, and sumdb/note opens the checkpoint with its line")
}

type tiles struct{ url string }

func (t tiles) Height() int { return 8 }

// sumdb writes tile/8/L/N, C2SP tlog-tiles tile/L/N: the rest is the same.
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		all = append(all, get(t.url+"/tile/"+strings.TrimPrefix(tile.Path(), "tile/8/")))
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func entries(url string, bundle, size int64) [][]byte {
	path := tlog.Tile{H: 8, L: -1, N: bundle, W: int(min(256, size-bundle*256))}.Path()
	data := get(url + "/tile/entries/" + strings.TrimPrefix(path, "tile/8/data/"))
	var all [][]byte
	for len(data) > 0 {
		length := int(data[0])<<8 | int(data[1])
		all = append(all, data[2:2+length])
		data = data[2+length:]
	}
	return all
}

func get(url string) []byte {
	response := must(http.Get(url))
	defer response.Body.Close()
	body := must(io.ReadAll(response.Body))
	if response.StatusCode != 200 {
		fail(fmt.Sprintf("%s answered %d", url, response.StatusCode))
	}
	return body
}

func post(url, body string) (int, []byte) {
	response := must(http.Post(url, "text/plain", strings.NewReader(body)))
	defer response.Body.Close()
	return response.StatusCode, must(io.ReadAll(response.Body))
}

func ok(format string, args ...any) { fmt.Printf("ok  "+format+"\n", args...) }

func fail(what string) {
	fmt.Println("FAILED " + what)
	os.Exit(1)
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}
