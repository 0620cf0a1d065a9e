/* SPDX-License-Identifier: Apache-2.0 */
/* The document of the daemon that runs with a configuration. */
#include "running.h"

#include "status_read.h"

json_t *kw_running_document(const struct kw_config *config)
{
    static char text[KW_STATUS_MAX];
    struct kw_note ignored;
    size_t len = 0;
    if (config->status == NULL ||
        kw_failed(
            kw_status_read(config->status, text, sizeof text, &len, NULL, &ignored)))
        return NULL;
    return json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
}
