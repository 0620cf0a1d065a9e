/* SPDX-License-Identifier: Apache-2.0 */
#include "token_fixture.h"

struct pins {
    struct kw_secret so, user;
};

static void pins_init(struct pins *p, const struct kw_softhsm *hsm)
{
    *p = (struct pins){0};
    CHECK_OK(kw_secret_copy(&p->so, kw_span_str("security officer")));
    CHECK_OK(kw_secret_copy(&p->user, kw_span_str(hsm->pin)));
}

static void pins_wipe(struct pins *p)
{
    kw_secret_wipe(&p->so);
    kw_secret_wipe(&p->user);
}

static void begin(struct fixture *f, struct pins *p)
{
    *f = (struct fixture){0};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&f->hsm);
    kw_fault_between(&f->hsm);
    pins_init(p, &f->hsm);
}

static void end(struct fixture *f, struct pins *p)
{
    pins_wipe(p);
    fixture_end(f);
}

static kw_err init(struct fixture *f, const struct pins *p, const char *label)
{
    return kw_token_init_softhsm(f->hsm.module, label, &p->so, &p->user, &f->note);
}

TEST(init__label_empty_or_too_long__bad_input)
{
    struct fixture f;
    struct pins p;
    begin(&f, &p);
    CHECK_CODE(init(&f, &p, ""), KW_CODE_BAD_INPUT);
    CHECK_CODE(init(&f, &p, "a-label-of-more-than-thirty-two-b"), KW_CODE_BAD_INPUT);
    CHECK(kw_fault_count(&f.hsm, "C_Initialize") == 0);
    end(&f, &p);
}

TEST(init__module_missing_or_no_module__its_code)
{
    struct fixture f;
    struct pins p;
    begin(&f, &p);
    f.hsm.module = "/nonexistent/module.so";
    CHECK_CODE(init(&f, &p, "new"), KW_CODE_MISSING);
    f.hsm.module = "/dev/null";
    CHECK_CODE(init(&f, &p, "new"), KW_CODE_HSM_CONFIG);
    end(&f, &p);
}

TEST(init__module_does_not_say_softhsm__refused)
{
    struct fixture f;
    struct pins p;
    begin(&f, &p);
    kw_fault_set(&f.hsm, "othermaker\n");
    CHECK_CODE(init(&f, &p, "new"), KW_CODE_HSM_CONFIG);
    CHECK_HAS(f.note.text, "not SoftHSM");
    end(&f, &p);
}

TEST(init__no_slot_or_call_refused__its_code)
{
    struct fixture f;
    struct pins p;
    begin(&f, &p);
    kw_fault_set(&f.hsm, "emptyslots\n");
    CHECK_CODE(init(&f, &p, "new"), KW_CODE_HSM_CONFIG);
    kw_fault_set(&f.hsm, "C_OpenSession rv=0x30\n");
    CHECK_CODE(init(&f, &p, "new"), KW_CODE_HSM_DOWN);
    CHECK_HAS(f.note.text, "CKR_DEVICE_ERROR");
    end(&f, &p);
}

TEST(init__well__can_be_logged_in_to)
{
    struct fixture f;
    struct pins p;
    begin(&f, &p);
    CHECK_OK(init(&f, &p, "new"));
    struct kw_token_options options = kw_softhsm_options(&f.hsm, KW_SOFTHSM_READ_ONLY);
    options.uri = "pkcs11:token=new";
    CHECK_OK(kw_token_open(&options, &f.token, &f.note));
    CHECK_OK(kw_token_login(f.token, &f.note));
    CHECK_STR(kw_token_facts(f.token)->label, "new");
    end(&f, &p);
}

KW_CASES("init", CASE(init__label_empty_or_too_long__bad_input),
         CASE(init__module_missing_or_no_module__its_code),
         CASE(init__module_does_not_say_softhsm__refused),
         CASE(init__no_slot_or_call_refused__its_code),
         CASE(init__well__can_be_logged_in_to))
