/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log's key pair: made, judged, used. */
#include "token_fixture.h"

#define LABEL "keyward-audit"

struct signing {
    struct fixture f;
    uint8_t spki[KW_SPKI];
    char dropped[128];
    struct kw_token_signer signer;
    struct kw_token_signed made;
    struct kw_checkpoint c;
};
static struct signing s;

/* A token without keys, behind the fault module, in a read-write session. */
static void begin(const char *control)
{
    s = (struct signing){.signer = {.label = LABEL},
                         .c = {.node = "cp-01", .covered = 17, .time_us = 1}};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&s.f.hsm);
    kw_fault_between(&s.f.hsm);
    s.f.token = kw_softhsm_open(&s.f.hsm, KW_SOFTHSM_READ_WRITE);
    kw_fault_set(&s.f.hsm, control);
}

static kw_err make(const char *label)
{
    return kw_token_create_audit_key(s.f.token, label, s.spki, s.dropped, &s.f.note);
}

/* And the pair, in a read-only session as a worker has it. */
static void begin_with_key(const char *control)
{
    begin("");
    CHECK_OK(make(LABEL));
    CHECK_OK(kw_sha256(kw_span_of(s.spki, KW_SPKI), s.signer.sha256));
    kw_token_close(s.f.token);
    s.f.token = kw_softhsm_open(&s.f.hsm, KW_SOFTHSM_READ_ONLY);
    kw_fault_set(&s.f.hsm, control);
}

static kw_err sign(void)
{
    return kw_token_sign(s.f.token, &s.signer, &s.c, &s.made, &s.f.note);
}

static kw_err verify(void)
{
    uint8_t der[KW_SIGNATURE_DER_MAX];
    kw_dst dst = kw_dst_of(der, sizeof der);
    CHECK_OK(kw_signature_to_der(s.made.signature, &dst));
    return kw_checkpoint_verify(&s.c, kw_span_of(s.made.spki, KW_SPKI),
                                kw_dst_span(&dst));
}

TEST(made_pair__signs_checkpoints__and_they_verify)
{
    begin_with_key("");
    CHECK_STR(s.dropped, "");
    CHECK_OK(sign());
    CHECK(memcmp(s.made.spki, s.spki, KW_SPKI) == 0);
    CHECK_OK(verify());
    s.c.covered++;
    CHECK_CODE(verify(), KW_CODE_FORGED);
    fixture_end(&s.f);
}

static CK_BBOOL flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = 2;
    CK_ATTRIBUTE a = {type, &value, sizeof value};
    CHECK(s.f.token->ck->C_GetAttributeValue(s.f.token->session, object, &a, 1) ==
          CKR_OK);
    return value;
}

/* Besides what the module looks at itself. */
TEST(made_pair__private_half__can_sign_and_nothing_else)
{
    static const CK_ATTRIBUTE_TYPE on[] = {CKA_TOKEN,
                                           CKA_PRIVATE,
                                           CKA_SENSITIVE,
                                           CKA_ALWAYS_SENSITIVE,
                                           CKA_NEVER_EXTRACTABLE,
                                           CKA_LOCAL,
                                           CKA_SIGN};
    static const CK_ATTRIBUTE_TYPE off[] = {CKA_EXTRACTABLE,  CKA_DECRYPT,
                                            CKA_UNWRAP,       CKA_DERIVE,
                                            CKA_SIGN_RECOVER, CKA_MODIFIABLE};
    CK_OBJECT_HANDLE key = 0;
    CK_MECHANISM other = {CKM_ECDSA_SHA1, NULL, 0};
    unsigned count = 0;
    begin_with_key("");
    CHECK_OK(kw_object_search(s.f.token, CKO_PRIVATE_KEY, kw_span_str(LABEL),
                              (kw_span){0}, &key, 1, &count));
    CHECK(count == 1);
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++)
        CHECK(flag(key, on[i]) == CK_TRUE);
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
        CHECK(flag(key, off[i]) == CK_FALSE);
    CHECK(s.f.token->ck->C_SignInit(s.f.token->session, &other, key) != CKR_OK);
    fixture_end(&s.f);
}

TEST(make__label_taken__refused_and_nothing_made)
{
    begin("");
    CHECK_OK(make(LABEL));
    CHECK_CODE(make(LABEL), KW_CODE_BAD_INPUT);
    CHECK_HAS(s.f.note.text, "already on token");
    (void)kw_softhsm_key(s.f.token, KEK, kw_span_str(LOCATOR));
    CHECK_CODE(make(KEK), KW_CODE_BAD_INPUT); /* by a secret key */
    CHECK(kw_fault_count(&s.f.hsm, "C_GenerateKeyPair") == 1);
    CHECK_OK(make("another"));
    fixture_end(&s.f);
}

TEST(make__read_only_or_a_label_out_of_bounds__refused)
{
    begin("");
    CHECK_CODE(make(""), KW_CODE_BAD_INPUT);
    CHECK_CODE(make("a-label-of-forty-bytes-is-the-longest-one!"), KW_CODE_BAD_INPUT);
    kw_token_close(s.f.token);
    s.f.token = kw_softhsm_open(&s.f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_CODE(make(LABEL), KW_CODE_BUG);
    CHECK(kw_fault_count(&s.f.hsm, "C_GenerateKeyPair") == 0);
    fixture_end(&s.f);
}

TEST(make__attributes_that_the_token_does_not_know__left_out_in_order_and_told)
{
    begin("noattr=0x40000600\nnoattr=0x171\n"); /* ALLOWED_MECHANISMS, COPYABLE */
    CHECK_OK(make(LABEL));
    CHECK_STR(s.dropped, "CKA_ALLOWED_MECHANISMS,CKA_COPYABLE");
    CHECK(kw_fault_count(&s.f.hsm, "C_GenerateKeyPair") == 3);
    fixture_end(&s.f);
}

TEST(make__token_in_trouble__asked_once)
{
    begin("C_GenerateKeyPair rv=0x30\n");
    CHECK_CODE(make(LABEL), KW_CODE_HSM_DOWN);
    CHECK(kw_fault_count(&s.f.hsm, "C_GenerateKeyPair") == 1);
    fixture_end(&s.f);
}

TEST(sign__no_pair__missing)
{
    begin("");
    CHECK_CODE(sign(), KW_CODE_MISSING);
    CHECK_HAS(s.f.note.text, "no private key has the label " LABEL);
    CHECK(kw_fault_count(&s.f.hsm, "C_SignInit") == 0);
    fixture_end(&s.f);
}

TEST(sign__two_keys_of_the_label__refused)
{
    begin("");
    CHECK_OK(make(LABEL));
    CHECK_OK(make("another"));
    CHECK_OK(kw_sha256(kw_span_of(s.spki, KW_SPKI), s.signer.sha256));
    kw_fault_set(&s.f.hsm, "twin=" LABEL ":another\n");
    CHECK_CODE(sign(), KW_CODE_HSM_CONFIG);
    CHECK_HAS(s.f.note.text, "more than one private key");
    fixture_end(&s.f);
}

TEST(sign__another_pair_of_the_label__refused_before_it_signs)
{
    begin_with_key("");
    const unsigned before = kw_fault_count(&s.f.hsm, "C_SignInit");
    s.signer.sha256[31] ^= 1;
    CHECK_CODE(sign(), KW_CODE_KEY_BAD);
    CHECK_HAS(s.f.note.text, "another one than the configuration means");
    CHECK(kw_fault_count(&s.f.hsm, "C_SignInit") == before);
    fixture_end(&s.f);
}

TEST(sign__key_that_may_leave_or_do_more__refused_before_it_signs)
{
    static const char *const bad[] = {"fake=0x162:1\n",  /* EXTRACTABLE       */
                                      "fake=0x164:0\n",  /* NEVER_EXTRACTABLE */
                                      "fake=0x165:0\n",  /* ALWAYS_SENSITIVE  */
                                      "fake=0x103:0\n",  /* SENSITIVE         */
                                      "fake=0x108:0\n",  /* SIGN              */
                                      "fake=0x105:1\n",  /* DECRYPT           */
                                      "fake=0x107:1\n",  /* UNWRAP            */
                                      "fake=0x10c:1\n",  /* DERIVE            */
                                      "noread=0x162\n"}; /* no answer         */
    begin_with_key("");
    const unsigned before = kw_fault_count(&s.f.hsm, "C_SignInit");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        kw_fault_set(&s.f.hsm, bad[i]);
        CHECK_CODE(sign(), KW_CODE_KEY_BAD);
        CHECK_HAS(s.f.note.text, "can do more than sign in the token");
    }
    CHECK(kw_fault_count(&s.f.hsm, "C_SignInit") == before);
    kw_fault_set(&s.f.hsm, "");
    CHECK_OK(sign());
    fixture_end(&s.f);
}

TEST(sign__the_token_fails__its_error_and_a_fresh_session)
{
    begin_with_key("C_Sign rv=0x6 count=1\n");
    CHECK_CODE(sign(), KW_CODE_HSM_BUSY);
    CHECK_HAS(s.f.note.text, "C_Sign");
    CHECK_OK(sign());
    CHECK_OK(verify());
    kw_fault_set(&s.f.hsm, "C_SignInit rv=0x70 count=1\n");
    CHECK_CODE(sign(), KW_CODE_HSM_CONFIG);
    CHECK_OK(sign());
    fixture_end(&s.f);
}

TEST(sign__fields_out_of_bounds__token_not_asked)
{
    begin_with_key("");
    const unsigned before = kw_fault_count(&s.f.hsm, "C_SignInit");
    s.c.covered = UINT64_MAX;
    CHECK_CODE(sign(), KW_CODE_BAD_INPUT);
    CHECK(kw_fault_count(&s.f.hsm, "C_SignInit") == before);
    fixture_end(&s.f);
}

/* ---- a bundle's manifest ---- */

static const char manifest[] = KW_BUNDLE_DOMAIN "  \"files\": []\n}\n";

static kw_err sign_bundle(kw_span bytes)
{
    return kw_token_sign_bundle(s.f.token, &s.signer, bytes, &s.made, &s.f.note);
}

TEST(sign_bundle__manifest__signature_verifies_and_is_of_no_checkpoint)
{
    uint8_t der[KW_SIGNATURE_DER_MAX];
    kw_dst dst = kw_dst_of(der, sizeof der);
    begin_with_key("");
    CHECK_OK(sign_bundle(kw_span_str(manifest)));
    CHECK(memcmp(s.made.spki, s.spki, KW_SPKI) == 0);
    CHECK_OK(kw_signature_to_der(s.made.signature, &dst));
    CHECK_OK(kw_bundle_verify(kw_span_str(manifest), kw_span_of(s.spki, KW_SPKI),
                              kw_dst_span(&dst)));
    CHECK_CODE(verify(), KW_CODE_FORGED);
    fixture_end(&s.f);
}

TEST(sign_bundle__what_is_no_manifest__token_not_asked)
{
    uint8_t bytes[KW_CHECKPOINT_MAX];
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    begin_with_key("");
    const unsigned before = kw_fault_count(&s.f.hsm, "C_SignInit");
    CHECK_OK(kw_checkpoint_write(&s.c, &dst));
    const kw_span none[] = {kw_dst_span(&dst), kw_span_str(""), kw_span_str("{}"),
                            kw_span_str(KW_BUNDLE_DOMAIN), kw_span_str(manifest + 1)};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        CHECK_CODE(sign_bundle(none[i]), KW_CODE_BAD_INPUT);
        CHECK_HAS(s.f.note.text, "the audit log's key signs nothing else");
    }
    CHECK(kw_fault_count(&s.f.hsm, "C_SignInit") == before);
    fixture_end(&s.f);
}

TEST(sign_bundle__another_pair_or_none_of_the_label__refused_before_it_signs)
{
    begin_with_key("");
    const unsigned before = kw_fault_count(&s.f.hsm, "C_SignInit");
    s.signer.sha256[0] ^= 1;
    CHECK_CODE(sign_bundle(kw_span_str(manifest)), KW_CODE_KEY_BAD);
    s.signer.label = "another";
    CHECK_CODE(sign_bundle(kw_span_str(manifest)), KW_CODE_MISSING);
    CHECK(kw_fault_count(&s.f.hsm, "C_SignInit") == before);
    fixture_end(&s.f);
}

/* A key for encryption is no key for the log, whatever its label. */
TEST(audit_key__label_of_a_secret_key__missing)
{
    begin("");
    (void)kw_softhsm_key(s.f.token, KEK, kw_span_str(LOCATOR));
    CHECK_CODE(kw_token_audit_key(s.f.token, KEK, s.spki, &s.f.note), KW_CODE_MISSING);
    fixture_end(&s.f);
}

KW_SUITE("sign")
