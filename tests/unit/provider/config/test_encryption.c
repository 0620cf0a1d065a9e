/* SPDX-License-Identifier: Apache-2.0 */
/* kube-apiserver's EncryptionConfiguration: what is refused, and what is read of it. */
#include <keyward/encryption_config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "check.h"

#define HEAD "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
#define SECRETS(provider)                                                                \
    HEAD "resources:\n- resources: [secrets]\n  providers:\n" provider

static struct kw_encryption_config config;
static struct kw_note note;

static kw_err read_text(const char *text)
{
    char path[] = "/tmp/keyward-encryption-XXXXXX";
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(fd) == 0);
    kw_err e = kw_encryption_config_read(path, &config, &note);
    CHECK(unlink(path) == 0);
    return e;
}

TEST(read__what_is_none__refused_with_its_place)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "the file is empty"},
        {"[1, 2]\n", ":1:1: kind: wants EncryptionConfiguration"},
        {"kind: [x]\n", ":1:7: kind"},
        {"kind: Pod\nresources: []\n", ":1:7: kind: wants EncryptionConfiguration"},
        {HEAD, "resources: wants a list that is not empty"},
        {HEAD "resources: []\n", ":3:12: resources"},
        {HEAD "resources: [x]\n", ":3:13: resources: wants a mapping"},
        {HEAD "resources:\n- resources: [secrets]\n", "providers: wants a list"},
        {HEAD "resources:\n- providers:\n  - identity: {}\n", "resources: wants a list"},
        {HEAD "resources:\n- resources: [[a]]\n  providers:\n  - identity: {}\n",
         "resources[]: wants a text"},
        {SECRETS("  - none: {}\n"), ":6:5: providers: neither identity"},
        {SECRETS("  - identity\n"), ":6:5: providers: wants one kind"},
        {SECRETS("  - identity: {}\n    aescbc: {}\n"), "providers: wants one kind"},
        {SECRETS("  - aescbc: {}\n"), "keys: wants a list"},
        {SECRETS("  - aesgcm: {keys: [x]}\n"), "keys: wants a mapping with a name"},
        {SECRETS("  - secretbox: {keys: [{secret: x}]}\n"), "keys[].name: wants a text"},
        {SECRETS("  - kms: x\n"), "kms: wants a mapping"},
        {SECRETS("  - kms: {apiVersion: v3, name: a, endpoint: b}\n"), "kms.apiVersion"},
        {SECRETS("  - kms: {apiVersion: v2, endpoint: b}\n"), "kms.name: wants a text"},
        {SECRETS("  - kms: {apiVersion: v2, name: a}\n"), "kms.endpoint: wants a text"},
        {SECRETS("  - kms: &x {apiVersion: v2, name: a}\n"), "anchors"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_CODE(read_text(rows[i].text), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, rows[i].says);
        CHECK(config.rules == NULL);
    }
}

TEST(read__no_such_file__missing)
{
    CHECK_CODE(kw_encryption_config_read("/nonexistent/keyward", &config, &note),
               KW_CODE_MISSING);
}

static const char all_kinds[] = HEAD
    "resources:\n"
    "- resources: [secrets, widgets.example.com]\n"
    "  providers:\n"
    "  - kms: {apiVersion: v2, name: kw, endpoint: 'unix:///run/kw.sock', cachesize: 3}\n"
    "  - kms: {name: old, endpoint: 'unix:///run/old.sock'}\n"
    "  - aescbc: {keys: [{name: k2, secret: czNjcjN0LWJ5dGVz}, {name: k1}]}\n"
    "- resources: ['*.*']\n"
    "  providers: [aesgcm: {keys: [{name: g}]}, secretbox: {keys: [{name: b}]}, "
    "identity: {}]\n";

TEST(read__every_kind__names_and_endpoints)
{
    CHECK_OK(read_text(all_kinds));
    CHECK(config.rule_count == 2);
    const struct kw_encryption_rule *first = &config.rules[0], *second = &config.rules[1];
    CHECK(first->resource_count == 2 && first->provider_count == 3);
    CHECK_STR(first->resources[1], "widgets.example.com");
    CHECK(first->providers[0].kind == KW_ENCRYPTION_KMS_V2);
    CHECK_STR(first->providers[0].names[0], "kw");
    CHECK_STR(first->providers[0].endpoint, "unix:///run/kw.sock");
    CHECK(first->providers[1].kind == KW_ENCRYPTION_KMS_V1); /* upstream's default */
    CHECK(first->providers[2].kind == KW_ENCRYPTION_AESCBC);
    CHECK(first->providers[2].name_count == 2 && first->providers[2].endpoint == NULL);
    CHECK_STR(first->providers[2].names[1], "k1");
    CHECK(second->provider_count == 3);
    CHECK(second->providers[0].kind == KW_ENCRYPTION_AESGCM);
    CHECK(second->providers[1].kind == KW_ENCRYPTION_SECRETBOX);
    CHECK(second->providers[2].kind == KW_ENCRYPTION_IDENTITY);
    CHECK(second->providers[2].name_count == 0);
    kw_encryption_config_free(&config);
}

TEST(read__memory_out_anywhere__said_and_nothing_kept)
{
    kw_err e = kw_err_at(KW_CODE_NO_MEMORY, "");
    long n = 0;
    for (; kw_failed(e); n++) {
        CHECK(n < 1000);
        kw_alloc_fail_from(n);
        e = read_text(all_kinds);
        kw_alloc_fail_from(-1);
        CHECK(!kw_failed(e) || e.code == KW_CODE_NO_MEMORY);
        CHECK(!kw_failed(e) || config.rules == NULL);
    }
    CHECK(n > 10);
    kw_encryption_config_free(&config);
}

KW_SUITE("provider/config/encryption")
