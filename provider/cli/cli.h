/* SPDX-License-Identifier: Apache-2.0 */
/* cli - what every verb of the operator's tool shares: options, words, exit codes
 *
 * A verb reads its options with kw_cli_read, does its work, and says the outcome once:
 * words for people, or with --json one document on standard output.  Whatever fails is
 * said through kw_fail, which names the thing and gives the exit code.
 */
#ifndef KEYWARD_CLI_CLI_H
#define KEYWARD_CLI_CLI_H

#include <jansson.h>

#include <keyward/args.h>

#define KW_CONFIG_DEFAULT "/etc/keyward/keyward.yaml"

enum kw_exit {
    KW_EXIT_GOOD = 0,
    KW_EXIT_PROBLEM = 1, /* looked, and found something wrong; or refused */
    KW_EXIT_USAGE = 2,
    KW_EXIT_BLIND = 3, /* could not look */
};

struct kw_cli {
    const char *config; /* path of the configuration */
    bool json;
    bool colour;
    const char *operand[2];
};

struct kw_usage {
    const char *verb;      /* "key create"                              */
    const char *operands;  /* "N", "" ; as the help shows them          */
    size_t operand_count;  /* as many are wanted                        */
    struct kw_words *rest; /* where further ones go; NULL: there are none */
    const char *summary;
    const char *config; /* what --config is to it, or NULL: it is read     */
    const char *more;   /* further lines of the help, or NULL              */
    const char *exits;  /* what its exit status means, or NULL: what every verb's does */
    const struct kw_option *options;
    size_t option_count;
    bool logs_in; /* it may log in to a token: --unit is its option, too */
};

/* Reads argv[1..] (argv[0] is the verb's own word): --help, --json and --config are every
 * verb's.  -1 to go on, else the exit code: 0 after --help, 2 for wrong usage. */
int kw_cli_read(const struct kw_usage *usage, int argc, char **argv,
                struct kw_cli *ret_cli);

#define KW_CLI_CONFIG_MAX (4u * KW_PATH_MAX + 16u)
/* " --config FILE" for a command that is printed, quoted where a shell wants it; "" when
 * it is the default one. */
void kw_cli_config(const struct kw_cli *cli, char *dst, size_t cap);

/* The operand N: 1..KW_VERSION_N_MAX in plain digits.  -1 to go on, else the exit
 * code. */
int kw_cli_version_n(const char *verb, const char *text, uint32_t *ret_n);

/* "keyward: <what>; try keyward <verb> --help" on standard error; gives KW_EXIT_USAGE. */
int kw_usage_error(const char *verb, const char *fmt, ...) KW_PRINTF(2, 3);

/* Says why and gives the exit code: BLIND when the thing could not be looked at,
 * PROBLEM for everything else.  With --json the document is {"ok": false, …}. */
int kw_fail(const struct kw_cli *cli, kw_err e, const struct kw_note *note);
/* The same with a way out (commands, one a line; in the document "next"), and with one
 * more member in the document, which is given up. */
int kw_fail_with(const struct kw_cli *cli, kw_err e, const struct kw_note *note,
                 const char *next, const char *member, json_t *value);
/* The same for a refusal of the tool's own. */
int kw_refuse(const struct kw_cli *cli, const char *fmt, ...) KW_PRINTF(2, 3);
/* A refusal and its way out, commands one a line; in the document they are "next". */
int kw_refuse_next(const struct kw_cli *cli, const char *text, const char *next);
/* The end of a verb that did its work.  Words: `next`, the commands that come next one a
 * line, on standard output.  --json: `document` with them as "next".  Takes the document;
 * NULL is out of memory.  `next` may be "". */
int kw_done(const struct kw_cli *cli, json_t *document, const char *next,
            enum kw_exit code);
/* The lines of a way out as an array. */
json_t *kw_next_json(const char *next);
enum kw_exit kw_exit_for(enum kw_code code);
/* What the native code is called: a CK_RV for a call of PKCS#11 ("C_…"), else an errno;
 * "" when there is none. */
void kw_native_name(kw_err e, char dst[64]);

/* Prints and gives back the document (NULL: out of memory, said so). */
int kw_json_out(json_t *document, enum kw_exit code);

/* Escape sequences on a terminal, "" elsewhere. */
enum kw_tint { KW_TINT_OFF, KW_TINT_GOOD, KW_TINT_WARN, KW_TINT_BAD, KW_TINT_DIM };
const char *kw_tint(const struct kw_cli *cli, enum kw_tint tint);

/* The verbs, one a file. */
typedef int kw_verb_run(int argc, char **argv);
kw_verb_run kw_verb_init, kw_verb_create, kw_verb_list, kw_verb_show, kw_verb_accept,
    kw_verb_activate, kw_verb_retire, kw_verb_disable, kw_verb_enable, kw_verb_destroy,
    kw_verb_prune, kw_verb_prove, kw_verb_check, kw_verb_probe, kw_verb_status,
    kw_verb_pin_retry, kw_verb_quarantine_clear, kw_verb_trust, kw_verb_compare,
    kw_verb_state_create, kw_verb_audit_verify, kw_verb_audit_show,
    kw_verb_audit_key_create, kw_verb_etcd_audit, kw_verb_evidence,
    kw_verb_evidence_collect, kw_verb_evidence_sign, kw_verb_support;

#endif
