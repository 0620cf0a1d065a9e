/* SPDX-License-Identifier: Apache-2.0 */
/* module - loads exactly one PKCS#11 module by its path
 *
 * Never every module that the host has configured: installing a package would change
 * what a key server loads.  And only one that nobody but root and this user can have
 * changed or exchanged: its code runs as this user, beginning with its constructors, and
 * may read what this user may, the PIN among it.  What the module loads in its turn
 * (its libraries; the modules behind p11-kit-proxy.so) is not looked at here.
 */
#include "token_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <p11-kit/p11-kit.h>

#include <keyward/file.h>

static bool is_spy(const char *path)
{
    const char *base = strrchr(path, '/');
    return strstr(base ? base : path, "pkcs11-spy") != NULL;
}

/* The spy prints the PIN and every plaintext in clear; a link to it is the spy too. */
static kw_err refuse_spy(const char *path, struct kw_note *note)
{
    char real[PATH_MAX];
    if (!is_spy(path) && (realpath(path, real) == NULL || !is_spy(real)))
        return KW_OK;
    kw_note_set(note,
                "%s is pkcs11-spy, which writes the PIN and every plaintext to its log: "
                "name the token's own module",
                path);
    return kw_err_at(KW_CODE_HSM_CONFIG, "module");
}

/* The loader goes by the path: where the judgement is good, only root and this user can
 * put another file behind it afterwards. */
static kw_err module_refuse_others(const char *path, struct kw_note *note)
{
    struct kw_note why = {{0}};
    kw_err e = kw_file_judge(path, geteuid(), &why);
    if (!kw_failed(e))
        return KW_OK;
    kw_note_set(note, "the PKCS#11 module: %s", why.text);
    return kw_err_native(KW_CODE_HSM_CONFIG, e.native, "module");
}

static kw_err module_look_at(const char *path, struct kw_note *note)
{
    struct stat st;
    if (path == NULL || path[0] != '/') {
        kw_note_set(note, "the module must be an absolute path");
        return kw_err_at(KW_CODE_HSM_CONFIG, "module");
    }
    if (stat(path, &st) != 0) {
        int err = errno;
        kw_note_set(note, "cannot find the PKCS#11 module %s: %s", path, strerror(err));
        bool gone = err == ENOENT || err == ENOTDIR;
        return kw_err_native(gone ? KW_CODE_MISSING : KW_CODE_HSM_CONFIG, (uint32_t)err,
                             "module");
    }
    if (!S_ISREG(st.st_mode)) {
        kw_note_set(note, "the PKCS#11 module %s is not a regular file", path);
        return kw_err_at(KW_CODE_HSM_CONFIG, "module");
    }
    kw_err e = refuse_spy(path, note);
    return kw_failed(e) ? e : module_refuse_others(path, note);
}

kw_err kw_module_load(const char *path, CK_FUNCTION_LIST **ret_ck, struct kw_note *note)
{
    kw_err e = module_look_at(path, note);
    if (kw_failed(e))
        return e;
    p11_kit_be_quiet(); /* its messages come in our notes */
    CK_FUNCTION_LIST *ck = p11_kit_module_load(path, P11_KIT_MODULE_CRITICAL);
    if (ck == NULL) {
        const char *why = p11_kit_message();
        kw_note_set(note, "%s is not a PKCS#11 module that can be loaded: %s", path,
                    why ? why : "no reason given");
        return kw_err_at(KW_CODE_HSM_CONFIG, "C_GetFunctionList");
    }
    e = kw_ckr(p11_kit_module_initialize(ck), "C_Initialize");
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the module did not start; see its own log and settings");
        p11_kit_module_release(ck);
        return e;
    }
    *ret_ck = ck;
    return KW_OK;
}

void kw_module_unload(CK_FUNCTION_LIST *ck)
{
    if (ck == NULL)
        return;
    (void)p11_kit_module_finalize(ck);
    p11_kit_module_release(ck);
}
