/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "check.h"
#include "token_internal.h"

static void refused(const char *text, const char *word)
{
    struct kw_note note = {{0}};
    struct kw_token_uri *uri = NULL;
    kw_err e = kw_token_uri_parse(text, &uri, &note);
    if (e.code != KW_CODE_HSM_CONFIG)
        fail_msg("%s: %s", text ? text : "NULL", kw_code_name(e.code));
    CHECK(uri == NULL);
    CHECK_HAS(note.text, word);
}

/* Pads with blanks, as PKCS#11 does. */
static void put(CK_BYTE *dst, size_t len, const char *text)
{
    for (size_t i = 0; i < len; i++)
        dst[i] = *text != '\0' ? (CK_BYTE)*text++ : ' ';
}

static CK_TOKEN_INFO token(const char *label, const char *serial)
{
    CK_TOKEN_INFO info = {0};
    put(info.label, sizeof info.label, label);
    put(info.serialNumber, sizeof info.serialNumber, serial);
    put(info.manufacturerID, sizeof info.manufacturerID, "Maker of HSMs");
    put(info.model, sizeof info.model, "Model 1");
    return info;
}

static bool matches(const char *text, const char *label, const char *serial)
{
    struct kw_note note = {{0}};
    struct kw_token_uri *uri = NULL;
    CK_TOKEN_INFO info = token(label, serial);
    if (kw_failed(kw_token_uri_parse(text, &uri, &note)))
        fail_msg("%s: %s", text, note.text);
    bool yes = kw_token_uri_matches(uri, &info);
    kw_token_uri_free(uri);
    return yes;
}

TEST(parse__no_uri__refused)
{
    refused(NULL, "pkcs11:");
    refused("", "pkcs11:");
    refused("token=keyward", "pkcs11:");
    refused("PKCS11:token=keyward", "pkcs11:");
    refused("pkcs11", "pkcs11:");
}

TEST(parse__names_no_token__refused)
{
    refused("pkcs11:", "neither token nor serial");
    refused("pkcs11:model=M", "neither token nor serial");
    refused("pkcs11:token=", "empty");
    refused("pkcs11:token", "other than");
}

TEST(parse__attribute_not_of_a_token__refused)
{
    refused("pkcs11:token=a;object=key", "other than");
    refused("pkcs11:token=a;id=%01", "other than");
    refused("pkcs11:token=a;type=secret-key", "other than");
    refused("pkcs11:token=a;slot-id=1", "other than");
    refused("pkcs11:token=a;library-description=x", "other than");
    refused("pkcs11:token=a;tokem=b", "other than");
    refused("pkcs11:token=a;x-vendor=b", "other than");
    refused("pkcs11:token=a;;serial=1", "other than");
    refused("pkcs11:Token=a", "other than");
}

TEST(parse__attribute_twice__refused)
{
    refused("pkcs11:token=a;token=b", "twice");
    refused("pkcs11:token=a;serial=1;serial=1", "twice");
}

TEST(parse__query__refused_and_a_pin_never_repeated)
{
    struct kw_note note = {{0}};
    struct kw_token_uri *uri = NULL;
    refused("pkcs11:token=a?pin-value=24680", "pin-value");
    refused("pkcs11:token=a?pin-source=file:/etc/pin", "`pin`");
    refused("pkcs11:token=a?module-path=/usr/lib/x.so", "`module`");
    refused("pkcs11:token=a?pin-sourse=/etc/pin", "query");
    refused("pkcs11:token=a?", "query");
    refused("pkcs11:token=a?x=1&pin-value=24680", "pin-value");
    CHECK_CODE(kw_token_uri_parse("pkcs11:token=a?pin-value=24680", &uri, &note),
               KW_CODE_HSM_CONFIG);
    CHECK(strstr(note.text, "24680") == NULL);
}

TEST(parse__malformed__refused)
{
    refused("pkcs11:token=a;", "ends in");
    refused("pkcs11:token=%zz", "malformed");
    refused("pkcs11:token=%4", "malformed");
    refused("pkcs11:token=a-label-of-more-than-thirty-two-bytes", "too long");
    refused("pkcs11:serial=12345678901234567", "too long");
}

TEST(match__label_serial_or_both__exact)
{
    CHECK(matches("pkcs11:token=keyward", "keyward", "1"));
    CHECK(!matches("pkcs11:token=keyward", "keyward2", "1"));
    CHECK(!matches("pkcs11:token=keyward", "Keyward", "1"));
    CHECK(!matches("pkcs11:token=keywar", "keyward", "1"));
    CHECK(matches("pkcs11:serial=0a1b", "any", "0a1b"));
    CHECK(!matches("pkcs11:serial=0a1b", "any", "0a1b2"));
    CHECK(matches("pkcs11:token=keyward;serial=7", "keyward", "7"));
    CHECK(!matches("pkcs11:token=keyward;serial=7", "keyward", "8"));
    CHECK(matches("pkcs11:token=my%20token", "my token", "1"));
    CHECK(matches("pkcs11:token=a%3Bb", "a;b", "1"));
}

TEST(match__manufacturer_and_model__narrow_it)
{
    CHECK(matches("pkcs11:token=a;manufacturer=Maker%20of%20HSMs;model=Model%201", "a",
                  "1"));
    CHECK(!matches("pkcs11:token=a;model=Model%202", "a", "1"));
    CHECK(!matches("pkcs11:token=a;manufacturer=Other", "a", "1"));
}

TEST(free__null__nothing)
{
    kw_token_uri_free(NULL);
}

KW_CASES("hsm/token/uri", CASE(parse__no_uri__refused),
         CASE(parse__names_no_token__refused),
         CASE(parse__attribute_not_of_a_token__refused),
         CASE(parse__attribute_twice__refused),
         CASE(parse__query__refused_and_a_pin_never_repeated),
         CASE(parse__malformed__refused), CASE(match__label_serial_or_both__exact),
         CASE(match__manufacturer_and_model__narrow_it), CASE(free__null__nothing))
