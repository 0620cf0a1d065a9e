/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_token.h"
#include "object.h"

#include <stdarg.h>
#include <sys/socket.h>

struct fake_token_state fake;

static struct kw_fake_clock time_now;
static struct kw_clock fake_time;
static struct kw_token_facts facts = {
    .label = "tok\x01", .has_gcm = true, .gcm_key_min = 16, .gcm_key_max = 32};
static int a_token, a_key, branches[KW_SESSIONS_MAX];
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

void script(struct script *s, unsigned count, ...)
{
    va_list list;
    *s = (struct script){.count = count};
    va_start(list, count);
    for (unsigned i = 0; i < count; i++)
        s->codes[i] = (enum kw_code)va_arg(list, int);
    va_end(list);
}

static kw_err next(struct script *s, const char *where)
{
    pthread_mutex_lock(&one_at_a_time);
    unsigned i = s->calls++;
    pthread_mutex_unlock(&one_at_a_time);
    enum kw_code code = i < s->count ? s->codes[i] : KW_CODE_OK;
    return code == KW_CODE_OK ? KW_OK : kw_err_native(code, 7, where);
}

/* The time is moved only where one session works: it is read without a lock. */
static void takes_its_time(void)
{
    if (fake.during != NULL)
        fake.during();
    if (fake.takes_ns != 0)
        time_now.now_ns += fake.takes_ns;
}

static kw_err operate(const char *where)
{
    kw_err e = next(&fake.operation, where);
    takes_its_time();
    return e;
}

static void (*step)(void *ctx);
static void *step_ctx;

void kw_token_watch(struct kw_token *token, void (*to_call)(void *ctx), void *ctx)
{
    CHECK(token != NULL);
    fake.watched = true;
    step = to_call;
    step_ctx = ctx;
}

/* ---- the token room ---------------------------------------------------------------- */

static void (*phase)(void *ctx, enum kw_phase phase);
static void *phase_ctx;

kw_err kw_token_open(const struct kw_token_options *options, struct kw_token **ret_token,
                     struct kw_note *note)
{
    kw_err e = next(&fake.open, "C_Initialize");
    phase = options->phase;
    phase_ctx = options->phase_ctx;
    facts.softhsm = fake.softhsm;
    facts.free_sessions =
        fake.free_sessions == 0 ? KW_TOKEN_NOT_TOLD : fake.free_sessions;
    if (kw_failed(e))
        kw_note_set(note, "cannot open");
    else
        *ret_token = (struct kw_token *)(void *)&a_token;
    return e;
}

void kw_token_close(struct kw_token *token)
{
    (void)token;
}

const struct kw_token_facts *kw_token_facts(const struct kw_token *token)
{
    (void)token;
    return &facts;
}

kw_err kw_token_pin(struct kw_token *token, struct kw_secret *ret_pin,
                    struct kw_pin_facts *ret_facts, struct kw_note *note)
{
    (void)token;
    kw_err e = next(&fake.pin, "pin");
    if (kw_failed(e))
        kw_note_set(note, "no PIN");
    else
        e = kw_secret_copy(ret_pin, kw_span_str("1234"));
    *ret_facts = (struct kw_pin_facts){.label = "tok\x01", .source = {.ino = 7}};
    return e;
}

kw_err kw_token_login_with(struct kw_token *token, struct kw_secret *pin, bool *ret_tried,
                           struct kw_note *note)
{
    (void)token;
    CHECK(kw_span_equal_str(kw_secret_peek(pin), "1234"));
    kw_secret_wipe(pin);
    *ret_tried = !fake.flags_stop;
    if (fake.flags_stop)
        return kw_err_at(KW_CODE_PIN_STOP, "C_GetTokenInfo");
    phase(phase_ctx, KW_PHASE_LOGIN);
    CHECK(fake.holds == 1 && fake.releases == 0); /* the gate is closed around it */
    phase(phase_ctx, KW_PHASE_IDLE);
    kw_err e = next(&fake.login, "C_Login");
    if (kw_failed(e))
        kw_note_set(note, "no login");
    return e;
}

bool kw_token_was_logged_in(const struct kw_token *token)
{
    (void)token;
    return fake.was_in;
}

kw_err kw_token_self_test(struct kw_token *token, struct kw_note *note)
{
    (void)token;
    (void)note;
    return next(&fake.self_test, "C_Decrypt");
}

kw_err kw_token_branch(const struct kw_token *token, struct kw_token **ret_branch,
                       struct kw_note *note)
{
    (void)token;
    kw_err e = next(&fake.branch, "C_OpenSession");
    if (kw_failed(e))
        kw_note_set(note, "no session");
    else
        *ret_branch = (struct kw_token *)(void *)&branches[fake.open_branches++];
    return e;
}

void kw_token_branch_close(struct kw_token *branch)
{
    fake.open_branches -= branch != NULL;
}

kw_err kw_token_adopt(struct kw_token *branch, const struct kw_token_key *key,
                      struct kw_token_key **ret_key)
{
    (void)branch;
    fake.adopted++;
    *ret_key = (struct kw_token_key *)(uintptr_t)key;
    return KW_OK;
}

struct kw_token_claim kw_token_claim_of(const struct kw_token *token,
                                        const struct kw_version *v, const char *domain,
                                        bool also_wrap)
{
    (void)token;
    CHECK_STR(domain, "test");
    return (struct kw_token_claim){.version = v, .also_wrap = also_wrap};
}

kw_err kw_token_prove(struct kw_token *token, const struct kw_token_claim *claim,
                      struct kw_token_key **ret_key, unsigned *ret_findings,
                      struct kw_note *note, struct kw_note *remarks)
{
    (void)token;
    (void)remarks;
    kw_err e = next(&fake.prove, "C_DecryptInit");
    fake.last_also_wrap = claim->also_wrap;
    *ret_findings = fake.findings;
    if (kw_failed(e))
        kw_note_set(note, "no proof of %s\x01", claim->version->key_id);
    else
        *ret_key = (struct kw_token_key *)(void *)&a_key;
    return e;
}

kw_err kw_token_look(struct kw_token *token, struct kw_token_key *key,
                     const struct kw_token_claim *claim, bool closely,
                     unsigned *ret_findings, struct kw_note *note)
{
    (void)token;
    CHECK(key != NULL);
    for (unsigned i = 0; i < fake.look_steps; i++) {
        takes_its_time();
        step(step_ctx);
    }
    kw_err e = next(&fake.look, "C_Decrypt");
    fake.last_also_wrap = claim->also_wrap;
    fake.last_closely = closely;
    *ret_findings = closely ? fake.findings : 0;
    if (kw_failed(e))
        kw_note_set(note, "%s looks bad", claim->version->key_id);
    return e;
}

kw_err kw_token_wrap(struct kw_token *token, struct kw_token_key *key,
                     enum kw_mechanism m, kw_span iv, kw_span aad, kw_span inner,
                     kw_dst *dst)
{
    static const uint8_t tag[KW_GCM_TAG] = "tag of 16 bytes";
    (void)token;
    (void)key;
    (void)m;
    (void)iv;
    (void)aad;
    kw_err e = operate("C_Encrypt");
    if (!kw_failed(e))
        CHECK(kw_dst_put(dst, inner) && kw_dst_put(dst, kw_span_of(tag, sizeof tag)));
    return e;
}

kw_err kw_token_unwrap(struct kw_token *token, struct kw_token_key *key,
                       enum kw_mechanism m, kw_span iv, kw_span aad, kw_span sealed,
                       struct kw_secret *ret_inner)
{
    (void)token;
    (void)key;
    (void)m;
    (void)iv;
    (void)aad;
    kw_err e = operate("C_Decrypt");
    return kw_failed(e) ? e
                        : kw_secret_copy(ret_inner,
                                         kw_span_of(sealed.ptr, sealed.len - KW_GCM_TAG));
}

/* ---- the guard --------------------------------------------------------------------- */

kw_err kw_token_sign(struct kw_token *token, const struct kw_token_signer *signer,
                     const struct kw_checkpoint *checkpoint,
                     struct kw_token_signed *ret_signed, struct kw_note *note)
{
    (void)token;
    CHECK_STR(signer->label, "keyward-audit");
    CHECK(signer->sha256[0] == '0' && signer->sha256[31] == 'f');
    fake.signed_covered = checkpoint->covered;
    kw_err e = next(&fake.sign, "C_Sign");
    takes_its_time();
    if (kw_failed(e))
        kw_note_set(note, "cannot sign");
    *ret_signed = (struct kw_token_signed){.spki = {1}, .signature = {2}};
    return e;
}

void kw_guard_hold(void)
{
    fake.holds++;
}

void kw_guard_release(void)
{
    fake.releases++;
}

/* ---- a worker ---------------------------------------------------------------------- */

static void add(struct kw_keyring *ring, uint32_t n, const char *key_id,
                enum kw_key_state state)
{
    struct kw_version v = {
        .n = n, .mechanism = KW_MECH_AES_256_GCM, .format = KW_FORMAT_1, .state = state};
    struct kw_check_making making;
    uint8_t sealed[KW_SEALED_MAX] = {0};
    kw_copy_str(v.key_id, sizeof v.key_id, kw_span_str(key_id));
    kw_test_object(&v);
    kw_time_text(v.created, 0);
    kw_copy_str(v.accepted, sizeof v.accepted, kw_span_str(v.created));
    kw_copy_str(v.activated, sizeof v.activated, kw_span_str(v.created));
    if (state == KW_KEY_RETIRED)
        kw_copy_str(v.retired, sizeof v.retired, kw_span_str(v.created));
    if (state == KW_KEY_DISABLED) {
        kw_copy_str(v.disabled, sizeof v.disabled, kw_span_str(v.created));
        kw_copy_str(v.disabled_from, sizeof v.disabled_from, kw_span_str("accepted"));
    }
    CHECK_OK(kw_check_making_begin(&v, "test", &making));
    size_t len = kw_mechanism_sealed_len(v.mechanism, kw_secret_peek(&making.inner).len);
    CHECK_OK(kw_check_making_end(&making, kw_span_of(sealed, len), &v));
    kw_check_making_wipe(&making);
    CHECK_OK(kw_keyring_add(ring, &v));
}

struct kw_hsm_worker *fake_worker(int socket)
{
    static struct kw_hsm_worker w;
    static struct kw_blob json;
    struct kw_keyring *ring;
    int fd = -1;
    kw_blob_wipe(&json);
    fake = (struct fake_token_state){0};
    time_now.now_ns = 1000;
    fake_time = kw_fake_clock(&time_now);
    kw_test_arena(1 << 17);
    CHECK_OK(kw_keyring_new("test", &ring));
    add(ring, 1, K1, KW_KEY_RETIRED);
    add(ring, 2, K2, KW_KEY_ACTIVE);
    add(ring, 3, K3, KW_KEY_DISABLED);
    ring->serial = 1;
    ring->active = 2;
    CHECK_OK(kw_keyring_write(ring, &json));
    kw_keyring_give(ring);
    w = (struct kw_hsm_worker){.socket = socket,
                               .clock = &fake_time,
                               .base = {.worker = &w},
                               .proofs = KW_MUTEX_INIT,
                               .signs = {.mutex = KW_MUTEX_INIT}};
    w.brief =
        (struct kw_brief){.module = kw_span_str("/m"),
                          .uri = kw_span_str("pkcs11:token=tok"),
                          .pin = kw_span_str("file:/pin"),
                          .domain = kw_span_str("test"),
                          .audit_label = kw_span_str("keyward-audit"),
                          .audit_sha256 = kw_span_str("0123456789abcdef0123456789abcdef"),
                          .active_n = 2,
                          .sessions = 1,
                          .parts = 2,
                          .keyring = kw_blob_peek(&json)};
    CHECK_OK(kw_page_make(&fd, &w.page));
    return &w;
}

void fake_word(int front, kw_err e, const char *note)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_permit word = {.err = e};
    kw_note_set(&word.note, "%s", note);
    CHECK_OK(kw_wire_encode_permit(&word, &dst));
    CHECK(send(front, buf, dst.len, 0) == (ssize_t)dst.len);
}

void fake_prove_the_other(struct kw_hsm_worker *w)
{
    struct kw_worker_result ignored;
    CHECK_OK(kw_worker_prove(&w->base, 0, true, &ignored));
}

void fake_worker_end(struct kw_hsm_worker *w)
{
    kw_worker_close_sessions(w);
    CHECK(fake.open_branches == 0);
    kw_page_unmap(w->page);
    kw_keyring_give(w->ring);
}
