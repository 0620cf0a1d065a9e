/* SPDX-License-Identifier: Apache-2.0 */
/* Files as keywardd reads them. */
#include "trusted.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/file.h>

#include "commands.h"

/* Owner and mode tell who could; only other eyes tell whether somebody did. */
static void trusted_add_next(const char *keyring, struct kw_commands *next)
{
    if (keyring == NULL) {
        kw_commands_add(next,
                        "# whoever could change the configuration may have done so: "
                        "read it through, then do what is said above");
        return;
    }
    char fresh[KW_PATH_MAX + 8];
    snprintf(fresh, sizeof fresh, "%s.new", keyring);
    kw_commands_add(
        next, "# whoever could change the keyring may have done so, and may hold it "
              "open: a new file");
    kw_commands_add(next,
                    "# in its place, when it says what another one says (FILE: what "
                    "keyward status --json");
    kw_commands_add(next, "# prints on another node, or another copy); a folder that is "
                          "named above goes first:");
    kw_commands_command(
        next, (const char *const[]){"install", "-m", "0644", keyring, fresh, NULL});
    kw_commands_command(next, (const char *const[]){"keyward", "keyring", "compare",
                                                    fresh, "--status", "FILE", NULL});
    kw_commands_when(next, "they are the same:");
    kw_commands_command(next, (const char *const[]){"mv", fresh, keyring, NULL});
}

int kw_trusted_refuse(const struct kw_cli *cli, const struct kw_note *why,
                      const char *keyring)
{
    char text[sizeof why->text + 64];
    struct kw_commands next = {.len = 0};
    snprintf(text, sizeof text, "%s; keywardd does not read it so", why->text);
    trusted_add_next(keyring, &next);
    return kw_refuse_next(cli, text, next.text);
}

int kw_trusted_config(const struct kw_cli *cli, uid_t uid)
{
    struct kw_note why = {{0}};
    kw_err e = kw_file_judge(cli->config, uid, &why);
    return kw_failed(e) ? kw_trusted_refuse(cli, &why, NULL) : -1;
}

/* The login is the kernel's or the terminal's word, not the environment's. */
static uid_t login_uid(void)
{
    char name[64];
    const struct passwd *pw = NULL;
    if (getlogin_r(name, sizeof name) == 0)
        pw = getpwnam(name);
    return pw != NULL ? pw->pw_uid : geteuid();
}

kw_err kw_trusted_copy(const char *path, uid_t service, struct kw_keyring **ret_ring,
                       struct kw_blob *ret_bytes, struct kw_note *note)
{
    const uid_t uids[] = {geteuid(), login_uid(), service};
    kw_err denied = KW_OK;
    for (size_t i = 0; i < sizeof uids / sizeof uids[0]; i++) {
        struct kw_note why = {{0}};
        kw_err e = kw_keyring_load_trusted(path, uids[i], ret_ring, ret_bytes, &why);
        bool of_mode = kw_span_equal_str(kw_span_str(e.where), "file mode");
        if (e.code != KW_CODE_DENIED || !kw_failed(denied) || of_mode)
            *note = why;
        if (e.code != KW_CODE_DENIED)
            return e;
        if (!kw_failed(denied) || of_mode)
            denied = e;
    }
    return denied;
}

/* First the copy, then the look at it: what is looked at is what is taken.  No chown of
 * what is somebody else's, which may be his home. */
int kw_trusted_refuse_copy(const struct kw_cli *cli, const struct kw_note *why,
                           const char *path)
{
    char text[sizeof why->text + 32], word[4 * KW_PATH_MAX + 3];
    struct kw_commands next = {.len = 0};
    const char *copy =
        geteuid() == 0 ? "/run/keyward-keyring.json" : "\"$HOME\"/keyward-keyring.json";
    const char *chown_it = strstr(why->text, "; chown it to ");
    int len =
        (int)(chown_it != NULL ? (size_t)(chown_it - why->text) : strlen(why->text));
    snprintf(text, sizeof text, "%.*s; nothing was made", len, why->text);
    if (kw_shell_word(word, sizeof word, path)) {
        kw_commands_when(&next, "whoever could change it may have done so: a copy that "
                                "nobody else can change, and its digest");
        kw_commands_add(&next, "install -m 0644 %s %s", word, copy);
        kw_commands_add(&next, "sha256sum %s", copy);
        kw_commands_when(&next,
                         "when sha256sum says the same on the first node: keyward init "
                         "again, with --join %s",
                         copy);
    }
    return kw_refuse_next(cli, text, next.text);
}

json_t *kw_trusted_next(const char *keyring)
{
    struct kw_commands next = {.len = 0};
    trusted_add_next(keyring, &next);
    return kw_next_json(next.text);
}
