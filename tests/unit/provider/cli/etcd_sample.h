/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_sample - etcd's files in a folder of the test's own, for the program to look at */
#ifndef KEYWARD_TESTS_CLI_ETCD_SAMPLE_H
#define KEYWARD_TESTS_CLI_ETCD_SAMPLE_H

#include "bolt.h"
#include "run.h"

void sample_begin(void); /* a fresh folder */
void sample_end(void);   /* with all that lies in it */
/* "<folder>/<name>"; good for the next seven calls, too. */
const char *sample_at(const char *name);
/* With the folders above it. */
void sample_write(const char *name, kw_span bytes);
void sample_text(const char *name, const char *text);

/* A backend file: the entries of its bucket `key`, and of a freed leaf. */
void sample_db(const char *name, const struct bolt_item *items, uint16_t count,
               const struct bolt_item *freed, uint16_t freed_count);
/* Items of it.  Revisions count up. */
struct bolt_item sample_put(const char *key, const char *value);
/* One entry, which is not encrypted where `value` says so. */
void sample_secret(const char *name, const char *value);
/* A log of one put. */
void sample_log(const char *name, const char *key, const char *value);

#define SAMPLE_PLAIN "{\"kind\":\"Secret\"}"
#define SAMPLE_SEALED "k8s:enc:kms:v2:demo:\x0a\x01x\x12\x02k1\x1a\x02s1"

/* keyward etcd audit … */
extern struct kw_run audited;
#define AUDIT(...)                                                                       \
    kw_run(&audited, (const char *const[]){KEYWARD, "etcd", "audit", __VA_ARGS__, NULL})
/* The same behind words of a shell, such as "exec \"$@\" >/dev/full". */
#define AUDIT_BY(script, ...)                                                            \
    kw_run(&audited, (const char *const[]){"/bin/sh", "-c", script, "sh", KEYWARD,       \
                                           "etcd", "audit", __VA_ARGS__, NULL})

#endif
