/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_socket.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <keyward/config.h>

#define UNIX_SCHEME "unix:"

static kw_err probe_path(const char *path, char ret_path[KW_PATH_MAX],
                         struct kw_note *note)
{
    if (kw_copy_str(ret_path, KW_PATH_MAX, kw_span_str(path)))
        return KW_OK;
    kw_note_set(note, "%.64s…: too long for a path", path);
    return kw_err_at(KW_CODE_BAD_INPUT, "SOCKET");
}

/* gRPC's two spellings: unix:PATH, unix:///PATH. */
static const char *probe_endpoint_path(const char *word)
{
    const char *path = word + strlen(UNIX_SCHEME);
    return strncmp(path, "//", 2) == 0 ? path + 2 : path;
}

static kw_err probe_no_class(const struct kw_config *config, const char *file,
                             const char *word, struct kw_note *note)
{
    char names[256] = "";
    for (size_t i = 0, len = 0; i < config->class_count && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s",
                                len > 0 ? ", " : "", config->classes[i].name);
    kw_note_set(note, "%s: no class of %s, and no socket; there are %s", word, file,
                names);
    return kw_err_at(KW_CODE_MISSING, "SOCKET");
}

static kw_err probe_class(const struct kw_cli *cli, const char *word,
                          char ret_path[KW_PATH_MAX], struct kw_note *note)
{
    struct kw_config *config = NULL;
    struct kw_note why = {{0}};
    kw_err e = kw_config_load(cli->config, SIZE_MAX, &config, &why);
    if (kw_failed(e)) {
        kw_note_set(note, "%s: no socket, and whether it is a class is not known: %.350s",
                    word, why.text);
        return e;
    }
    const char *socket = NULL;
    for (size_t i = 0; i < config->class_count; i++)
        if (strcmp(config->classes[i].name, word) == 0)
            socket = config->classes[i].socket;
    e = socket != NULL ? probe_path(socket, ret_path, note)
                       : probe_no_class(config, cli->config, word, note);
    kw_config_free(config);
    return e;
}

kw_err kw_probe_socket(const struct kw_cli *cli, const char *word,
                       char ret_path[KW_PATH_MAX], struct kw_note *note)
{
    struct stat st;
    if (strncmp(word, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0)
        return probe_path(probe_endpoint_path(word), ret_path, note);
    if (strchr(word, '/') != NULL || (stat(word, &st) == 0 && S_ISSOCK(st.st_mode)))
        return probe_path(word, ret_path, note);
    return probe_class(cli, word, ret_path, note);
}
