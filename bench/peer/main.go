// SPDX-License-Identifier: Apache-2.0

// keyward-bench-peer is a KMS v2 plugin in the shape that users of PKCS#11 have today,
// written to be measured against: the server library of k8s.io/kms, and a key in the same
// kind of token through crypto11's pool of sessions.  README.md says what was chosen and
// why.  It makes a throw-away key, destroys it on SIGTERM, and protects nothing.
package main

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/ThalesGroup/crypto11"
	"k8s.io/kms/pkg/service"
)

const (
	nonceLen          = 12
	connectionTimeout = 3 * time.Second
	// What destroys leftovers of a measurement looks for this beginning.
	labelBegin = "kw-bench-"
)

// plugin answers with one key of the token.  The AEAD takes a session of the pool for each
// operation and may be used by any number of goroutines.
type plugin struct {
	keyID string
	aead  cipher.AEAD
}

func (p *plugin) Encrypt(_ context.Context, _ string, seed []byte) (*service.EncryptResponse, error) {
	nonce := make([]byte, nonceLen)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	sealed, err := seal(p.aead, nonce, seed, []byte(p.keyID))
	if err != nil {
		return nil, err
	}
	return &service.EncryptResponse{Ciphertext: append(nonce, sealed...), KeyID: p.keyID}, nil
}

// seal turns the panic with which this AEAD tells that the token failed into an error.
func seal(aead cipher.AEAD, nonce, seed, aad []byte) (sealed []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the token failed: %v", r)
		}
	}()
	return aead.Seal(nil, nonce, seed, aad), nil
}

func (p *plugin) Decrypt(_ context.Context, _ string, r *service.DecryptRequest) ([]byte, error) {
	if r.KeyID != p.keyID {
		return nil, errors.New("unknown key_id")
	}
	if len(r.Ciphertext) <= nonceLen {
		return nil, errors.New("ciphertext too short")
	}
	return p.aead.Open(nil, r.Ciphertext[:nonceLen], r.Ciphertext[nonceLen:], []byte(p.keyID))
}

func (p *plugin) Status(context.Context) (*service.StatusResponse, error) {
	return &service.StatusResponse{Version: "v2", Healthz: "ok", KeyID: p.keyID}, nil
}

// makeKey makes a key as sensitive as a KEK: those flags cost time in a token.
func makeKey(token *crypto11.Context) (*crypto11.SecretKey, string, error) {
	random := make([]byte, 12)
	if _, err := rand.Read(random); err != nil {
		return nil, "", err
	}
	label := labelBegin + hex.EncodeToString(random)
	template, err := crypto11.NewAttributeSetWithIDAndLabel(random, []byte(label))
	if err != nil {
		return nil, "", err
	}
	if err := template.Set(crypto11.CkaPrivate, true); err != nil {
		return nil, "", err
	}
	key, err := token.GenerateSecretKeyWithAttributes(template, 256, crypto11.CipherAES)
	if err != nil {
		return nil, "", fmt.Errorf("the token made no key: %w", err)
	}
	return key, label, nil
}

// awaitListening returns when the socket takes connections, or with why it never will.
func awaitListening(socket string, served <-chan error) error {
	for {
		if c, err := net.Dial("unix", socket); err == nil {
			return c.Close()
		}
		select {
		case err := <-served:
			return fmt.Errorf("%s: %w", socket, err)
		case <-time.After(time.Millisecond):
		}
	}
}

// serve returns when a signal came and every call under way has ended.
func serve(socket string, p *plugin, stop <-chan os.Signal) error {
	server := service.NewGRPCService(socket, connectionTimeout, p)
	served := make(chan error, 1)
	go func() { served <- server.ListenAndServe() }()
	if err := awaitListening(socket, served); err != nil {
		return err
	}
	fmt.Printf("peer %s\n", socket)
	select {
	case err := <-served:
		return err
	case <-stop:
		server.Shutdown()
		return nil
	}
}

func run(socket, module, label, pinFile string, sessions int) (err error) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	pin, err := os.ReadFile(pinFile)
	if err != nil {
		return err
	}
	token, err := crypto11.Configure(&crypto11.Config{
		Path: module, TokenLabel: label, Pin: strings.TrimRight(string(pin), "\r\n"),
		MaxSessions: sessions, GCMIVLength: nonceLen})
	if err != nil {
		return fmt.Errorf("token %q of %s: %w", label, module, err)
	}
	defer func() { err = errors.Join(err, token.Close()) }()
	key, name, err := makeKey(token)
	if err != nil {
		return err
	}
	defer func() {
		if gone := key.Delete(); gone != nil {
			err = errors.Join(err, fmt.Errorf("key %s is left on the token: %w", name, gone))
		}
	}()
	aead, err := key.NewGCM()
	if err != nil {
		return err
	}
	return serve(socket, &plugin{keyID: name, aead: aead}, stop)
}

func main() {
	module := flag.String("module", "", "path of the PKCS#11 module")
	label := flag.String("token", "", "label of the token")
	pinFile := flag.String("pin", "", "path of the file with its PIN")
	sessions := flag.Int("sessions", 0, "most sessions of the pool, 2 or more; 0: crypto11's own default")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: keyward-bench-peer --module PATH --token LABEL --pin PATH [--sessions N] SOCKET\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 || *module == "" || *label == "" || *pinFile == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *module, *label, *pinFile, *sessions); err != nil {
		fmt.Fprintf(os.Stderr, "keyward-bench-peer: %v\n", err)
		os.Exit(3)
	}
}
