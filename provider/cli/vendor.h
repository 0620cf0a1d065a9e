/* SPDX-License-Identifier: Apache-2.0 */
/* vendor - variables that vendors' PKCS#11 libraries read, set in the caller's shell only
 *
 * The daemon's worker gets the variables of the configuration and no other, so what works
 * in a shell may fail in the service.
 */
#ifndef KEYWARD_CLI_VENDOR_H
#define KEYWARD_CLI_VENDOR_H

#include <stdio.h>

#include <keyward/config.h>

/* Names each that is set here and not among `given`, once, with the option that gives it;
 * never its value.  Gives how many. */
size_t kw_vendor_warn(const struct kw_config_var *given, size_t count, FILE *out);

#endif
