/* SPDX-License-Identifier: Apache-2.0 */
/* operator_log - what this tool does goes on record before it is done, and what came of it after
 *
 * The log operator.jsonl lies in the folder of the configuration's audit.dir, else in the state
 * directory, and is the daemon's user's; docs/FORMATS.md, section 7, has its format.  An act whose `begun` is followed
 * by no outcome was broken off.
 *
 *   struct kw_operator_act act = {&cli, config, "key-accept", key_id, ticket};
 *   int code = kw_operator_begin(&act);
 *   if (code >= 0)
 *       return code;
 *   kw_err e = … the act …;
 *   kw_operator_end(&act, e);
 *   return kw_operator_code(&act, … the verb's exit code …);
 *
 * Threads:   as child.h.
 * Blocking:  on the disk, and up to five seconds on another tool that is writing there.
 */
#ifndef KEYWARD_CLI_OPERATOR_LOG_H
#define KEYWARD_CLI_OPERATOR_LOG_H

#include <keyward/config.h>

#include "cli.h"

struct kw_operator_act {
    const struct kw_cli *cli;
    const struct kw_config *config;
    const char *act;    /* a word: "key-create"                       */
    const char *key_id; /* NULL: it is of none                        */
    const char *ticket; /* what --ticket said; NULL: nothing          */
    bool is_unnoted;    /* its outcome could not be put on record     */
};

/* The option of each verb that acts, for its table of options. */
#define KW_OPERATOR_TICKET(place)                                                        \
    {                                                                                    \
        "ticket", "TEXT",                                                                \
            "why: the number of a change, or a few words; on record with it",            \
            .text = (place)                                                              \
    }
/* Is it 1 to 64 printable characters of ASCII, without " and \ (NULL is)?  -1 to go on, else
 * the exit code, and it has said why. */
int kw_operator_ticket(const char *verb, const char *ticket);

/* Puts on record that the act begins; it is on the disk then.  -1 to go on, else the exit code:
 * it has said which file could not be written, why, and the way out. */
int kw_operator_begin(const struct kw_operator_act *act);

/* Puts on record that it was done, or that it failed with `e` (a file that is written and not
 * yet durable is done).  What cannot be put on record is said on standard error. */
void kw_operator_end(struct kw_operator_act *act, kw_err e);
/* The verb's exit code; BLIND in the place of GOOD when the outcome is not on record. */
int kw_operator_code(const struct kw_operator_act *act, int code);

#endif
