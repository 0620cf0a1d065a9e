/* SPDX-License-Identifier: Apache-2.0 */
/* What keywardd may be told on its command line. */
#include "daemon_internal.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
    "usage: keywardd [--config FILE] [--worker FILE]\n"
    "       keywardd --check-config FILE | --print-config FILE | --describe-config\n"
    "       keywardd --help | --version\n"
    "\n"
    "Wraps and unwraps kube-apiserver's seeds (Kubernetes KMS v2) with a key that stays\n"
    "in a PKCS#11 token.  Runs in the foreground as an unprivileged user; logs to "
    "stderr.\n"
    "\n"
    "  --config FILE         configuration (default /etc/keyward/keyward.yaml)\n"
    "  --worker FILE         the program keyward-hsm (default: beside keywardd, else\n"
    "                        " KW_LIBEXECDIR "/keyward-hsm)\n"
    "  --check-config FILE   checks what the file says and where it is wrong (whose it\n"
    "                        is, keyward check and the start look at)\n"
    "  --print-config FILE   prints the effective values, defaults marked\n"
    "  --describe-config     prints every key with its range, default and meaning\n"
    "\n"
    "SIGHUP loads the keyring again, says whether the configuration is good and what in\n"
    "it wants a restart, and ends the audit log's file: the next one begins.  SIGUSR1\n"
    "wipes the caches, SIGUSR2 lifts the quarantine of ciphertexts that cost workers,\n"
    "SIGTERM ends.\n"
    "Exit status: 0 after SIGTERM or a good check, 1 when it cannot start or the check\n"
    "found something, 2 for wrong usage.\n";

enum { CHECK = 256, PRINT, DESCRIBE };
static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"worker", required_argument, NULL, 'w'},
    {"check-config", required_argument, NULL, CHECK},
    {"print-config", required_argument, NULL, PRINT},
    {"describe-config", no_argument, NULL, DESCRIBE},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static struct kw_arguments enough(int status)
{
    return (struct kw_arguments){.what = KW_ENOUGH, .status = status};
}

struct kw_arguments kw_arguments_read(int argc, char **argv)
{
    struct kw_arguments args = {.config = "/etc/keyward/keyward.yaml", .what = KW_RUN};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'c': args.config = optarg; break;
        case 'w': args.worker = optarg; break;
        case CHECK:
        case PRINT:
            args.config = optarg;
            args.what = c == CHECK ? KW_CHECK_CONFIG : KW_PRINT_CONFIG;
            break;
        case DESCRIBE: args.what = KW_DESCRIBE_CONFIG; break;
        case 'h': fputs(usage, stdout); return enough(0);
        case 'V': puts("keywardd " KW_VERSION); return enough(0);
        default: fputs(usage, stderr); return enough(2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "keywardd: unexpected argument '%s'\n%s", argv[optind], usage);
        return enough(2);
    }
    return args;
}
