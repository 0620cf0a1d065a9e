/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of keywardd, and what it prints of itself. */
#include "check.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon_internal.h"

enum { WORDS_MAX = 6, TEXT_MAX = 4096 };

struct answer {
    struct kw_arguments args;
    char out[TEXT_MAX], err[TEXT_MAX];
};

/* One of our standard streams, led into memory for a while. */
struct diversion {
    FILE *stream;
    int memory, before;
};

static struct diversion divert(FILE *stream)
{
    struct diversion d = {stream, memfd_create("said", MFD_CLOEXEC), -1};
    CHECK(fflush(stream) == 0);
    d.before = dup(fileno(stream));
    CHECK(d.memory >= 0 && d.before >= 0);
    CHECK(dup2(d.memory, fileno(stream)) >= 0);
    return d;
}

static void divert_end(const struct diversion *d, char text[TEXT_MAX])
{
    CHECK(fflush(d->stream) == 0);
    CHECK(dup2(d->before, fileno(d->stream)) >= 0);
    ssize_t n = pread(d->memory, text, TEXT_MAX - 1, 0);
    CHECK(n >= 0);
    text[n] = '\0';
    close(d->memory);
    close(d->before);
}

static void ask(struct answer *a, const char *const words[WORDS_MAX])
{
    static char storage[WORDS_MAX][64];
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;
    for (; argc < WORDS_MAX && words[argc] != NULL; argc++) {
        CHECK(kw_copy_str(storage[argc], sizeof storage[argc], kw_span_str(words[argc])));
        argv[argc] = storage[argc];
    }
    struct diversion out = divert(stdout), err = divert(stderr);
    optind = 0; /* a first look again, getopt(3) */
    a->args = kw_arguments_read(argc, argv);
    divert_end(&err, a->err);
    divert_end(&out, a->out);
}
#define ASK(a, ...) ask((a), (const char *const[WORDS_MAX]){"keywardd", __VA_ARGS__})

TEST(wrong_usage__two_the_culprit_and_the_usage)
{
    static const char *const rows[][WORDS_MAX] = {
        {"keywardd", "--nonsense", NULL},
        {"keywardd", "-c", NULL},
        {"keywardd", "--config", NULL},
        {"keywardd", "--worker", NULL},
        {"keywardd", "--check-config", NULL},
        {"keywardd", "--print-config", NULL},
        {"keywardd", "--describe-config=keys", NULL},
        {"keywardd", "--help=all", NULL},
        {"keywardd", "--version=1", NULL},
        {"keywardd", "stray", NULL},
        {"keywardd", "--config", "/a", "stray", NULL},
        {"keywardd", "", NULL},
    };
    static const char *const culprits[] = {
        "'--nonsense'",        "'c'",
        "'--config'",          "'--worker'",
        "'--check-config'",    "'--print-config'",
        "'--describe-config'", "'--help'",
        "'--version'",         "argument 'stray'",
        "argument 'stray'",    "argument ''",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer a;
        ask(&a, rows[i]);
        assert_int_equal(a.args.what, KW_ENOUGH);
        assert_int_equal(a.args.status, 2);
        CHECK_HAS(a.err, culprits[i]);
        CHECK_HAS(a.err, "usage: keywardd [--config FILE]");
        CHECK_STR(a.out, "");
    }
}

/* What was asked for first is not done when the rest is wrong. */
TEST(wrong_usage_behind_an_option__two)
{
    struct answer a;
    ASK(&a, "--describe-config", "--nonsense");
    assert_int_equal(a.args.what, KW_ENOUGH);
    assert_int_equal(a.args.status, 2);
}

TEST(help__zero_and_every_option_on_stdout)
{
    static const char *const said[] = {
        "usage: keywardd",
        "--config FILE",
        "--worker FILE",
        "--check-config FILE",
        "--print-config FILE",
        "--describe-config",
        "--help | --version",
        "/etc/keyward/keyward.yaml",
        KW_LIBEXECDIR,
        "SIGHUP loads the keyring again, says whether the configuration is good",
        "ends the audit log's file",
        "SIGUSR1",
        "SIGUSR2",
        "SIGTERM",
        "Exit status: 0",
    };
    struct answer a;
    ASK(&a, "--help");
    assert_int_equal(a.args.what, KW_ENOUGH);
    assert_int_equal(a.args.status, 0);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        CHECK_HAS(a.out, said[i]);
    CHECK_STR(a.err, "");
}

TEST(version__zero_and_one_line)
{
    struct answer a;
    ASK(&a, "--version");
    assert_int_equal(a.args.what, KW_ENOUGH);
    assert_int_equal(a.args.status, 0);
    CHECK_STR(a.out, "keywardd " KW_VERSION "\n");
    CHECK_STR(a.err, "");
}

static void check_args(const struct answer *a, int what, const char *config,
                       const char *worker)
{
    assert_int_equal(a->args.what, what);
    CHECK_STR(a->args.config, config);
    if (worker == NULL)
        CHECK(a->args.worker == NULL);
    else
        CHECK_STR(a->args.worker, worker);
    CHECK_STR(a->out, "");
    CHECK_STR(a->err, "");
}

TEST(no_option__runs_with_the_defaults)
{
    struct answer a;
    ASK(&a, NULL);
    check_args(&a, KW_RUN, "/etc/keyward/keyward.yaml", NULL);
}

TEST(config_and_worker__run_with_them)
{
    struct answer a;
    ASK(&a, "--config", "/a/b.yaml", "--worker=/w");
    check_args(&a, KW_RUN, "/a/b.yaml", "/w");
}

TEST(check_print_describe__what_and_of_which_file)
{
    struct answer a;
    ASK(&a, "--check-config", "/c.yaml");
    check_args(&a, KW_CHECK_CONFIG, "/c.yaml", NULL);
    ASK(&a, "--print-config=/p.yaml");
    check_args(&a, KW_PRINT_CONFIG, "/p.yaml", NULL);
    ASK(&a, "--describe-config");
    check_args(&a, KW_DESCRIBE_CONFIG, "/etc/keyward/keyward.yaml", NULL);
}

KW_CASES("provider/daemon/arguments", CASE(wrong_usage__two_the_culprit_and_the_usage),
         CASE(wrong_usage_behind_an_option__two),
         CASE(help__zero_and_every_option_on_stdout), CASE(version__zero_and_one_line),
         CASE(no_option__runs_with_the_defaults), CASE(config_and_worker__run_with_them),
         CASE(check_print_describe__what_and_of_which_file))
