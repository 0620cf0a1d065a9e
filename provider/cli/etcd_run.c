/* SPDX-License-Identifier: Apache-2.0 */
/* The audit, between what is read and what is written of it. */
#include "etcd_run.h"

#include <errno.h>
#include <sys/resource.h>

#include <keyward/alloc.h>
#include <keyward/etcd_policy.h>

#include "etcd_inputs.h"

struct etcd_running {
    const struct kw_etcd_run *run;
    struct kw_etcd_policy policy;
    kw_span *names; /* of keys and providers whose names may hold a colon */
    size_t name_count;
    struct kw_etcd_report report;
};

static kw_err etcd_run_no_memory(struct kw_note *note)
{
    kw_note_set(note, "out of memory");
    return kw_err_at(KW_CODE_NO_MEMORY, "etcd audit");
}

static kw_err etcd_run_unwritten(struct kw_note *note)
{
    const int saved = errno;
    kw_note_set(note, "the report could not be written");
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "report");
}

/* ---- while it runs ---- */

static const char *etcd_run_judge(void *self, const struct kw_etcd_key *key,
                                  const struct kw_stored *stored)
{
    const struct etcd_running *r = self;
    return kw_etcd_policy_judge(&r->policy, key, stored);
}

static kw_err etcd_run_found(void *self, const struct kw_etcd_found *found)
{
    struct etcd_running *r = self;
    r->run->format->object(&r->report, found);
    r->report.objects++;
    return ferror(r->report.out) == 0
               ? KW_OK
               : kw_err_native(KW_CODE_IO, (uint32_t)errno, "report");
}

static kw_err etcd_run_sealed(void *self, kw_span key, const struct kw_stored *stored,
                              const struct kw_etcd_row *row)
{
    const struct etcd_running *r = self;
    return kw_restore_take(r->run->restore, key, stored, row);
}

static void etcd_run_progress(void *self, unsigned thousandths)
{
    const struct etcd_running *r = self;
    if (r->run->progress != NULL)
        r->run->progress(r->run->self, thousandths);
}

static kw_err etcd_run_input(struct kw_etcd_audit *audit, struct kw_etcd_input *input)
{
    switch (input->kind) {
    case KW_ETCD_INPUT_DB: return kw_etcd_audit_db(audit, input->path, &input->note);
    case KW_ETCD_INPUT_COPY: return kw_etcd_audit_copy(audit, input->path, &input->note);
    case KW_ETCD_INPUT_LOG: return kw_etcd_audit_log(audit, input->path, &input->note);
    case KW_ETCD_INPUT_OTHER:
        return kw_etcd_audit_other(audit, input->path, &input->note);
    }
    return KW_OK;
}

/* An input that cannot be read is part of the report; what ends the report itself is
 * given back. */
static kw_err etcd_run_inputs(struct etcd_running *r, struct kw_etcd_audit *audit,
                              struct kw_note *note)
{
    for (size_t i = 0; i < r->run->input_count; i++) {
        struct kw_etcd_input *input = &r->run->inputs[i];
        kw_err e = etcd_run_input(audit, input);
        if (ferror(r->report.out) != 0)
            return etcd_run_unwritten(note);
        if (e.code == KW_CODE_NO_MEMORY)
            return etcd_run_no_memory(note);
        input->failed = kw_failed(e);
        if (input->failed && input->note.text[0] == '\0')
            kw_note_set(&input->note, "%s: %s at %s", input->path, kw_code_name(e.code),
                        e.where);
    }
    etcd_run_progress(r, KW_ETCD_RUN_ALL_READ);
    return KW_OK;
}

static kw_err etcd_run_report(struct etcd_running *r, struct kw_etcd_audit *audit,
                              int *ret_exit, struct kw_note *note)
{
    struct kw_etcd_findings findings;
    r->run->format->begin(&r->report);
    kw_err e = etcd_run_inputs(r, audit, note);
    if (kw_failed(e))
        return e;
    kw_etcd_audit_findings(audit, &findings);
    if (r->run->restore != NULL)
        e = kw_restore_run(r->run->restore, &findings);
    if (kw_failed(e))
        return e;
    const struct kw_etcd_verdict verdict = kw_etcd_judge(&r->report, &findings);
    r->run->format->end(&r->report, &findings, &verdict);
    /* What was lost on the way leaves nothing for the last flush to fail with. */
    if (fflush(r->report.out) != 0 || ferror(r->report.out) != 0)
        return etcd_run_unwritten(note);
    *ret_exit = verdict.code;
    return KW_OK;
}

/* ---- before it ---- */

/* KMS v2 names hold no colon. */
static kw_err etcd_run_names(struct etcd_running *r, struct kw_note *note)
{
    const struct kw_encryption_config *c = r->run->config;
    size_t count = 0;
    for (int fill = 0; c != NULL && fill < 2; fill++) {
        if (fill == 1 && (r->names = kw_new(count, sizeof r->names[0])) == NULL)
            return etcd_run_no_memory(note);
        for (size_t i = 0; i < c->rule_count; i++)
            for (size_t p = 0; p < c->rules[i].provider_count; p++) {
                const struct kw_encryption_provider *provider = &c->rules[i].providers[p];
                for (size_t n = 0; n < provider->name_count; n++, count++)
                    if (fill == 1)
                        r->names[r->name_count++] = kw_span_str(provider->names[n]);
            }
    }
    return KW_OK;
}

static kw_err etcd_run_all(struct etcd_running *r, int *ret_exit, struct kw_note *note)
{
    const struct kw_restore *restore = r->run->restore;
    kw_err e = etcd_run_names(r, note);
    if (kw_failed(e))
        return e;
    const struct kw_etcd_audit_options options = {
        .prefix = kw_span_str(r->run->prefix),
        .names = r->names,
        .name_count = r->name_count,
        .self = r,
        .judge = etcd_run_judge,
        .found = etcd_run_found,
        .sealed = restore != NULL && restore->sample_wanted > 0 ? etcd_run_sealed : NULL,
        .progress = etcd_run_progress};
    struct kw_etcd_audit *audit = kw_etcd_audit_new(&options);
    if (audit == NULL)
        return etcd_run_no_memory(note);
    e = etcd_run_report(r, audit, ret_exit, note);
    kw_etcd_audit_free(audit);
    return e;
}

kw_err kw_etcd_run(const struct kw_etcd_run *run, FILE *out, int *ret_exit,
                   struct kw_note *note)
{
    const struct rlimit none = {0, 0};
    struct etcd_running r = {.run = run,
                             .policy = {.config = run->config},
                             .report = {.out = out,
                                        .redaction = run->redaction,
                                        .inputs = run->inputs,
                                        .input_count = run->input_count,
                                        .prefix = run->prefix,
                                        .config = run->config_path,
                                        .restore = run->restore}};
    (void)setrlimit(RLIMIT_CORE, &none);
    kw_err e = etcd_run_all(&r, ret_exit, note);
    kw_free(r.names);
    return e;
}

/* ---- one snapshot ---- */

kw_err kw_etcd_run_snapshot(const char *path, const char *encryption_config,
                            FILE *json_out, int *ret_exit, struct kw_note *note)
{
    const struct kw_redaction none = {.on = false};
    struct kw_encryption_config config = {0};
    struct kw_etcd_inputs *inputs = kw_new(1, sizeof *inputs);
    kw_err e = inputs != NULL ? kw_etcd_inputs_add(inputs, KW_ETCD_INPUT_DB, path, note)
                              : etcd_run_no_memory(note);
    if (!kw_failed(e) && encryption_config != NULL)
        e = kw_encryption_config_read(encryption_config, &config, note);
    if (!kw_failed(e)) {
        const struct kw_etcd_run run = {.inputs = inputs->at,
                                        .input_count = inputs->count,
                                        .prefix = KW_ETCD_PREFIX,
                                        .config =
                                            encryption_config != NULL ? &config : NULL,
                                        .config_path = encryption_config,
                                        .redaction = &none,
                                        .format = &kw_etcd_json};
        e = kw_etcd_run(&run, json_out, ret_exit, note);
    }
    kw_encryption_config_free(&config);
    kw_free(inputs);
    return e;
}
