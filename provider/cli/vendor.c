/* SPDX-License-Identifier: Apache-2.0 */
/* Known variables, from the vendors' manuals. */
#include "vendor.h"

#include <string.h>

#include <keyward/env.h>

static const struct {
    const char *pattern, *library;
} known[] = {
    {"SOFTHSM2_CONF", "SoftHSM"},       {"ChrystokiConfigurationPath", "Thales Luna"},
    {"CKNFAST_*", "Entrust nShield"},   {"NFAST_*", "Entrust nShield"},
    {"CS_PKCS11_R2_CFG", "Utimaco"},    {"CS_PKCS11_R3_CFG", "Utimaco"},
    {"CLOUDHSM_*", "AWS CloudHSM"},     {"YUBIHSM_PKCS11_CONF", "YubiHSM"},
    {"TPM2_PKCS11_*", "tpm2-pkcs11"},   {"PKCS11_PROXY_*", "pkcs11-proxy"},
    {"KRYOPTIC_CONF", "kryoptic"},      {"NSS_LIB_PARAMS", "NSS"},
    {"OPENCRYPTOKI_*", "openCryptoki"}, {"P11_KIT_SERVER_ADDRESS", "p11-kit"},
};
enum { NAMES_MAX = 16 };

static bool is_given(const char *name, const struct kw_config_var *given, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(given[i].name, name) == 0)
            return true;
    return false;
}

size_t kw_vendor_warn(const struct kw_config_var *given, size_t count, FILE *out)
{
    char names[NAMES_MAX][KW_ENV_NAME_MAX];
    size_t warned = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t found = kw_env_names(known[i].pattern, names, NAMES_MAX);
        for (size_t j = 0; j < found; j++) {
            if (is_given(names[j], given, count))
                continue;
            fprintf(out,
                    "keyward: %s (%s) is set in this shell only, and the daemon's "
                    "library will not see it; if it is wanted: --env %s=\"$%s\"\n",
                    names[j], known[i].library, names[j], names[j]);
            warned++;
        }
    }
    return warned;
}
