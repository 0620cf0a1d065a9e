/* SPDX-License-Identifier: Apache-2.0 */
/* Files as keywardd reads them. */
#include "trusted.h"

#include <stdio.h>

#include <keyward/file.h>

#include "commands.h"

kw_err kw_trusted_keyring(const char *path, uid_t uid, struct kw_keyring **ret_ring,
                          struct kw_blob *ret_bytes, struct kw_note *note)
{
    struct kw_blob bytes = {0};
    struct kw_note why = {{0}};
    kw_err e = kw_file_read_trusted(path, uid, KW_KEYRING_MAX, &bytes, note);
    if (kw_failed(e))
        return e;
    e = kw_keyring_parse(kw_blob_peek(&bytes), ret_ring, &why);
    if (kw_failed(e))
        kw_note_set(note, "%s: %s", path, why.text);
    if (kw_failed(e) || ret_bytes == NULL)
        kw_blob_wipe(&bytes);
    else
        *ret_bytes = bytes;
    return e;
}

/* Owner and mode tell who could; only other eyes tell whether somebody did. */
static void add_next(const char *keyring, struct kw_commands *next)
{
    if (keyring == NULL) {
        kw_commands_add(next,
                        "# whoever could change the configuration may have done so: "
                        "read it through, then do what is said above");
        return;
    }
    kw_commands_add(next,
                    "# whoever could change the keyring may have done so; FILE: what "
                    "keyward status --json prints on another node, or another copy:");
    kw_commands_command(next, (const char *const[]){"keyward", "keyring", "compare",
                                                    keyring, "--status", "FILE", NULL});
    kw_commands_add(next, "# when they are the same, do what is said above");
}

int kw_trusted_refuse(const struct kw_cli *cli, const struct kw_note *why,
                      const char *keyring)
{
    char text[sizeof why->text + 64];
    struct kw_commands next = {.len = 0};
    snprintf(text, sizeof text, "%s; keywardd does not read it so", why->text);
    add_next(keyring, &next);
    return kw_refuse_next(cli, text, next.text);
}

int kw_trusted_config(const struct kw_cli *cli, uid_t uid)
{
    struct kw_note why = {{0}};
    kw_err e = kw_file_judge(cli->config, uid, &why);
    return kw_failed(e) ? kw_trusted_refuse(cli, &why, NULL) : -1;
}

json_t *kw_trusted_next(const char *keyring)
{
    struct kw_commands next = {.len = 0};
    add_next(keyring, &next);
    return kw_next_json(next.text);
}
