/* SPDX-License-Identifier: Apache-2.0 */
/* What the running daemon was asked for and may not answer. */
#include "inspect.h"

#include "document_reads.h"
#include "running.h"

struct reads_found {
    struct kw_report *report;
    unsigned count;
};

static void reads_found(void *ctx, const char *text, const char *remedy)
{
    struct reads_found *found = ctx;
    found->count++;
    kw_report_add(found->report, KW_FOUND_WARN, "refused reads", remedy, "%s", text);
}

void kw_inspect_reads(struct kw_report *r, const struct kw_config *config)
{
    struct reads_found found = {.report = r};
    json_t *document = kw_running_document(config);
    kw_document_reads(document, reads_found, &found);
    if (document != NULL && found.count == 0)
        kw_report_add(r, KW_FOUND_OK, "refused reads", NULL,
                      "in the last hour nothing needed a version that may not be read");
    json_decref(document);
}
