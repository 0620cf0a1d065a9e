/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_support_redact, kw_support_scrub.  Input: a configuration, by mistake with a
 * secret in it; attacker: nobody, but whoever gets the archive reads what is left.  Useful
 * maximum: 4096 bytes.
 * Claim: what libyaml, as far as it can read the same bytes, finds behind a key that may
 * hold a secret (pin, env, any that keywardd does not know) stands neither in what is shown
 * nor in a text that quotes it, unless it stands elsewhere in the open; and what is shown has
 * no control characters. */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "support_redact.h"
#include "support_value.h"

/* Of secrets only words are looked for; shorter ones are part of anything. */
enum {
    SECRET_LEAST = 4,
    SECRET_LEN_MAX = 4096,
    SECRET_MAX = 256,
    DEPTH_MAX = 64,
    TEXT_MAX = 64 * 1024
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool held)
{
    if (!held)
        abort();
}

/* ---- what libyaml sees ---- */

/* Of an open mapping or sequence. */
struct level {
    bool is_mapping, has_key, is_secret;
    enum kw_support_kind kind; /* of the key */
};

struct seen {
    struct level levels[DEPTH_MAX];
    size_t depth;
    char *open; /* all that is no secret, a NUL behind each */
    size_t open_len;
    char *secrets[SECRET_MAX];
    size_t secret_lens[SECRET_MAX], secret_count;
};

static bool kind_hides(enum kw_support_kind kind)
{
    return kind == KW_SUPPORT_UNKNOWN || kind == KW_SUPPORT_HIDDEN ||
           kind == KW_SUPPORT_PIN;
}

static void see_open(struct seen *s, kw_span text)
{
    char *grown = realloc(s->open, s->open_len + text.len + 1);
    if (grown == NULL)
        abort();
    if (text.len > 0)
        memcpy(grown + s->open_len, text.ptr, text.len);
    grown[s->open_len + text.len] = '\0';
    s->open = grown;
    s->open_len += text.len + 1;
}

static bool is_word(kw_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return true;
}

static void see_secret(struct seen *s, kw_span text)
{
    if (text.len < SECRET_LEAST || text.len > SECRET_LEN_MAX ||
        s->secret_count == SECRET_MAX || !is_word(text))
        return;
    char *copy = malloc(text.len);
    if (copy == NULL)
        abort();
    memcpy(copy, text.ptr, text.len);
    s->secret_lens[s->secret_count] = text.len;
    s->secrets[s->secret_count++] = copy;
}

/* A node began: *ret_kind is what it is.  true: it may be a secret. */
static bool see_node(struct seen *s, kw_span text, enum kw_support_kind *ret_kind)
{
    if (s->depth == 0)
        return true;
    struct level *in = &s->levels[s->depth - 1];
    if (in->is_mapping)
        in->has_key = !in->has_key;
    if (in->is_mapping && in->has_key) {
        in->kind = kw_support_kind_of(text);
        return in->is_secret || in->kind == KW_SUPPORT_UNKNOWN;
    }
    *ret_kind = in->kind;
    return in->is_secret || (in->is_mapping && kind_hides(in->kind));
}

/* false: deeper than anybody nests. */
static bool see_begin(struct seen *s, bool is_mapping)
{
    enum kw_support_kind kind = KW_SUPPORT_BLOCK;
    const bool is_secret = s->depth > 0 && see_node(s, kw_span_str(""), &kind);
    if (s->depth == DEPTH_MAX)
        return false;
    s->levels[s->depth++] =
        (struct level){.is_mapping = is_mapping, .is_secret = is_secret, .kind = kind};
    return true;
}

/* Of a URI what stands behind pin-value is one. */
static void see_scalar(struct seen *s, kw_span text)
{
    static const char name[] = "pin-value=";
    enum kw_support_kind kind = KW_SUPPORT_BLOCK;
    if (see_node(s, text, &kind)) {
        see_secret(s, text);
        return;
    }
    const uint8_t *at =
        kind == KW_SUPPORT_URI ? memmem(text.ptr, text.len, name, sizeof name - 1) : NULL;
    const size_t before = at != NULL ? (size_t)(at - text.ptr) : text.len;
    see_open(s, kw_span_of(text.ptr, before));
    if (at != NULL)
        see_secret(
            s, kw_span_of(at + sizeof name - 1, text.len - before - (sizeof name - 1)));
}

static bool see_event(struct seen *s, const yaml_event_t *e)
{
    enum kw_support_kind ignored;
    if (e->type == YAML_SCALAR_EVENT)
        see_scalar(s, kw_span_of(e->data.scalar.value, e->data.scalar.length));
    else if (e->type == YAML_ALIAS_EVENT)
        (void)see_node(s, kw_span_str(""), &ignored);
    else if (e->type == YAML_MAPPING_START_EVENT || e->type == YAML_SEQUENCE_START_EVENT)
        return see_begin(s, e->type == YAML_MAPPING_START_EVENT);
    else if (e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT)
        s->depth--;
    return e->type != YAML_STREAM_END_EVENT;
}

static void see(struct seen *s, kw_span yaml)
{
    yaml_parser_t parser;
    bool goes_on = true;
    size_t read = 0;
    require(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_input_string(&parser, yaml.ptr, yaml.len);
    while (goes_on) {
        yaml_event_t e;
        if (yaml_parser_parse(&parser, &e) != 1)
            break;
        goes_on = see_event(s, &e);
        read = e.end_mark.index; /* in characters: at most that many bytes */
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&parser);
    see_open(s, kw_span_of(yaml.ptr + read, yaml.len - read)); /* nobody knows */
}

static void seen_free(struct seen *s)
{
    for (size_t i = 0; i < s->secret_count; i++)
        free(s->secrets[i]);
    free(s->open);
}

/* ---- what is shown ---- */

static bool stands_in(const char *text, size_t len, const char *what, size_t what_len)
{
    return len > 0 && memmem(text, len, what, what_len) != NULL;
}

/* Words of the redactor's own: they are shown whatever is withheld. */
static bool is_said_anyway(const char *secret, size_t len)
{
    static const char said[] = "[unknown key]: [redacted] ?[redacted] "
                               "file:[redacted] credential:[redacted] "
                               "# [line 0123456789: nothing is shown from here on] "
                               "# [line 0123456789 is not shown]";
    if (stands_in(said, sizeof said - 1, secret, len))
        return true;
    for (size_t i = 0; i < len; i++)
        if (strchr("0123456789 \n", secret[i]) == NULL || secret[i] == '\0')
            return false;
    return true; /* numbers of lines */
}

/* Nobody withholds what stands in the open, too. */
static bool is_excused(const struct seen *s, const char *secret, size_t len)
{
    return stands_in(s->open, s->open_len, secret, len) ||
           kw_support_is_common(kw_span_of((const uint8_t *)secret, len)) ||
           is_said_anyway(secret, len);
}

static void require_gone(const struct seen *s, const struct kw_support_text *shown)
{
    for (size_t i = 0; i < s->secret_count; i++)
        require(!stands_in(shown->bytes, shown->len, s->secrets[i], s->secret_lens[i]) ||
                is_excused(s, s->secrets[i], s->secret_lens[i]));
}

/* An error message quotes one; as it stands in the file, not as YAML spells it out. */
static void require_scrubbed(const struct seen *s, kw_span yaml,
                             const struct kw_support_words *words)
{
    for (size_t i = 0; i < s->secret_count && !words->are_too_many; i++) {
        const char *secret = s->secrets[i];
        const size_t len = s->secret_lens[i];
        struct kw_support_text scrubbed;
        if (!stands_in((const char *)yaml.ptr, yaml.len, secret, len) ||
            is_excused(s, secret, len))
            continue;
        kw_support_text_init(&scrubbed, 2 * SECRET_LEN_MAX);
        (void)kw_support_scrub(words, kw_span_of((const uint8_t *)secret, len),
                               &scrubbed);
        require(!stands_in(scrubbed.bytes, scrubbed.len, secret, len));
        kw_support_text_wipe(&scrubbed);
    }
}

static bool is_ascii(kw_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= 0x80)
            return false;
    return true;
}

static void require_plain(const struct kw_support_text *shown)
{
    for (size_t i = 0; i < shown->len; i++)
        require(shown->bytes[i] == '\n' ||
                (shown->bytes[i] >= ' ' && shown->bytes[i] <= '~'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct kw_support_redacted redacted;
    const kw_span yaml = kw_span_of(data, len);
    struct kw_support_text shown;
    struct seen s = {0};
    kw_support_text_init(&shown, TEXT_MAX);
    kw_support_redact(yaml, &shown, &redacted);
    see(&s, yaml);
    require_plain(&shown);
    require_gone(&s, &shown);
    if (is_ascii(yaml)) /* words end where ASCII says so */
        require_scrubbed(&s, yaml, &redacted.words);
    seen_free(&s);
    kw_support_text_wipe(&shown);
    return 0;
}
