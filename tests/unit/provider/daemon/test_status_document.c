/* SPDX-License-Identifier: Apache-2.0 */
/* What the status socket gives, of parts whose figures are made up here. */
#include "check.h"

#include <stdio.h>

#include <keyward/alloc.h>

#include "status_document.h"

static struct kw_front_status front_status;

void kw_front_status(struct kw_front *front, struct kw_front_status *ret_status)
{
    (void)front;
    *ret_status = front_status;
}

void kw_kms_stats(struct kw_kms *kms, size_t class_index,
                  struct kw_class_stats *ret_stats)
{
    (void)kms;
    *ret_stats = (struct kw_class_stats){
        .methods = {{.outcomes = {[KW_CODE_OK] = 1}},
                    {.outcomes = {[KW_CODE_OK] = 1, [KW_CODE_HSM_DOWN] = 1},
                     .latency = {{[1] = 2}, 3999}},
                    {.outcomes = {[KW_CODE_OK] = 3}}},
        .joined = 7 + class_index,
        .unknown_key = 16,
        .cache_hits = 8,
        .cache_misses = 9,
        .cache_evicted = 10,
        .cache_expired = 11,
        .cache_wiped = 12,
        .cache_entries = 13,
        .cache_capacity = 14,
        .budget_left_ns = 15 * KW_MS_NS};
}

static const struct kw_version_stats some = {
    .encrypts = 1,
    .decrypts_hsm = 2,
    .decrypts_joined = 3,
    .decrypts_cache = 4,
    .refused = {[KW_HSM_REFUSED_CREATED] = 5,
                [KW_HSM_REFUSED_DISABLED] = 6,
                [KW_HSM_REFUSED_DESTROYED] = 7,
                [KW_HSM_REFUSED_UNKNOWN] = 8,
                [KW_HSM_REFUSED_KEY_BAD] = 9},
    .last_refused_wall_ns = INT64_C(1769860800) * KW_S_NS,
    .refused_ago_ns = 59 * KW_S_NS + 999 * KW_MS_NS};
static const struct kw_version_stats *counted[KW_CLASSES_MAX];

bool kw_kms_version_stats(struct kw_kms *kms, size_t class_index, const char *key_id,
                          struct kw_version_stats *ret_stats)
{
    (void)kms;
    CHECK(strncmp(key_id, "kw1-", 4) == 0);
    if (counted[class_index] == NULL)
        return false;
    *ret_stats = *counted[class_index];
    return true;
}

void kw_listener_stats(const struct kw_listener *listener, struct kw_listen_stats *ret)
{
    CHECK(listener != NULL);
    *ret = (struct kw_listen_stats){.accepted = 1,
                                    .handed_over = 2,
                                    .refused_peer = 3,
                                    .refused_limit = 4,
                                    .refused_preface = 5,
                                    .refused_adopt = 6,
                                    .ended = 9,
                                    .open = 7,
                                    .waiting = 8};
}

void kw_rpc_stats(struct kw_rpc *rpc, struct kw_rpc_stats *ret_stats)
{
    (void)rpc;
    *ret_stats = (struct kw_rpc_stats){1, 2, 3, 4, 5, 6, 7};
}

static struct kw_front_worker_status worker = {
    .token = "t", .pid = 42, .state = "ready", .sessions = 4, .hanging = 1, .served = 43};
static struct kw_front_version_status version = {
    .n = 2,
    .key_id = "kw1-2-aa",
    .state = "active",
    .origin = "made",
    .verdict = {.code = KW_CODE_KEY_BAD, .where = "find"},
    .reason = "gone",
    .found = "",
    .activated = ""};

/* 2026-01-31T12:00:00Z and ten minutes later. */
static struct kw_front_held_status held = {.input = "0123456789abcdef",
                                           .since_wall_ns = INT64_C(1769860800) * KW_S_NS,
                                           .until_wall_ns =
                                               INT64_C(1769861400) * KW_S_NS};

static struct kw_daemon daemon_of_two_classes(struct kw_config *c)
{
    static char domain[] = "demo", keyring[] = "/k", scope[] = "s", path[] = "/s",
                first[] = "secrets", second[] = "bulk", file[] = "/c";
    *c = (struct kw_config){.domain = domain,
                            .keyring = keyring,
                            .state = path,
                            .status = path,
                            .class_count = 2};
    for (size_t i = 0; i < 2; i++) {
        c->classes[i].name = i == 0 ? first : second;
        c->classes[i].scope = scope;
        c->classes[i].socket = path;
    }
    c->classes[1].on_loss = KW_ON_LOSS_SERVE_CACHED;
    static const struct kw_front_numbers_of_token numbers = {
        .ops = {{.failed = 1, .latency = {{5, 6}, 7000}}},
        .errors = {{0x30, 8}, {0x80000001, 9}},
        .error_count = 2,
        .errors_other = 10,
        .started = 11,
        .ended = {[KW_FRONT_CRASHED] = 12},
        .logins = 13};
    static const struct kw_front_token_status token = {.name = "t",
                                                       .numbers = &numbers,
                                                       .label = "l\x1b[2J",
                                                       .serial = "s",
                                                       .model = "m",
                                                       .firmware = "f",
                                                       .library = "lib",
                                                       .state = KW_HSM_SUSPECT,
                                                       .is_out = true,
                                                       .unproven = 3,
                                                       .probe_every_ns = 12500 * KW_MS_NS,
                                                       .reason = "slow"};
    front_status = (struct kw_front_status){.tokens = &token,
                                            .token_count = 1,
                                            .workers = &worker,
                                            .worker_count = 1,
                                            .versions = &version,
                                            .version_count = 1,
                                            .held = &held,
                                            .held_count = 1,
                                            .keyring_serial = 5,
                                            .keyring_sha256 = "ab",
                                            .jobs = {.queued = 1, .sent = 2, .total = 3}};
    front_status.health.state = KW_HSM_UP;
    static struct kw_config found;
    found = *c;
    found.class_count = 1;
    found.recover_ns++;
    struct kw_daemon d = {.started_wall_ns = INT64_C(1769860800) * KW_S_NS,
                          .config = c,
                          .config_path = file,
                          .config_found = &found};
    for (size_t i = 0; i < 2; i++) {
        d.class_listeners[i].listener = (struct kw_listener *)(void *)&front_status;
    }
    return d;
}

/* A reader of JSON refuses a document with such bytes, and a terminal obeys them. */
TEST(text__bytes_of_no_character_and_controls__replaced)
{
    static const char *const rows[][2] = {
        {"a\xff"
         "b\xc3",
         "a?b?"},
        {"\x1b[2J\xc2\x9b"
         "2J\n\x7f",
         "?[2J?2J??"},
        {"\xe2\x80\x8f", "?"},
        {"say \"\\\" in Zürich 東京", "say \"\\\" in Zürich 東京"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *text = kw_status_text(rows[i][0]);
        CHECK_STR(json_string_value(text), rows[i][1]);
        json_decref(text);
    }
}

TEST(text__nothing__null)
{
    CHECK(json_is_null(kw_status_text(NULL)));
}

static void *counted_new(size_t size)
{
    return kw_new(size, 1);
}

TEST(document__no_memory_at_each_allocation__none)
{
    static struct kw_config c;
    struct kw_daemon d = daemon_of_two_classes(&c);
    json_set_alloc_funcs(counted_new, kw_free);
    long n = 0;
    char *text = NULL;
    for (; text == NULL; n++) {
        kw_alloc_fail_from(n);
        text = kw_status_document(&d);
        kw_alloc_fail_from(-1);
        CHECK(n < 10000);
    }
    CHECK(n > 100);
    kw_free(text);
}

/* One allocation fails and memory is there again for the next: the document is whole or
 * there is none. */
TEST(document__no_memory_once__whole_or_none)
{
    static struct kw_config c;
    struct kw_daemon d = daemon_of_two_classes(&c);
    json_set_alloc_funcs(counted_new, kw_free);
    char *whole = kw_status_document(&d);
    unsigned none = 0;
    for (long n = 0; n < 1000; n++) {
        kw_alloc_fail_once(n);
        char *text = kw_status_document(&d);
        kw_alloc_fail_from(-1);
        if (text != NULL)
            CHECK_STR(text, whole);
        none += text == NULL;
        kw_free(text);
    }
    CHECK(none > 100);
    kw_free(whole);
}

TEST(document__nothing_asked_for_under_a_version__no_row_and_noughts)
{
    struct kw_config c;
    struct kw_daemon d = daemon_of_two_classes(&c);
    char *text = kw_status_document(&d);
    CHECK(text != NULL);
    CHECK_HAS(text,
              "\"encrypts\":0,\"decrypts\":0,\"refused\":0,\"last_refused\":null}]");
    CHECK_HAS(text, "\"versions\":[],\"on_hsm_loss\"");
    kw_free(text);
}

/* The tool takes no more. */
TEST(document__as_many_as_may_be_of_all_that_is_counted__fits)
{
    static struct kw_config c;
    static struct kw_front_version_status versions[KW_VERSIONS_MAX];
    static struct kw_version_stats most;
    struct kw_daemon d = daemon_of_two_classes(&c);
    char reason[KW_NOTE_MAX];
    most =
        (struct kw_version_stats){.last_refused_wall_ns = INT64_C(1769860800) * KW_S_NS,
                                  .encrypts = UINT32_MAX,
                                  .decrypts_hsm = UINT32_MAX,
                                  .decrypts_joined = UINT32_MAX,
                                  .decrypts_cache = UINT32_MAX,
                                  .refused_ago_ns = INT64_C(100000000) * KW_S_NS};
    for (size_t i = 0; i < KW_HSM_REFUSALS; i++)
        most.refused[i] = UINT32_MAX;
    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    for (size_t i = 0; i < KW_VERSIONS_MAX; i++) {
        versions[i] = version;
        versions[i].n = KW_VERSION_N_MAX;
        versions[i].reason = reason;
    }
    c.class_count = KW_CLASSES_MAX;
    for (size_t i = 0; i < KW_CLASSES_MAX; i++) {
        c.classes[i] = c.classes[0];
        d.class_listeners[i] = d.class_listeners[0];
        counted[i] = &most;
    }
    front_status.versions = versions;
    front_status.version_count = KW_VERSIONS_MAX;
    char *text = kw_status_document(&d);
    CHECK(text != NULL);
    CHECK(strlen(text) < KW_STATUS_MAX);
    kw_free(text);
}

/* In this order; what stands between two of them is not looked at. */
static const char *const released[] = {
    "{\"version\":\"" KW_VERSION
    "\",\"started\":\"2026-01-31T12:00:00.000000Z\",\"pid\":",
    ",\"domain\":\"demo\",\"configuration\":{\"file\":\"/c\",\"rejected\":null,"
    "\"changed\":[\"hsm.recover\",\"classes\"]},\"health\":{\"state\":\"up\","
    "\"code\":\"ok\",\"reason\":"
    "\"\","
    "\"losses\":0},\"active\":{\"n\":0,\"key_id\":null,\"key_id_hash\":null,\"code\":"
    "\"ok\"},"
    "\"keyring\":{\"file\":\"/k\",\"serial\":5,\"sha256\":\"ab\",\"rejected\":null,"
    "\"last_good_refused\":null,\"coming_up\":false,\"unremembered\":null},"
    "\"versions\":[{\"n\":2,\"key_id\":\"kw1-2-aa\",\"key_id_hash\":\"sha256:"
    "d792091c14a982954e667ffbda3a35ee732d0247869acffdd74e082a2a30d63a\","
    "\"activated\":null,\"state\":\"active\","
    "\"origin\":\"made\",\"verdict\":\"key-bad\",\"reason\":\"gone\",\"found\":null,"
    "\"proven\":null,\"encrypts\":3,\"decrypts\":18,\"refused\":35,"
    "\"last_refused\":\"2026-01-31T12:00:00.000000Z\"}],"
    "\"tokens\":[{\"name\":\"t\",\"state\":\"suspect\",\"code\":\"ok\","
    "\"reason\":\"slow\",\"pin_latched\":false,\"out\":true,\"unproven\":3,"
    "\"probe_every_ms\":12500,\"label\":\"l?[2J\","
    "\"serial\":\"s\",\"model\":\"m\",\"firmware\":\"f\",\"library\":\"lib\","
    "\"processes\":{\"by_state\":[{\"state\":\"starting\",\"count\":0},"
    "{\"state\":\"ready\",\"count\":1},",
    "\"sessions\":4,\"hanging\":1},\"since_start\":{\"ops\":[{\"counts\":[5,6,0,",
    ",0],\"sum_us\":7,\"op\":\"wrap\",\"failed\":1},{\"counts\":[",
    "\"errors\":[{\"ckr\":\"CKR_DEVICE_ERROR\",\"count\":8},"
    "{\"ckr\":\"CKR_0x80000001\",\"count\":9},{\"ckr\":\"other\",\"count\":10}],"
    "\"logins\":13,\"workers_started\":11,"
    "\"workers_ended\":[{\"why\":\"left\",\"count\":0},"
    "{\"why\":\"crashed\",\"count\":12},",
    "{\"why\":\"not-ready\",\"count\":0}]}}],"
    "\"pin_latched\":false,"
    "\"quarantine\":[{\"input\":\"0123456789abcdef\","
    "\"since\":\"2026-01-31T12:00:00.000000Z\","
    "\"until\":\"2026-01-31T12:10:00.000000Z\"}],"
    "\"workers\":[{\"token\":\"t\",\"pid\":42,\"state\":\"ready\",\"sessions\":4,"
    "\"hanging\":1,\"served\":43}],"
    "\"jobs\":{\"queued\":1,\"sent\":2,\"total\":3,\"requeued\":0,\"late_answers\":0,"
    "\"workers_started\":0,\"workers_died\":0,\"workers_killed\":0},"
    "\"classes\":[{\"name\":\"secrets\",\"scope\":\"s\",\"socket\":\"/s\","
    "\"status_calls\":1,\"encrypt_calls\":2,\"decrypt_calls\":3,\"failed_calls\":1,"
    "\"calls\":[{\"method\":\"status\",\"code\":\"ok\",\"grpc\":\"OK\",\"count\":1},"
    "{\"method\":\"encrypt\",\"code\":\"ok\",\"grpc\":\"OK\",\"count\":1},"
    "{\"method\":\"encrypt\",\"code\":\"hsm-down\",\"grpc\":\"Unavailable\","
    "\"count\":1},"
    "{\"method\":\"decrypt\",\"code\":\"ok\",\"grpc\":\"OK\",\"count\":3}],"
    "\"latency\":[{\"counts\":[0,",
    "],\"sum_us\":0,\"method\":\"status\"},{\"counts\":[0,2,0,",
    "],\"sum_us\":3,\"method\":\"encrypt\"},{\"counts\":[",
    "],\"sum_us\":0,\"method\":\"decrypt\"}],"
    "\"joined\":7,\"refused_unknown_key\":16,\"versions\":[{\"n\":2,\"encrypts\":1,"
    "\"decrypts_hsm\":2,\"decrypts_joined\":3,\"decrypts_cache\":4,"
    "\"refused_created\":5,\"refused_disabled\":6,\"refused_destroyed\":7,"
    "\"refused_unknown\":8,\"refused_key_bad\":9,"
    "\"last_refused\":\"2026-01-31T12:00:00.000000Z\",\"refused_ago_s\":59}],"
    "\"on_hsm_loss\":\"fail-closed\",\"status\":\"ok\",\"cache\":{\"entries\":13,"
    "\"capacity\":14,"
    "\"hits\":8,\"misses\":9,"
    "\"evicted\":10,\"expired\":11,\"wiped\":12},\"connections\":{\"open\":7,"
    "\"waiting\":8,\"accepted\":1,\"handed_over\":2,\"refused_peer\":3,"
    "\"refused_limit\":4,\"refused_preface\":5,\"refused_adopt\":6,\"ended\":9}},",
    "\"joined\":8,\"refused_unknown_key\":16,\"versions\":[{\"n\":2,\"encrypts\":2,",
    "\"refused_key_bad\":0,\"last_refused\":null,\"refused_ago_s\":null}],",
    "\"outage_budget_ms\":15}],\"rpc\":{\"open\":6,\"open_max\":7,\"calls\":1,"
    "\"refused_busy\":2,\"malformed\":4,\"unimplemented\":3,\"cancelled\":5},"
    "\"locked_memory\":{\"backend\":",
};

TEST(document__all_parts__members_as_released)
{
    static struct kw_config c;
    struct kw_daemon d = daemon_of_two_classes(&c);
    static const struct kw_version_stats never = {.encrypts = 2, .decrypts_hsm = 9};
    counted[0] = &some;
    counted[1] = &never;
    char *text = kw_status_document(&d);
    CHECK(text != NULL);
    const char *at = text;
    for (size_t i = 0; i < sizeof released / sizeof released[0]; i++) {
        const char *found = strstr(at, released[i]);
        if (found == NULL)
            print_error("%s\nis not in\n%s\n", released[i], at);
        CHECK(found != NULL);
        at = found + strlen(released[i]);
    }
    kw_free(text);
}

KW_CASES("provider/daemon/status_document",
         CASE(text__bytes_of_no_character_and_controls__replaced),
         CASE(text__nothing__null), CASE(document__no_memory_at_each_allocation__none),
         CASE(document__no_memory_once__whole_or_none),
         CASE(document__nothing_asked_for_under_a_version__no_row_and_noughts),
         CASE(document__as_many_as_may_be_of_all_that_is_counted__fits),
         CASE(document__all_parts__members_as_released))
