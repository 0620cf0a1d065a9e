/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <stdio.h>

#include "check.h"

#define SHA_1 "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
#define SHA_2 "1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014"
#define SHA_3 "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
#define KEY_1 "kw1-1-9d1f3a5c7e0b2d4f6a8c0e12"
#define KEY_2 "kw1-2-4be2c07755a9d3f1e86a0c34"

static const char *const nodes[] = {"cp-1", "cp-2", "cp-3"};
static const char *const tokens[] = {"main", "standby"};
static const char *const serials[] = {"7c1d0a52b3e94f86", "e05a9b7741c2d38f"};
static const char *const key_ids[] = {KEY_1, KEY_2};

struct kw_evidence *sample_empty(void)
{
    const struct kw_evidence_head head = {.at = "2026-07-01T06:30:00Z",
                                          .from = "2026-04-01T00:00:00Z",
                                          .to = "2026-07-01T00:00:00Z",
                                          .at_us = 1782887400000000,
                                          .from_us = 1775001600000000,
                                          .to_us = 1782864000000000,
                                          .cryptoperiod_days = 365};
    struct kw_evidence *e = NULL;
    CHECK_OK(kw_evidence_new(&head, &e));
    return e;
}

void sample_row(struct kw_evidence *e, enum kw_evidence_table table, const char *values)
{
    const struct kw_evidence_spec *spec = kw_evidence_spec(table);
    json_error_t error;
    json_t *list = json_loads(values, 0, &error), *row = json_object();
    if (list == NULL || json_array_size(list) != spec->column_count)
        fail_msg("%s: %s: %s", spec->name, values,
                 list == NULL ? error.text : "another number of columns");
    for (size_t i = 0; i < spec->column_count; i++)
        CHECK(json_object_set(row, spec->columns[i].name, json_array_get(list, i)) == 0);
    json_decref(list);
    kw_evidence_add(e, table, row);
    CHECK_OK(kw_evidence_state(e));
}

__attribute__((format(printf, 3, 4))) static void row(struct kw_evidence *e,
                                                      enum kw_evidence_table table,
                                                      const char *format, ...)
{
    char values[2048];
    va_list args;
    va_start(args, format);
    CHECK(vsnprintf(values, sizeof values, format, args) < (int)sizeof values);
    va_end(args);
    sample_row(e, table, values);
}

/* ---- a text ---- */

static json_t *value_of(const struct kw_evidence_column *column, const char *text)
{
    if (text == NULL && column->or_null)
        return json_null();
    switch (column->kind) {
    case KW_COLUMN_TEXT: return json_string(text != NULL ? text : "");
    case KW_COLUMN_NUMBER: return json_integer(text != NULL ? -7 : 0);
    case KW_COLUMN_BOOL: return json_boolean(text != NULL);
    }
    return NULL;
}

static void text_row(struct kw_evidence *e, enum kw_evidence_table table,
                     const char *text)
{
    const struct kw_evidence_spec *spec = kw_evidence_spec(table);
    json_t *filled = json_object();
    for (size_t i = 0; i < spec->column_count; i++)
        CHECK(json_object_set_new(filled, spec->columns[i].name,
                                  value_of(&spec->columns[i], text)) == 0);
    kw_evidence_add(e, table, filled);
    CHECK_OK(kw_evidence_state(e));
}

struct kw_evidence *sample_of_text(const char *text)
{
    struct kw_evidence *e = sample_empty();
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        text_row(e, i, text);
        text_row(e, i, NULL);
    }
    return e;
}

/* ---- three control planes ---- */

static void judged(struct kw_evidence *e)
{
    row(e, KW_EVIDENCE_CONTROLS,
        "[\"PCI DSS 4.0.1\", \"3.6.1.1\", \"A description of the cryptographic "
        "architecture, "
        "with algorithms, keys and the HSMs in use\", \"satisfied\", \"nodes-collected "
        "tokens-asked\", \"Review it once a year; say who did.\"]");
    row(e, KW_EVIDENCE_CONTROLS,
        "[\"PCI DSS 4.0.1\", \"3.7.4\", \"Keys are changed at the end of their "
        "cryptoperiod\", "
        "\"not-satisfied\", \"cryptoperiod\", \"State the cryptoperiod and why it is so "
        "long.\"]");
    row(e, KW_EVIDENCE_CONTROLS,
        "[\"HIPAA\", \"164.312(a)(2)(iv)\", \"Data at rest can be encrypted and "
        "decrypted\", "
        "\"not-satisfied\", \"etcd-encrypted keys-proven\", \"\"]");
    row(e, KW_EVIDENCE_CONTROLS,
        "[\"SOC 2\", \"CC6.1\", \"Access to keys is granted and reviewed\", "
        "\"operator\", "
        "\"\", \"Who holds the PIN, and when that was last looked at.\"]");
    row(e, KW_EVIDENCE_CHECKS,
        "[\"nodes-collected\", \"all\", \"pass\", \"3 of 3 control planes were "
        "collected\", "
        "\"nodes\", \"keyward evidence collect\"]");
    for (unsigned i = 0; i < 3; i++)
        row(e, KW_EVIDENCE_CHECKS,
            "[\"log-sound\", \"%s\", \"pass\", \"each of 48211 records follows the one "
            "before it, signed to the end\", \"logs\", \"keyward audit verify\"]",
            nodes[i]);
    row(e, KW_EVIDENCE_CHECKS,
        "[\"key-attributes\", \"%s\", \"fail\", \"CKA_EXTRACTABLE is true in token "
        "standby of "
        "cp-3, and must be false\", \"attributes keys\", \"keyward evidence collect\"]",
        KEY_2);
    row(e, KW_EVIDENCE_CHECKS,
        "[\"period-covered\", \"cp-2\", \"not-answered\", \"2 gaps of 5400 s: nothing "
        "was "
        "copied from 2026-05-11T02:00:00Z on\", \"coverage logs\", \"keyward audit "
        "verify "
        "--from 2026-04-01T00:00:00Z --to 2026-07-01T00:00:00Z\"]");
    row(e, KW_EVIDENCE_CHECKS,
        "[\"cryptoperiod\", \"%s\", \"fail\", \"the baseline is 12 days over its 365\", "
        "\"rotations\", \"keyward evidence collect\"]",
        KEY_2);
    row(e, KW_EVIDENCE_CHECKS,
        "[\"etcd-encrypted\", \"snapshot-cp-1.json\", \"pass\", \"no current object must "
        "be "
        "encrypted and is not\", \"etcd objects\", \"keyward etcd audit --json\"]");
    row(e, KW_EVIDENCE_LIMITS,
        "[\"A vendor's library says what a key's attributes are; nobody else attests "
        "it.\"]");
    row(e, KW_EVIDENCE_LIMITS,
        "[\"Seeds that a running kube-apiserver holds in its memory are out of reach: "
        "disabling a key does not recall them.\"]");
}

static void asked(struct kw_evidence *e)
{
    static const char *const folders[] = {SHA_1, SHA_2, SHA_3};
    for (unsigned i = 0; i < 3; i++) {
        row(e, KW_EVIDENCE_NODES,
            "[\"%s\", true, \"2026-07-01T05:4%u:07Z\", \"0.1.0\", %s, %s, \"prod-eu\", "
            "\"production\", \"%s\", \"%s\", 14, \"%s\"]",
            nodes[i], i, i == 1 ? "false" : "true",
            i == 1 ? "\"token standby: CKR_TOKEN_NOT_PRESENT\"" : "null", SHA_2, SHA_3,
            folders[i]);
        for (unsigned t = 0; t < 2; t++) {
            if (i == 1 && t == 1)
                row(e, KW_EVIDENCE_TOKENS,
                    "[\"cp-2\", \"standby\", false, \"CKR_TOKEN_NOT_PRESENT at "
                    "C_OpenSession\","
                    "null, null, null, null, null, null, null, null, null, null, null, "
                    "null,"
                    "null, null, \"FIPS 140-2\", \"3254\", \"3\", \"Hall 2\"]");
            else
                row(e, KW_EVIDENCE_TOKENS,
                    "[\"%s\", \"%s\", true, null, \"keyward\", \"%s\", \"Utimaco\", "
                    "\"CryptoServer Se12\", \"5.2\", \"4.0\", \"CryptoServer PKCS11\", "
                    "\"2.40\", false, \"AES-256-GCM\", \"caller\", true, true, \"%s\", "
                    "\"FIPS 140-2\", \"3254\", \"3\", \"Hall %u\"]",
                    nodes[i], tokens[t], serials[t], SHA_1, t + 1);
        }
    }
}

static void attributed(struct kw_evidence *e, unsigned node, unsigned token, unsigned key)
{
    static const struct {
        const char *name, *wants;
    } of_a_key[] = {{"CKA_SENSITIVE", "true"},
                    {"CKA_EXTRACTABLE", "false"},
                    {"CKA_NEVER_EXTRACTABLE", "true"},
                    {"CKA_ENCRYPT", "true"},
                    {"CKA_LOCAL", NULL}};
    for (unsigned i = 0; i < sizeof of_a_key / sizeof of_a_key[0]; i++) {
        const bool is_bad = node == 2 && token == 1 && key == 1 && i == 1;
        const char *wants = of_a_key[i].wants != NULL ? of_a_key[i].wants : "true";
        row(e, KW_EVIDENCE_ATTRIBUTES,
            "[\"%s\", \"%s\", \"%s\", %u, \"%s\", \"%s\", \"%s\", \"%s\", %s%s%s, %s, "
            "%s]",
            nodes[node], tokens[token], serials[token], key + 1, key_ids[key],
            of_a_key[i].name, wants, is_bad ? "true" : wants,
            of_a_key[i].wants != NULL ? "\"" : "",
            of_a_key[i].wants != NULL ? wants : "null",
            of_a_key[i].wants != NULL ? "\"" : "",
            of_a_key[i].wants != NULL ? "true" : "null",
            of_a_key[i].wants == NULL ? "null"
            : is_bad                  ? "\"fail\""
                                      : "\"pass\"");
    }
}

static void keys(struct kw_evidence *e)
{
    for (unsigned n = 0; n < 3; n++)
        for (unsigned t = 0; t < 2; t++)
            for (unsigned k = 0; k < 2; k++) {
                const bool is_there = n != 1 || t != 1;
                const bool is_bad = n == 2 && t == 1 && k == 1;
                row(e, KW_EVIDENCE_KEYS,
                    "[\"%s\", \"%s\", %s%s%s, %u, \"%s\", \"%s\", %s, %s, \"%s\", %s, "
                    "%s, "
                    "\"%s\", %s, %s]",
                    nodes[n], tokens[t], is_there ? "\"" : "",
                    is_there ? serials[t] : "null", is_there ? "\"" : "", k + 1,
                    key_ids[k], k == 0 ? "retired" : "active", k == 0 ? "false" : "true",
                    k == 0 ? "false" : "true", is_there ? "proof" : "nothing",
                    is_there ? "true" : "null", is_there ? "true" : "null",
                    is_bad ? "extractable" : "",
                    !is_there ? "null"
                    : is_bad  ? "\"fail\""
                              : "\"pass\"",
                    is_there ? "null" : "\"CKR_TOKEN_NOT_PRESENT\"");
                if (is_there)
                    attributed(e, n, t, k);
            }
}

static void designed(struct kw_evidence *e)
{
    row(e, KW_EVIDENCE_ALGORITHMS,
        "[\"wraps the seed of a Secret's key\", \"AES-256-GCM (CKM_AES_GCM), IV 96 bits, "
        "tag "
        "128 bits\", 256, \"in the HSM\", \"in the HSM, not extractable\", \"the "
        "cryptoperiod\", \"NIST SP 800-38D\"]");
    row(e, KW_EVIDENCE_ALGORITHMS,
        "[\"derives a Secret's key from the seed\", \"HKDF-SHA-256\", 256, "
        "\"kube-apiserver\", \"in kube-apiserver's memory\", \"one write\", \"RFC "
        "5869\"]");
    row(e, KW_EVIDENCE_ALGORITHMS,
        "[\"chains the audit log's records\", \"SHA-256\", null, \"keywardd\", \"there "
        "is no "
        "key\", \"for ever\", \"FIPS 180-4\"]");
    for (unsigned i = 0; i < 3; i++) {
        static const char *const settings[][2] = {
            {"classes/secrets/on_hsm_loss", "fail-closed"},
            {"classes/secrets/cache/ttl_ms", "600000"},
            {"hsm/tokens/main/module", "/usr/lib/libcs_pkcs11_R3.so"},
            {"classes/secrets/max_outage_ms", ""}};
        for (unsigned s = 0; s < sizeof settings / sizeof settings[0]; s++)
            row(e, KW_EVIDENCE_CONFIGURATION, "[\"%s\", \"%s\", \"%s\"]", nodes[i],
                settings[s][0], settings[s][1]);
    }
    row(e, KW_EVIDENCE_ROTATIONS,
        "[1, \"" KEY_1 "\", \"retired\", \"generated in the token\", "
        "\"2024-06-12T09:00:00Z\", \"2024-06-12T10:12:44Z\", \"2025-06-19T08:00:00Z\", "
        "null, null, 372, \"2025-06-12T10:12:44Z\", null]");
    row(e, KW_EVIDENCE_ROTATIONS,
        "[2, \"" KEY_2 "\", \"active\", \"generated in the token\", "
        "\"2025-06-18T09:00:00Z\", \"2025-06-19T08:00:00Z\", null, null, null, 377, "
        "\"2026-06-19T08:00:00Z\", -12]");
    for (unsigned t = 0; t < 2; t++)
        row(e, KW_EVIDENCE_COPIES,
            "[2, \"" KEY_2
            "\", \"active\", \"keyward\", \"%s\", \"2025-06-18T09:2%u:00Z\", "
            "null, \"opened the check blob in a second token\"]",
            serials[t], t);
    row(e, KW_EVIDENCE_ACTS,
        "[\"keyring\", \"2025-06-18T09:00:00Z\", false, \"create\", \"" KEY_2
        "\", \"ada\", "
        "\"CHG-1842\", null, null]");
    row(e, KW_EVIDENCE_ACTS,
        "[\"cp-3\", \"2026-05-11T02:03:11Z\", true, \"pin retry\", null, \"uid 0, login "
        "uid "
        "1004\", null, \"failed\", \"CKR_PIN_INCORRECT\"]");
}

static void observed(struct kw_evidence *e)
{
    for (unsigned i = 0; i < 3; i++) {
        row(e, KW_EVIDENCE_LOGS,
            "[\"%s\", \"audit\", 9, \"%s\", %s, 48211, \"2026-03-30T11:02:09.120344Z\", "
            "\"2026-07-01T05:40:01.000871Z\", \"5f2d9c0e71a84b36\", \"%s\", true, 48211, "
            "48200, false, 1, \"%s\", 0, 2190, 3, %s, %u, %u]",
            nodes[i], i == 1 ? "incomplete" : "sound",
            i == 1 ? "\"000007 is not there\"" : "null", SHA_2, SHA_3,
            i == 1 ? "false" : "true", i == 1 ? 2 : 0, i == 1 ? 5400 : 0);
        row(e, KW_EVIDENCE_COVERAGE,
            "[\"%s\", \"2026-04-01T00:00:00Z\", \"2026-07-01T00:00:00Z\", \"anchored\", "
            "false]",
            nodes[i]);
        row(e, KW_EVIDENCE_CALLS,
            "[\"%s\", \"encrypt\", \"secrets\", \"hsm\", 0, \"ok\", \"" KEY_2 "\", 184]",
            nodes[i]);
        row(e, KW_EVIDENCE_CALLS,
            "[\"%s\", \"decrypt\", \"secrets\", \"cache\", 0, \"ok\", \"" KEY_2
            "\", 1248113]",
            nodes[i]);
    }
    row(e, KW_EVIDENCE_ETCD,
        "[\"snapshot-cp-1.json\", \"" SHA_1 "\", \"/var/backups/etcd/2026-07-01.db\", "
        "\"encrypted\", 0, 90211388, \"secrets, configmaps\", 0, 4, 0, \"whole\", "
        "\"%s\", "
        "false]",
        serials[0]);
    row(e, KW_EVIDENCE_OBJECTS,
        "[\"snapshot-cp-1.json\", \"secrets\", \"kms-v2\", \"keyward-secrets\", \"" KEY_2
        "\", null, 1822, 40, 4, 0]");
    row(e, KW_EVIDENCE_OBJECTS,
        "[\"snapshot-cp-1.json\", \"secrets\", \"plain\", null, null, \"secrets must be "
        "encrypted\", 0, 0, 4, 0]");
    row(e, KW_EVIDENCE_STATED,
        "[\"key custodian\", \"Ada Byron; deputy: Emmy Noether\", null]");
    row(e, KW_EVIDENCE_STATED,
        "[\"key management policy\", \"policy/kms-4.2.pdf\", \"" SHA_3 "\"]");
}

struct kw_evidence *sample_cluster(void)
{
    struct kw_evidence *e = sample_empty();
    judged(e);
    asked(e);
    keys(e);
    designed(e);
    observed(e);
    return e;
}
