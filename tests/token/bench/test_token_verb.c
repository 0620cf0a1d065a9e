/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench token on a token of the test's own, behind the fault module, which is honest
 * until told otherwise: what it does not do, every way out, what it counts, what it cleans. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "token_fixture.h"
#include "run.h"

static struct fixture f;
static struct kw_run r;
static unsigned logins; /* before the first run */

/* f.token has a KEK; it is closed, so that the token is the program's alone. */
static void begin(void)
{
    fixture_begin(&f, "");
    kw_token_close(f.token);
    f.token = NULL;
    f.key = NULL;
    logins = kw_fault_count(&f.hsm, "C_Login");
}

static const char *const *words_of(const char *const more[])
{
    static const char *words[40];
    const char *const first[] = {KEYWARD_BENCH, "token",          "--module",
                                 f.hsm.module,  "--uri",          f.hsm.uri,
                                 "--pin",       f.hsm.pin_source, NULL};
    size_t n = 0;
    for (size_t i = 0; first[i] != NULL; i++)
        words[n++] = first[i];
    for (size_t i = 0; more[i] != NULL; i++) {
        CHECK(n < sizeof words / sizeof words[0] - 1);
        words[n++] = more[i];
    }
    words[n] = NULL;
    return words;
}

/* Runs it with the token's own options and these; the exit status must be `want`. */
static void bench_run(int want, const char *const more[])
{
    kw_run(&r, words_of(more));
    if (r.status != want)
        fail_msg("exit status %d, not %d\n%s%s", r.status, want, r.out, r.err);
}
#define BENCH(want, ...) bench_run((want), (const char *const[]){__VA_ARGS__, NULL})
#define FIVE "--calls", "5", "--warmup", "0s", "--json"

/* The number after "name": in a document. */
static double number_of(const char *document, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(document, key);
    CHECK(at != NULL);
    return strtod(at + strlen(key), NULL);
}

/* Ends it; so many throw-away keys must be on the token. */
static void end(size_t leftovers)
{
    static struct kw_listed_key all[16];
    size_t count = 0;
    kw_fault_set(&f.hsm, "");
    kw_token_close(f.token);
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_OK(kw_token_leftovers(f.token, all, 16, &count, &f.note));
    CHECK(count == leftovers);
    fixture_end(&f);
    kw_arena_close();
}

/* ---- a token that is another, or fails ----------------------------------------------- */

static const struct trouble {
    const char *control;
    int status;
    const char *said[3], *words[9];
    size_t leftovers;
} troubles[] = {
    {"othermaker\n", 3, {"no SoftHSM", "--yes"}, {"--seconds=1h"}, 0},
    {"ivmode=3\n", 3, {"makes its own IV"}, {"--seconds=1h"}, 0},
    {"C_CopyObject rv=0x13\n", 3, {"--key session"}, {"--key=copy", "--seconds=1h"}, 0},
    {"C_Decrypt crash skip=20\n",
     3,
     {"died of signal 6"},
     {"--max-rate=200", "--seconds=1h", "--processes=2", "--warmup=1m"},
     0},
    {"C_Decrypt rv=0x30 skip=20\n",
     1,
     {"the token failed while it was measured", "\"partial\": true"},
     {"--max-rate=200", "--seconds=1h", "--warmup=0s", "--json"},
     0},
    {"C_Decrypt delay=3 skip=20\n",
     3,
     {"\"fault\": \"stopped: ", "\"partial\": true"},
     {"--seconds=1h", "--warmup=0s", "--stop-p99=1ms", "--json"},
     0},
    {"C_Decrypt flip skip=20\n", /* after the self-test: twenty are honest */
     1,
     {"\"wrong\": 10"},
     {"--calls=30", "--warmup=0s", "--json"},
     0},
    {"C_DestroyObject rv=0x6 skip=1\n", /* the self-test's */
     1,
     {"could not be destroyed", "--clean"},
     {"--calls=5", "--warmup=0s", "--json"},
     1},
    {"C_DestroyObject crash skip=1\n",
     1,
     {"the process that keeps the key died", "--clean", "\"good\": 5"},
     {"--calls=5", "--warmup=0s", "--json"},
     1},
};

TEST(trouble__told_and_no_key_left_that_could_go)
{
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        const struct trouble *t = &troubles[i];
        begin();
        kw_fault_set(&f.hsm, t->control);
        bench_run(t->status, t->words);
        for (size_t k = 0; k < 3 && t->said[k] != NULL; k++)
            CHECK_HAS(r.out[0] != '\0' ? r.out : r.err, t->said[k]);
        if (t->status == 3 && r.out[0] != '\0')
            CHECK(number_of(r.out, "good") > 0); /* what was measured is kept */
        CHECK(i != 0 || kw_fault_count(&f.hsm, "C_Login") == logins);
        end(t->leftovers);
    }
}

TEST(wrong_pin__one_login_and_no_more)
{
    begin();
    kw_softhsm_write_pin(&f.hsm, "not the PIN of it");
    BENCH(3, "--processes", "4", "--seconds", "1h");
    CHECK_HAS(r.err, "CKR_PIN_INCORRECT");
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 1);
    fixture_end(&f);
}

TEST(dry_run_or_keyring_not_understood__module_not_loaded)
{
    char path[160];
    begin();
    unsigned starts = kw_fault_count(&f.hsm, "C_Initialize");
    snprintf(path, sizeof path, "%s/keyring.json", f.hsm.dir);
    BENCH(3, "--keyring", path);
    CHECK_HAS(r.err, path);
    kw_softhsm_write_pin(&f.hsm, "{}");
    BENCH(3, "--keyring", f.hsm.pin_path);
    BENCH(0, "--dry-run", "--curve", "1,2,4", "--json");
    CHECK(kw_fault_count(&f.hsm, "C_Initialize") == starts);
    fixture_end(&f);
}

/* ---- ended from outside --------------------------------------------------------------- */

/* Started in a process group of its own; ended when it tells the key, alone or with all that
 * it started, as a terminal does it.  What it says ends when the last of its processes has. */
static void signalled(bool group, int number, int want)
{
    const char *const *words;
    int said[2], status = 0;
    begin();
    words = words_of((const char *const[]){"--max-rate=200", "--seconds=1h", NULL});
    CHECK(pipe2(said, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (setpgid(0, 0) == 0 && dup2(said[1], 1) == 1 && dup2(said[1], 2) == 2)
            execv(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    FILE *all = fdopen(said[0], "r");
    CHECK(pid > 0 && close(said[1]) == 0 && all != NULL);
    while (strstr(r.err, "measuring with the key") == NULL)
        if (fgets(r.err, sizeof r.err, all) == NULL)
            fail_msg("it ended before it measured: %s", r.err);
    r.err[0] = '\0';
    CHECK(kill(group ? -pid : pid, number) == 0);
    r.out[fread(r.out, 1, sizeof r.out - 1, all)] = '\0';
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    CHECK(fclose(all) == 0);
    CHECK((WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)) == want);
    /* The outcome, as a table or a document. */
    CHECK((strstr(r.out, "unwrap") != NULL) == (want == 3));
    end(0);
}

TEST(signalled__partial_or_nothing_and_key_destroyed)
{
    signalled(true, SIGINT, 3);
    signalled(false, SIGTERM, 3);
    signalled(false, SIGKILL, 128 + SIGKILL);
}

/* ---- what it does, counted at the module ---------------------------------------------- */

TEST(shape__processes_threads_sessions__the_sum_of_all)
{
    begin();
    unsigned sessions = kw_fault_count(&f.hsm, "C_OpenSession");
    kw_fault_set(&f.hsm, "othermaker\n");
    BENCH(0, "--op", "random", "--processes", "2", "--threads", "2", "--sessions", "3",
          "--max-rate", "400", "--calls", "61", "--warmup", "0s", "--json", "--yes");
    CHECK_HAS(r.out, "\"softhsm\": false");
    CHECK(number_of(r.out, "good") == 61);
    CHECK(kw_fault_count(&f.hsm, "C_GenerateRandom") == 61);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 2 + 1);
    CHECK(kw_fault_count(&f.hsm, "C_OpenSession") == sessions + 2 * 2 * 3 + 1);
    CHECK(number_of(r.out, "wrong") == 0 && number_of(r.out, "cpu_us") > 0);
    CHECK_HAS(r.out, "\"partial\": false");
    BENCH(0, "--op", "random", "--max-rate", "100", "--ramp", "500ms", "--calls", "5",
          "--warmup", "500ms", "--json", "--yes");
    CHECK(number_of(r.out, "good") == 5); /* the warm-up's are not counted */
    CHECK(kw_fault_count(&f.hsm, "C_GenerateRandom") > 61 + 5);
    end(0);
}

TEST(curve__two_points__each_with_its_sessions)
{
    begin();
    unsigned keys = kw_fault_count(&f.hsm, "C_GenerateKey");
    BENCH(0, "--curve", "1,3", "--max-rate", "300", "--calls", "12", "--warmup", "0s",
          "--json");
    const char *curve = strstr(r.out, "\"curve\": [\n    {");
    CHECK(curve != NULL);
    CHECK_HAS(curve, "\"sessions\": 1");
    CHECK_HAS(curve, "\"sessions\": 3");
    CHECK(number_of(curve, "ops_per_s") > 0);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 1 + 1 + 3);
    /* The self-test's, and ours. */
    CHECK(kw_fault_count(&f.hsm, "C_GenerateKey") == keys + 2);
    end(0);
}

TEST(every_operation_and_place__no_key_left)
{
    static const char *const rows[][3] = {{"--op=unwrap"},
                                          {"--op=wrap"},
                                          {"--op=find"},
                                          {"--op=session"},
                                          {"--op=random"},
                                          {"--key=session", "--threads=2"},
                                          {"--key=copy", "--threads=2"},
                                          {"--op=login"}};
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        logins = kw_fault_count(&f.hsm, "C_Login");
        BENCH(0, FIVE, rows[i][0], rows[i][1]);
        CHECK(number_of(r.out, "good") == 5 && number_of(r.out, "wrong") == 0);
    }
    /* Of a login each is one at the module, and a logout. */
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 2 + 5);
    CHECK(kw_fault_count(&f.hsm, "C_Logout") == 5);
    CHECK_HAS(r.out, "\"label\": \"keyward-test\"");
    end(0);
}

/* ---- --clean: what a crash left behind goes, and nothing else ------------------------- */

#define LEFT_A "kw-bench-00000000000000000000000a"
#define LEFT_B "kw-bench-00000000000000000000000b"
#define RELABELLED "kw-bench-00000000000000000000000c"

static struct kw_version version;
static char keyring[160];

/* Two leftovers, a key that only looks like one, and one that bears such a label and is a
 * keyring's all the same. */
static void begin_with_leftovers(void)
{
    char locator[KW_LOCATOR_MAX + 1] = "";
    begin();
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_WRITE);
    kw_softhsm_version(f.token, "test", 1, KW_KEY_ACTIVE, &version);
    (void)raw_key(f.token, LEFT_A, "1", false);
    (void)raw_key(f.token, LEFT_B, "", false);
    (void)raw_key(f.token, "kw-benchmark", "2", false);
    kw_copy(locator, sizeof locator - 1, kw_span_str(LOCATOR));
    (void)raw_key(f.token, RELABELLED, locator, false);
    kw_token_close(f.token);
    f.token = NULL;
    version.objects[0].locator_len = sizeof LOCATOR - 1;
    kw_copy(version.objects[0].locator, sizeof version.objects[0].locator,
            kw_span_str(LOCATOR));
    snprintf(keyring, sizeof keyring, "%s/keyring.json", f.hsm.dir);
    kw_softhsm_keyring(keyring, "test", &version, 1);
}

TEST(clean__told_why_not_or_listed_then_destroyed_and_no_other)
{
    static const char *const others[] = {"kw-benchmark", KEK, RELABELLED, version.key_id};
    struct kw_token_key *key = NULL;
    begin_with_leftovers();
    kw_fault_set(&f.hsm, "othermaker\n");
    BENCH(3, "--clean", "--keyring", keyring);
    CHECK_HAS(r.err, "--yes");
    BENCH(0, "--clean", "--dry-run", "--keyring", keyring);
    CHECK_HAS(r.out, "this is a dry run");
    CHECK(strstr(r.out, "kw-benchmark") == NULL);
    kw_fault_set(&f.hsm, "C_DestroyObject rv=0x6\n");
    BENCH(3, "--clean", "--keyring", keyring, "--json");
    CHECK_HAS(r.err, "could not be destroyed");
    CHECK_HAS(r.out, "\"destroyed\": false");
    CHECK(strstr(r.out, "\"destroyed\": true") == NULL);
    kw_fault_set(&f.hsm, "");
    BENCH(0, "--keyring", keyring, FIVE); /* measuring leaves them alone */
    CHECK(number_of(r.out, "keys") == 1);
    BENCH(0, "--clean", "--keyring", keyring);
    CHECK_HAS(r.out, "3 keys");         /* all are there still */
    CHECK_HAS(r.out, "  " LEFT_A "\n"); /* before any is destroyed */
    CHECK_HAS(r.out, "  " LEFT_B "\n");
    CHECK_HAS(r.out, LEFT_A ": destroyed\n");
    CHECK_HAS(r.out, RELABELLED " has the locator of version 1");
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_ONLY);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK_OK(kw_token_find(f.token, others[i], (kw_span){0}, &key, &f.note));
    end(1);
}

KW_CASES("bench", CASE(trouble__told_and_no_key_left_that_could_go),
         CASE(wrong_pin__one_login_and_no_more),
         CASE(dry_run_or_keyring_not_understood__module_not_loaded),
         CASE(signalled__partial_or_nothing_and_key_destroyed),
         CASE(clean__told_why_not_or_listed_then_destroyed_and_no_other),
         CASE(shape__processes_threads_sessions__the_sum_of_all),
         CASE(curve__two_points__each_with_its_sessions),
         CASE(every_operation_and_place__no_key_left))
