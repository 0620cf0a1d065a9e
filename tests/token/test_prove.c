/* SPDX-License-Identifier: Apache-2.0 */
/* Which object holds the key of a version, and whether it still does. */
#include <stdio.h>

#include "token_fixture.h"

#include <keyward/alloc.h>

#define DOMAIN "prove.test"

enum { TWINS = 3 };

/* A token behind the fault module, one version with its key in it, proven. */
struct coop {
    struct fixture f;
    struct kw_version v;
    struct kw_token_claim claim;
    unsigned findings;
    struct kw_note remarks;
};

static kw_err prove(struct coop *c)
{
    c->f.note.text[0] = '\0';
    return kw_token_prove(c->f.token, &c->claim, &c->f.key, &c->findings, &c->f.note,
                          &c->remarks);
}

static kw_err look(struct coop *c, bool closely)
{
    c->f.note.text[0] = '\0';
    return kw_token_look(c->f.token, c->f.key, &c->claim, closely, &c->findings,
                         &c->f.note);
}

static struct kw_token_claim claim_of(const struct kw_version *v)
{
    return (struct kw_token_claim){
        .version = v,
        .label = v->key_id,
        .locator = kw_span_of(v->objects[0].locator, v->objects[0].locator_len),
        .domain = DOMAIN};
}

static void open_instance(struct coop *c)
{
    *c = (struct coop){0};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&c->f.hsm);
    kw_fault_between(&c->f.hsm);
    c->f.token = kw_softhsm_open(&c->f.hsm, KW_SOFTHSM_READ_WRITE);
}

static void begin(struct coop *c)
{
    open_instance(c);
    kw_softhsm_version(c->f.token, DOMAIN, 1, KW_KEY_ACTIVE, &c->v);
    c->claim = claim_of(&c->v);
    CHECK_OK(prove(c));
    works(&c->f);
}

static void tell(struct coop *c, const char *control)
{
    kw_fault_set(&c->f.hsm, control);
}

static unsigned count(struct coop *c, const char *function)
{
    return kw_fault_count(&c->f.hsm, function);
}

/* Nothing is done under the key, and the token is not even asked. */
static void is_not_used(struct coop *c)
{
    struct sealed s;
    unsigned calls = count(c, "C_EncryptInit");
    CHECK_CODE(seal_some(&c->f, &s), KW_CODE_SESSION);
    CHECK(count(c, "C_EncryptInit") == calls && s.dst.len == 0);
}

static void destroy(struct coop *c)
{
    CHECK(c->f.token->ck->C_DestroyObject(c->f.token->session, c->f.key->handle) ==
          CKR_OK);
}

static void make_another(struct coop *c)
{
    (void)kw_softhsm_key(
        c->f.token, c->v.key_id,
        kw_span_of(c->v.objects[0].locator, c->v.objects[0].locator_len));
}

/* An object of our label; `id` "": with our locator too. */
static CK_OBJECT_HANDLE twin(struct coop *c, const char *id, bool extractable)
{
    kw_span locator = kw_span_of(c->v.objects[0].locator, c->v.objects[0].locator_len);
    return raw_key_at(c->f.token, c->v.key_id, id[0] != '\0' ? kw_span_str(id) : locator,
                      extractable);
}

/* The check blob of the version, sealed anew under this object. */
static void seal_under(struct coop *c, CK_OBJECT_HANDLE handle)
{
    struct kw_token_key key = {.handle = handle, .epoch = c->f.token->epoch};
    kw_softhsm_check_blob(c->f.token, &key, DOMAIN, &c->v);
}

/* A version whose label several objects have, in the order the token finds them. */
static void begin_with_twins(struct coop *c, CK_OBJECT_HANDLE order[TWINS])
{
    unsigned found = 0;
    open_instance(c);
    c->v = (struct kw_version){
        .n = 1, .mechanism = KW_MECH_AES_256_GCM, .format = KW_FORMAT_1};
    kw_key_id_make(1, c->v.key_id);
    c->v.objects[0].locator_len = 16;
    kw_copy(c->v.objects[0].locator, sizeof c->v.objects[0].locator,
            kw_span_str(LOCATOR));
    c->claim = claim_of(&c->v);
    c->claim.may_copy = true; /* the default of PKCS#11 */
    for (int i = 0; i < TWINS; i++)
        (void)twin(c, "", false);
    CHECK_OK(kw_key_search(c->f.token, kw_span_str(c->v.key_id), (kw_span){0}, order,
                           TWINS, &found));
    CHECK(found == TWINS);
}

/* ---- the proof ---- */

TEST(prove__no_object__missing_and_the_old_handle_is_not_used)
{
    struct coop c;
    begin(&c);
    destroy(&c);
    CHECK_CODE(prove(&c), KW_CODE_MISSING);
    CHECK_HAS(c.f.note.text, c.v.key_id);
    CHECK(c.findings == 0);
    is_not_used(&c);
    fixture_end(&c.f);
}

TEST(prove__another_key_under_the_label__forged_and_replaced)
{
    struct coop c;
    begin(&c);
    destroy(&c);
    make_another(&c);
    CHECK_CODE(prove(&c), KW_CODE_FORGED);
    CHECK(c.findings == KW_FINDING_REPLACED);
    CHECK_HAS(c.f.note.text, "another key under its label");
    is_not_used(&c);
    fixture_end(&c.f);
}

TEST(prove__attribute_not_good__key_bad_and_exposed)
{
    static const char *const lies[] = {
        "fake=0x162:1\n", /* CKA_EXTRACTABLE */
        "fake=0x103:0\n", /* CKA_SENSITIVE */
        "noread=0x164\n", /* CKA_NEVER_EXTRACTABLE */
    };
    struct coop c;
    begin(&c);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        tell(&c, lies[i]);
        CHECK_CODE(prove(&c), KW_CODE_KEY_BAD);
        CHECK(c.findings == KW_FINDING_EXPOSED);
        CHECK_HAS(c.f.note.text, "CKA_");
        is_not_used(&c);
        tell(&c, "");
        CHECK_OK(prove(&c));
        works(&c.f);
    }
    fixture_end(&c.f);
}

TEST(prove__attribute_odd_once__asked_again)
{
    struct coop c;
    begin(&c);
    tell(&c, "C_GetAttributeValue rv=0x5 skip=3 count=1\n"); /* not answered */
    CHECK_OK(prove(&c));
    CHECK(c.findings == 0);
    fixture_end(&c.f);
}

TEST(prove__copyable__told_if_the_ceremony_had_it_otherwise)
{
    struct coop c;
    begin(&c);
    tell(&c, "fake=0x171:1\n");
    CHECK_OK(prove(&c));
    CHECK(c.findings == KW_FINDING_COPYABLE);
    c.claim.may_copy = true;
    CHECK_OK(prove(&c));
    CHECK(c.findings == 0);
    fixture_end(&c.f);
}

TEST(prove__several_of_its_label__the_one_that_opens_the_check_blob)
{
    struct coop c;
    CK_OBJECT_HANDLE order[TWINS];
    begin_with_twins(&c, order);
    for (int i = 0; i < TWINS; i++) {
        seal_under(&c, order[i]);
        CHECK_OK(prove(&c));
        CHECK(c.findings == KW_FINDING_DUPLICATE);
        CHECK(c.f.key->handle == order[i]);
        works(&c.f);
    }
    c.v.check_blob[c.v.check_blob_len - 1] ^= 1;
    CHECK_CODE(prove(&c), KW_CODE_FORGED);
    CHECK(c.findings == KW_FINDING_REPLACED);
    is_not_used(&c);
    fixture_end(&c.f);
}

TEST(prove__token_in_trouble_over_a_twin__ours_is_found)
{
    struct coop c;
    CK_OBJECT_HANDLE order[TWINS];
    begin_with_twins(&c, order);
    seal_under(&c, order[1]);
    tell(&c, "C_DecryptInit rv=0x30 count=1\n");
    CHECK_OK(prove(&c));
    CHECK(c.findings == KW_FINDING_DUPLICATE && c.f.key->handle == order[1]);
    tell(&c, "C_DecryptInit rv=0x30 skip=1\n"); /* over ours too */
    CHECK_CODE(prove(&c), KW_CODE_HSM_DOWN);
    CHECK(c.findings == 0);
    fixture_end(&c.f);
}

/* The same bytes twice, once in an object that gives them away. */
static CK_OBJECT_HANDLE known_key(struct coop *c, bool extractable)
{
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_BYTE label[64], id[16], value[32] = "the bytes of a key that leaked";
    CK_OBJECT_HANDLE key = 0;
    kw_span name = kw_span_str(c->v.key_id);
    kw_copy(label, sizeof label, name);
    kw_copy(id, sizeof id,
            kw_span_of(c->v.objects[0].locator, c->v.objects[0].locator_len));
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_LABEL, label, name.len},
        {CKA_ID, id, sizeof id},
        {CKA_VALUE, value, sizeof value},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, extractable ? &yes : &no, sizeof yes},
        {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},
    };
    CHECK(c->f.token->ck->C_CreateObject(c->f.token->session, attributes,
                                         sizeof attributes / sizeof attributes[0],
                                         &key) == CKR_OK);
    return key;
}

TEST(prove__extractable_twin_opens_the_blob_too__key_bad)
{
    struct coop c;
    begin(&c);
    destroy(&c);
    seal_under(&c, known_key(&c, false));
    c.claim.may_copy = true;
    /* What a created key cannot say of its past is not the point here. */
    tell(&c, "fake=0x165:1\nfake=0x164:1\nfake=0x163:1\n");
    CHECK_OK(prove(&c));
    (void)twin(&c, "", true); /* extractable, and another key: no matter */
    CHECK_OK(prove(&c));
    CHECK(c.findings == KW_FINDING_DUPLICATE);
    (void)known_key(&c, true);
    CHECK_CODE(prove(&c), KW_CODE_KEY_BAD);
    CHECK((c.findings & KW_FINDING_EXPOSED) != 0);
    CHECK_HAS(c.f.note.text, "CKA_EXTRACTABLE is true");
    is_not_used(&c);
    fixture_end(&c.f);
}

TEST(prove__session_or_busy_once__second_try)
{
    static const char *const lies[] = {
        "C_FindObjectsInit rv=0xb3 count=1\n", "C_DecryptInit rv=0x82 count=1\n",
        "C_GetAttributeValue rv=0xb3 count=1\n", "C_Encrypt rv=0x6 count=1\n"};
    struct coop c;
    begin(&c);
    c.claim.also_wrap = true;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        tell(&c, lies[i]);
        CHECK_OK(prove(&c));
        works(&c.f);
    }
    tell(&c, "C_DecryptInit rv=0x82 count=2\n");
    CHECK_CODE(prove(&c), KW_CODE_SESSION);
    is_not_used(&c);
    CHECK_OK(prove(&c));
    works(&c.f);
    fixture_end(&c.f);
}

/* ---- a handle that died ---- */

TEST(session_error__key_proven_before_it_is_used_again)
{
    struct coop c;
    struct sealed s;
    begin(&c);
    tell(&c, "C_EncryptInit rv=0x82 count=1\n");
    CHECK_CODE(seal_some(&c.f, &s), KW_CODE_SESSION);
    is_not_used(&c);
    CHECK_OK(prove(&c));
    works(&c.f);
    fixture_end(&c.f);
}

TEST(session_error__another_key_meanwhile__nothing_released)
{
    struct coop c;
    struct sealed s, before;
    KW_AUTO_SECRET(back);
    begin(&c);
    CHECK_OK(seal_some(&c.f, &before));
    destroy(&c);
    make_another(&c);
    CHECK_CODE(seal_some(&c.f, &s), KW_CODE_SESSION);
    CHECK(s.dst.len == 0);
    is_not_used(&c);
    CHECK_CODE(open_sealed(&c.f, &before, &back), KW_CODE_SESSION);
    CHECK_CODE(prove(&c), KW_CODE_FORGED);
    is_not_used(&c);
    fixture_end(&c.f);
}

TEST(session_error__two_versions__one_proof_does_not_undo_the_other)
{
    struct coop c;
    struct kw_version other;
    struct kw_token_key *ours, *others = NULL;
    struct sealed s;
    begin(&c);
    ours = c.f.key;
    kw_softhsm_version(c.f.token, DOMAIN, 2, KW_KEY_ACCEPTED, &other);
    const struct kw_token_claim theirs = claim_of(&other);
    CHECK_OK(kw_token_prove(c.f.token, &theirs, &others, &c.findings, &c.f.note, NULL));
    tell(&c, "C_EncryptInit rv=0xb3 count=1\n");
    CHECK_CODE(seal_some(&c.f, &s), KW_CODE_SESSION);
    CHECK_OK(prove(&c));
    c.f.key = others;
    is_not_used(&c); /* its handle died too */
    CHECK_OK(kw_token_prove(c.f.token, &theirs, &others, &c.findings, &c.f.note, NULL));
    works(&c.f);
    c.f.key = ours;
    works(&c.f);
    fixture_end(&c.f);
}

/* ---- the look ---- */

TEST(look__well__one_call_for_the_attributes_when_closely)
{
    struct coop c;
    begin(&c);
    unsigned reads = count(&c, "C_GetAttributeValue");
    CHECK_OK(look(&c, false));
    CHECK(count(&c, "C_GetAttributeValue") == reads && c.findings == 0);
    CHECK_OK(look(&c, true));
    CHECK(count(&c, "C_GetAttributeValue") == reads + 1 && c.findings == 0);
    works(&c.f);
    fixture_end(&c.f);
}

TEST(look__exposed_since__key_bad_and_not_used_before_a_good_proof)
{
    static const char *const lies[] = {"fake=0x162:1\n", "fake=0x103:0\n",
                                       "noread=0x162\n", "noread=0x103\n"};
    struct coop c;
    begin(&c);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        tell(&c, lies[i]);
        CHECK_OK(look(&c, false));
        CHECK_CODE(look(&c, true), KW_CODE_KEY_BAD);
        CHECK(c.findings == KW_FINDING_EXPOSED);
        CHECK_HAS(c.f.note.text, "CKA_");
        is_not_used(&c);
        CHECK_CODE(prove(&c), KW_CODE_KEY_BAD);
        tell(&c, "");
        CHECK_OK(prove(&c));
        works(&c.f);
    }
    fixture_end(&c.f);
}

TEST(look__token_in_trouble__its_code_and_no_finding)
{
    struct coop c;
    begin(&c);
    tell(&c, "C_GetAttributeValue rv=0x5 count=1\n");
    CHECK_CODE(look(&c, true), KW_CODE_HSM_DOWN);
    CHECK(c.findings == 0);
    tell(&c, "C_GetAttributeValue rv=0x82 count=1\n");
    CHECK_CODE(look(&c, true), KW_CODE_SESSION);
    CHECK(c.findings == 0);
    is_not_used(&c);
    fixture_end(&c.f);
}

TEST(look__copyable_since__told)
{
    struct coop c;
    begin(&c);
    tell(&c, "fake=0x171:1\n");
    CHECK_OK(look(&c, true));
    CHECK(c.findings == KW_FINDING_COPYABLE);
    works(&c.f);
    fixture_end(&c.f);
}

/* A token that refuses a whole call for one attribute must not be asked for it. */
TEST(look__token_knows_no_copyable__it_is_not_asked)
{
    struct coop c;
    begin(&c);
    tell(&c, "noread=0x171\n");
    CHECK_OK(prove(&c));
    CHECK_OK(look(&c, true));
    tell(&c, "fake=0x171:1\n");
    CHECK_OK(look(&c, true));
    CHECK(c.findings == 0);
    fixture_end(&c.f);
}

TEST(look__another_object_gets_the_label__told_and_served_on)
{
    struct coop c;
    begin(&c);
    CK_OBJECT_HANDLE ours = c.f.key->handle;
    (void)twin(&c, "fedcba9876543210", false);
    CHECK_OK(look(&c, true));
    CHECK(c.findings == KW_FINDING_DUPLICATE);
    works(&c.f);
    CHECK_OK(look(&c, false));
    CHECK(c.findings == 0); /* it did not look there */
    (void)twin(&c, "", false);
    CHECK_OK(look(&c, true));
    CHECK(c.findings == KW_FINDING_DUPLICATE && c.f.key->handle == ours);
    works(&c.f);
    fixture_end(&c.f);
}

TEST(look__gone_or_replaced__not_used)
{
    struct coop c;
    begin(&c);
    tell(&c, "nofind\n"); /* a library that still serves what the token has lost */
    CHECK_OK(look(&c, false));
    CHECK_CODE(look(&c, true), KW_CODE_MISSING);
    is_not_used(&c);
    tell(&c, "");
    CHECK_OK(prove(&c));
    tell(&c, "C_Decrypt flip\n"); /* it opens to something else */
    CHECK_CODE(look(&c, false), KW_CODE_WRONG_ANSWER);
    CHECK(c.findings == KW_FINDING_REPLACED);
    is_not_used(&c);
    tell(&c, "");
    CHECK_OK(prove(&c));
    destroy(&c);
    make_another(&c);
    CHECK_CODE(look(&c, false), KW_CODE_SESSION);
    is_not_used(&c);
    CHECK_CODE(prove(&c), KW_CODE_FORGED);
    fixture_end(&c.f);
}

/* ---- another session of the same login --------------------------------------------- */

TEST(adopt__proven_key__works_in_another_session_and_nothing_is_looked_for)
{
    struct coop c;
    struct fixture other = {0};
    begin(&c);
    unsigned finds = count(&c, "C_FindObjectsInit");
    CHECK_OK(kw_token_branch(c.f.token, &other.token, &c.f.note));
    CHECK_OK(kw_token_adopt(other.token, c.f.key, &other.key));
    works(&other);
    CHECK(count(&c, "C_FindObjectsInit") == finds);
    CHECK_OK(
        kw_token_look(other.token, other.key, &c.claim, false, &c.findings, &c.f.note));
    kw_token_branch_close(other.token);
    works(&c.f);
    fixture_end(&c.f);
}

/* A handle that died in the branch is not used again, though it is good elsewhere. */
TEST(adopt__handle_died__to_be_proven_again_or_adopted_anew)
{
    struct coop c;
    struct fixture other = {0};
    struct sealed s;
    begin(&c);
    CHECK_OK(kw_token_branch(c.f.token, &other.token, &c.f.note));
    CHECK_OK(kw_token_adopt(other.token, c.f.key, &other.key));
    tell(&c, "C_EncryptInit rv=0x82 count=1\n");
    CHECK_CODE(seal_some(&other, &s), KW_CODE_SESSION);
    CHECK_CODE(seal_some(&other, &s), KW_CODE_SESSION);
    CHECK_OK(kw_token_adopt(other.token, c.f.key, &other.key));
    works(&other);
    kw_token_branch_close(other.token);
    fixture_end(&c.f);
}

TEST(adopt__no_memory__told)
{
    struct coop c;
    struct fixture other = {0};
    begin(&c);
    CHECK_OK(kw_token_branch(c.f.token, &other.token, &c.f.note));
    kw_alloc_fail_from(0);
    CHECK_CODE(kw_token_adopt(other.token, c.f.key, &other.key), KW_CODE_NO_MEMORY);
    kw_alloc_fail_from(-1);
    kw_token_branch_close(other.token);
    fixture_end(&c.f);
}

KW_CASES("prove",
         CASE(adopt__proven_key__works_in_another_session_and_nothing_is_looked_for),
         CASE(adopt__handle_died__to_be_proven_again_or_adopted_anew),
         CASE(adopt__no_memory__told),
         CASE(prove__no_object__missing_and_the_old_handle_is_not_used),
         CASE(prove__another_key_under_the_label__forged_and_replaced),
         CASE(prove__attribute_not_good__key_bad_and_exposed),
         CASE(prove__attribute_odd_once__asked_again),
         CASE(prove__copyable__told_if_the_ceremony_had_it_otherwise),
         CASE(prove__several_of_its_label__the_one_that_opens_the_check_blob),
         CASE(prove__token_in_trouble_over_a_twin__ours_is_found),
         CASE(prove__extractable_twin_opens_the_blob_too__key_bad),
         CASE(prove__session_or_busy_once__second_try),
         CASE(session_error__key_proven_before_it_is_used_again),
         CASE(session_error__another_key_meanwhile__nothing_released),
         CASE(session_error__two_versions__one_proof_does_not_undo_the_other),
         CASE(look__well__one_call_for_the_attributes_when_closely),
         CASE(look__exposed_since__key_bad_and_not_used_before_a_good_proof),
         CASE(look__token_in_trouble__its_code_and_no_finding),
         CASE(look__copyable_since__told),
         CASE(look__token_knows_no_copyable__it_is_not_asked),
         CASE(look__another_object_gets_the_label__told_and_served_on),
         CASE(look__gone_or_replaced__not_used))
