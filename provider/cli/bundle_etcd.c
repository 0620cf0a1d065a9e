/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_etcd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bundle_stream.h"
#include "etcd_run.h"

/* ---- reading ---- */

static kw_err bundle_report_name(struct kw_bundle_etcd *etcd,
                                 struct kw_bundle_report *report)
{
    uint8_t sha256[KW_SHA256];
    const kw_err e = kw_sha256(kw_blob_peek(&report->bytes), sha256);
    snprintf(report->name, sizeof report->name, "etcd/report-%02zu.json", etcd->count);
    if (!kw_failed(e))
        kw_hex(report->sha256, sizeof report->sha256, kw_span_of(sha256, sizeof sha256));
    return e;
}

/* The report would say that it is not there, and be one all the same. */
static kw_err bundle_snapshot_is_there(const char *path, struct kw_note *note)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const int saved = errno;
    if (fd >= 0) {
        close(fd);
        return KW_OK;
    }
    kw_note_set(note, "%s: %s", path, strerror(saved));
    return kw_err_native(saved == ENOENT ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)saved,
                         "snapshot");
}

static kw_err bundle_report_of(const char *snapshot, const char *config,
                               struct kw_blob *ret_bytes, struct kw_note *note)
{
    int status = 0; /* the report says it, too */
    struct kw_bundle_stream s;
    kw_err e = bundle_snapshot_is_there(snapshot, note);
    if (!kw_failed(e))
        e = kw_bundle_stream_open(&s);
    if (kw_failed(e))
        return e;
    e = kw_etcd_run_snapshot(snapshot, config, s.file, &status, note);
    if (!kw_failed(e)) {
        e = kw_bundle_stream_read(&s, KW_BUNDLE_REPORT_MAX, ret_bytes);
        if (e.code == KW_CODE_BUSY)
            kw_note_set(
                note,
                "%s: the report would be longer than 64 MiB; there is too much that "
                "must not be there: cure it first (keyward etcd audit)",
                snapshot);
    }
    kw_bundle_stream_close(&s);
    return e;
}

kw_err kw_bundle_etcd_read(struct kw_bundle_etcd *etcd,
                           const struct kw_bundle_asked *asked, struct kw_note *note)
{
    kw_err e = KW_OK;
    const size_t all = asked->snapshots.count + asked->reports.count;
    for (size_t i = 0; i < all && !kw_failed(e); i++) {
        struct kw_bundle_report *report = &etcd->reports[etcd->count++];
        const bool is_snapshot = i < asked->snapshots.count;
        report->path = is_snapshot ? asked->snapshots.at[i]
                                   : asked->reports.at[i - asked->snapshots.count];
        e = is_snapshot
                ? bundle_report_of(report->path, asked->encryption_config, &report->bytes,
                                   note)
                : kw_file_read(report->path, KW_BUNDLE_REPORT_MAX, &report->bytes, note);
        if (!kw_failed(e))
            e = bundle_report_name(etcd, report);
    }
    return e;
}

/* ---- what it becomes ---- */

/* The note has its name in the bundle: which file is that? */
static kw_err bundle_report_told(const struct kw_bundle_report *report, kw_err e,
                                 struct kw_note *note)
{
    const struct kw_note why = *note;
    if (e.code == KW_CODE_BAD_INPUT)
        kw_note_set(note, "%s, as %s", report->path, why.text);
    return e;
}

kw_err kw_bundle_etcd_fill(const struct kw_bundle_etcd *etcd, struct kw_evidence *e,
                           struct kw_note *note)
{
    kw_err err = KW_OK;
    for (size_t i = 0; i < etcd->count && !kw_failed(err); i++) {
        const struct kw_bundle_report *report = &etcd->reports[i];
        json_t *root = json_loadb((const char *)report->bytes.ptr, report->bytes.len,
                                  JSON_REJECT_DUPLICATES, NULL);
        if (root == NULL) {
            kw_note_set(note, "%s: it is no JSON", report->path);
            err = kw_err_at(KW_CODE_BAD_INPUT, "report");
        } else {
            err = bundle_report_told(
                report,
                kw_evidence_fill_etcd(e, report->name, report->sha256, root, note), note);
        }
        json_decref(root);
    }
    return err;
}

kw_err kw_bundle_etcd_put(const struct kw_bundle_etcd *etcd,
                          struct kw_evidence_folder *folder, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < etcd->count && !kw_failed(e); i++)
        e = kw_evidence_put(folder, etcd->reports[i].name,
                            kw_blob_peek(&etcd->reports[i].bytes), note);
    return e;
}

void kw_bundle_etcd_free(struct kw_bundle_etcd *etcd)
{
    for (size_t i = 0; i < etcd->count; i++)
        kw_blob_wipe(&etcd->reports[i].bytes);
    etcd->count = 0;
}
