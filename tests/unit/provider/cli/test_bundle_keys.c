/* SPDX-License-Identifier: Apache-2.0 */
/* By which key a control plane's audit log is judged. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <keyward/file.h>

#include "bundle_keys.h"

#define OF_THE_VECTORS KW_VECTORS "/audit.pem"
#define ITS_SHA256 "207fea09581ca0d9dbb502be85f42ee05402a0e8cdec2db4c0aa1ed653142944"

/* A pair that nobody has the private half of. */
static const char another_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdupAX34Fg0AJBoXLVqJhfnroqgdZ\n"
    "UHaTBvQj61DzzSLg4NCdWSRKRn7zR9jQEvNIaEuXko1xvKrGknvBbV3P9Q==\n"
    "-----END PUBLIC KEY-----\n";

static char another[64] = "/tmp/kw-bundle-keys-XXXXXX";

static void make_another(void)
{
    const int fd = mkstemp(another);
    CHECK(fd >= 0);
    CHECK(write(fd, another_pem, sizeof another_pem - 1) == sizeof another_pem - 1);
    close(fd);
}

static void remove_another(void)
{
    CHECK(unlink(another) == 0);
    snprintf(another, sizeof another, "/tmp/kw-bundle-keys-XXXXXX");
}

/* Of a node whose configuration names this key (NULL: none), with an audit.pem or not. */
static void judged_by(const struct kw_words *files, const char *configured, bool has_own,
                      const char *want)
{
    char room[KW_PATH_MAX];
    struct kw_note note = {{0}};
    struct kw_bundle_keys keys;
    struct kw_bundle_node node = {.name = "cp-1", .dir = "cp-1"};
    node.node = json_pack("{s:{s:{s:{s:s?}}}, s:[{s:s}]}", "configuration", "audit",
                          "key", "sha256", configured, "files", "name",
                          has_own ? "audit.pem" : "keyring.json");
    CHECK(node.node != NULL);
    CHECK_OK(kw_bundle_keys_read(files, &keys, &note));
    const char *got = kw_bundle_key_of(&keys, &node, room);
    if (want == NULL)
        assert_null(got);
    else
        CHECK_STR(got, want);
    json_decref(node.node);
}

TEST(none_given__the_one_of_the_folder_or_none)
{
    const struct kw_words none = {.count = 0};
    judged_by(&none, ITS_SHA256, true, "cp-1/audit.pem");
    judged_by(&none, ITS_SHA256, false, NULL);
}

TEST(given__its_own_wherever_it_stands_and_never_the_one_of_the_folder)
{
    make_another();
    const struct kw_words both = {{another, OF_THE_VECTORS}, 2}, one = {{another}, 1};
    judged_by(&both, ITS_SHA256, true, OF_THE_VECTORS);
    judged_by(&both, NULL, true, another);
    judged_by(&one, ITS_SHA256, true, another);
    remove_another();
}

TEST(no_key__said_by_its_name)
{
    struct kw_note note = {{0}};
    struct kw_bundle_keys keys;
    const struct kw_words none = {{KW_VECTORS "/keyring.json"}, 1};
    CHECK_CODE(kw_bundle_keys_read(&none, &keys, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "keyring.json");
}

KW_SUITE("provider/cli/bundle_keys")
