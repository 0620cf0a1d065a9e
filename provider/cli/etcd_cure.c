/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_cure - how to get rid of what was found, in the order in which it works
 *
 * Each command runs as it stands, with the ETCDCTL_… variables of the member it is run on. */
#include "etcd_report.h"

#include <stdarg.h>
#include <string.h>

#include <keyward/etcd_policy.h>

/* "Revision" is of the answer's header, so that any key will do.  Without --physical it
 * answers before the revisions are gone, and a defrag would copy what is left of them. */
#define CURE_COMPACT                                                                     \
    "etcdctl compact --physical \"$(etcdctl get / --write-out=fields | sed -n "          \
    "'s/^\"Revision\" : //p')\"\n"

static void cure_say(kw_dst *cure, const char *fmt, ...) KW_PRINTF(2, 3);
static void cure_say(kw_dst *cure, const char *fmt, ...)
{
    va_list args;
    const size_t left = cure->cap - cure->len;
    va_start(args, fmt);
    const int len = vsnprintf((char *)cure->ptr + cure->len, left, fmt, args);
    va_end(args);
    if (len > 0 && (size_t)len < left)
        cure->len += (size_t)len;
    cure->ptr[cure->len] = '\0'; /* whole lines or none */
}

/* This audit again, of something else: under the same options, which decide what may be
 * there.  Redacted they are no paths, and are left out. */
static void cure_audit(kw_dst *cure, const struct kw_etcd_report *report,
                       const char *of_what)
{
    char config[2 * PATH_MAX] = "", prefix[2 * PATH_MAX] = "";
    const bool has_config = report->config != NULL;
    const bool has_prefix = strcmp(report->prefix, KW_ETCD_PREFIX) != 0;
    if ((has_config || has_prefix) && report->redaction->on) {
        cure_say(cure, "# with the options of this audit:\nkeyward etcd audit %s\n",
                 of_what);
        return;
    }
    if ((!has_config || kw_shell_word(config, sizeof config, report->config)) &&
        (!has_prefix || kw_shell_word(prefix, sizeof prefix, report->prefix)))
        cure_say(cure, "keyward etcd audit%s%s%s%s %s\n",
                 has_config ? " --encryption-config " : "", config,
                 has_prefix ? " --etcd-prefix " : "", prefix, of_what);
}

/* What no provider reads makes the API server fail on every object of its resource. */
static void cure_unreadable(kw_dst *cure, const struct kw_etcd_findings *f)
{
    for (size_t i = 0; i < f->row_count; i++)
        if (kw_etcd_policy_is_unreadable(f->rows[i].why) &&
            f->rows[i].at[KW_ETCD_CURRENT].objects > 0) {
            cure_say(cure,
                     "# what nothing reads cannot be written again: first put its "
                     "provider back into the\n# EncryptionConfiguration, behind the "
                     "first one of its resource\n");
            return;
        }
}

/* The steps that follow want their room, whatever there is to be written again. */
enum { CURE_FOR_OTHER_STEPS = KW_ETCD_CURE_MAX / 2, CURE_LINE = 128 };

/* One command for each resource; rows come in the order of resources. */
static void cure_rewrite(kw_dst *cure, const struct kw_etcd_findings *f,
                         const struct kw_redaction *redaction)
{
    char last[2 * KW_FOREIGN_MAX] = "", name[2 * KW_FOREIGN_MAX];
    char word[8 * KW_FOREIGN_MAX + 3];
    cure_say(cure,
             "# write again what is stored as it must not be, with every API server "
             "on the same\n# EncryptionConfiguration; again, when objects were "
             "changed meanwhile\n");
    cure_unreadable(cure, f);
    for (size_t i = 0; i < f->row_count; i++) {
        const struct kw_etcd_row *row = &f->rows[i];
        if (row->why == NULL || row->at[KW_ETCD_CURRENT].objects == 0)
            continue;
        kw_etcd_resource_text(redaction, row->builtin, row->group, row->resource, name);
        /* No resource begins with a dash, and kubectl would take it for an option. */
        if (name[0] == '-' || strcmp(name, last) == 0 ||
            !kw_shell_word(word, sizeof word, name))
            continue;
        snprintf(last, sizeof last, "%s", name);
        if (cure->cap - cure->len < CURE_FOR_OTHER_STEPS + strlen(word) + CURE_LINE) {
            cure_say(cure, "# and so on: there is no room for more resources here\n");
            return;
        }
        cure_say(cure, "kubectl get %s --all-namespaces -o json | kubectl replace -f -\n",
                 word);
    }
}

static void cure_pages(kw_dst *cure, bool is_first)
{
    cure_say(cure,
             "# %sdrop the old revisions; somebody may have done it already, and "
             "then it says so\n%s"
             "# then give back the pages that held them: on each member, one after "
             "the other, as it does\n# not answer meanwhile\n"
             "etcdctl defrag\n",
             is_first ? "" : "then ", CURE_COMPACT);
}

static void cure_log(kw_dst *cure, const struct kw_etcd_report *report)
{
    cure_say(
        cure,
        "# the log keeps what was put until etcd purges its oldest file, and no command "
        "does that; a member\n# that is added is sent it, too.  So stop the API servers, "
        "that nothing is written any more, take a\n# snapshot, and begin anew from it "
        "with all members (of several, each restores it with --name,\n# "
        "--initial-cluster and --initial-advertise-peer-urls)\n"
        "etcdctl snapshot save fresh.db\n"
        "if command -v etcdutl >/dev/null; then etcdutl snapshot restore fresh.db "
        "--data-dir fresh.etcd; else etcdctl snapshot restore fresh.db --data-dir "
        "fresh.etcd; fi\n");
    cure_audit(cure, report, "--member fresh.etcd");
}

static void cure_backup(kw_dst *cure, const struct kw_etcd_report *report)
{
    cure_say(cure, "# then a new backup, and look at it; older ones keep what they hold, "
                   "and so may the blocks\n# that a disk discarded\n"
                   "etcdctl snapshot save backup.db\n");
    cure_audit(cure, report, "backup.db");
}

void kw_etcd_cure(const struct kw_etcd_report *report,
                  const struct kw_etcd_findings *findings,
                  const struct kw_etcd_verdict *verdict, char ret_cure[KW_ETCD_CURE_MAX])
{
    kw_dst cure = kw_dst_of(ret_cure, KW_ETCD_CURE_MAX);
    const uint64_t *at = verdict->not_allowed;
    const bool in_log = at[KW_ETCD_IN_LOG] > 0;
    const bool in_pages = at[KW_ETCD_CURRENT] > 0 || at[KW_ETCD_HISTORIC] > 0 ||
                          at[KW_ETCD_IN_FREE_PAGES] > 0 ||
                          findings->blind[KW_ETCD_IN_FREE_PAGES].things > 0;
    ret_cure[0] = '\0';
    if (at[KW_ETCD_CURRENT] > 0)
        cure_rewrite(&cure, findings, report->redaction);
    if (in_pages)
        cure_pages(&cure, at[KW_ETCD_CURRENT] == 0);
    if (in_log)
        cure_log(&cure, report);
    if (in_pages || in_log)
        cure_backup(&cure, report);
}
