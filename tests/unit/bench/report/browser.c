/* SPDX-License-Identifier: Apache-2.0 */
/* The page in a browser: every plot is there and seen, nothing is fetched, words can be
 * read on a light and on a dark screen.  Pictures of it are kept below build/. */
#include "check.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "fixture.h"
#include "run.h"

enum { PAGE_MAX = 16 << 20, PLOTS = 16 };

static struct kw_run r;
static struct kw_fixture f;
static char profile[160];

/* Looks at the page as it is laid out, and leaves nothing but what it found. */
static const char probe[] =
    "<script>\n"
    "addEventListener('load',()=>{\n"
    "function light(c){const v=c.match(/[\\d.]+/g).slice(0,3).map(x=>{x/=255;return x<="
    "0.03928?x/12.92:((x+0.055)/1.055)**2.4});return "
    "0.2126*v[0]+0.7152*v[1]+0.0722*v[2]}\n"
    "function contrast(a,b){const x=light(a),y=light(b);return (Math.max(x,y)+0.05)/"
    "(Math.min(x,y)+0.05)}\n"
    "const ground=getComputedStyle(document.body).backgroundColor;\n"
    "const plots=[...document.querySelectorAll('figure')].map(g=>{\n"
    "  const s=g.querySelector('svg'),b=s.getBoundingClientRect();\n"
    "  const drawn=[...s.querySelectorAll('path[class^=s],use[class^=c]')].filter(p=>!"
    "p.closest('defs')&&/^(s|c)\\d/.test(p.getAttribute('class'))).length;\n"
    "  const words=[...s.querySelectorAll('text')];\n"
    "  const out=words.filter(t=>{const w=t.getBoundingClientRect();return w.width>0&&"
    "(w.left<b.left-1||w.right>b.right+1||w.top<b.top-1||w.bottom>b.bottom+1)})\n"
    "    .map(t=>t.textContent);\n"
    "  const "
    "least=Math.min(...words.map(t=>contrast(getComputedStyle(t).fill,ground)));\n"
    "  return {id:g.id,width:b.width,height:b.height,drawn,words:words.length,out,least,"
    "seen:s.checkVisibility()}});\n"
    "const "
    "texts=[...document.querySelectorAll('td,th,p,a,small,figcaption,summary,b')];\n"
    "const wide=[...document.querySelectorAll('.wide')].filter(w=>w.scrollWidth>"
    "w.clientWidth+1).length;\n"
    "const found={plots,wide,sideways:document.documentElement.scrollWidth>innerWidth,\n"
    "  least:Math.min(...texts.map(t=>contrast(getComputedStyle(t).color,ground))),\n"
    "  fetched:asked.concat(performance.getEntriesByType('resource').map(e=>e.name)),\n"
    "  dark:matchMedia('(prefers-color-scheme:dark)').matches};\n"
    "document.documentElement.innerHTML='<body><pre></pre></body>';\n"
    "document.querySelector('pre').textContent='FOUND'+JSON.stringify(found)+'END';\n"
    "});</script>\n";

/* The page's own policy forbids every fetch: what it asks for is told here.  The copy may
 * run scripts besides. */
static const char watch[] =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src "
    "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
    "<script>const asked=[];addEventListener('securitypolicyviolation',e=>asked.push("
    "e.violatedDirective+' '+e.blockedURI))</script>\n";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void browse(const char *page, bool dark, const char *action)
{
    char url[256], data[200];
    snprintf(profile, sizeof profile, "%s/profile", f.folder);
    snprintf(url, sizeof url, "file://%s", page);
    snprintf(data, sizeof data, "--user-data-dir=%s", profile);
    kw_run(&r, (const char *const[]){
                   KW_CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
                   "--disable-quic", "--no-first-run", "--disable-background-networking",
                   "--disable-component-update", "--disable-sync", "--hide-scrollbars",
                   dark ? "--blink-settings=preferredColorScheme=0"
                        : "--blink-settings=preferredColorScheme=1",
                   "--window-size=1100,15000", data, action, url, NULL});
    (void)nftw(profile, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (r.status != 0)
        fail_msg("%s ended with %d: %s", KW_CHROMIUM, r.status, r.err);
}

static void make_page(void)
{
    kw_fixture_full(&f);
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "report", f.folder, NULL});
    if (r.status != 0)
        fail_msg("%s", r.err);
}

/* The page with a policy that lets the probe run, and with the probe at its end. */
static void make_copy(char *path, size_t cap)
{
    static const char policy[] = "<meta http-equiv=\"Content-Security-Policy\"",
                      end[] = "</body>";
    struct kw_blob page = {0};
    CHECK_OK(kw_file_read(f.page, PAGE_MAX, &page, NULL));
    char *text = kw_strdup(kw_blob_peek(&page));
    CHECK(text != NULL);
    char *line = strstr(text, policy), *body = strstr(text, end);
    CHECK(line != NULL && body != NULL);
    const char *rest = strchr(line, '\n');
    *line = *body = '\0';
    char *copy = kw_format("%s%s%s%s</body></html>", text, watch, rest, probe);
    CHECK(copy != NULL);
    kw_fixture_file(&f, "copy.html", copy);
    snprintf(path, cap, "%s/copy.html", f.folder);
    kw_free(copy);
    kw_free(text);
    kw_blob_wipe(&page);
}

static json_t *found(bool dark)
{
    char path[200];
    json_error_t why;
    make_copy(path, sizeof path);
    browse(path, dark, "--dump-dom");
    char *from = strstr(r.out, "FOUND"), *end = strstr(r.out, "END</pre>");
    if (from == NULL || end == NULL) {
        fail_msg("the probe found nothing: %.500s", r.out);
        return NULL;
    }
    *end = '\0';
    json_t *json = json_loads(from + strlen("FOUND"), 0, &why);
    if (json == NULL)
        fail_msg("line %d: %s: %s", why.line, why.text, from);
    return json;
}

static double number(const json_t *o, const char *member)
{
    const json_t *v = json_object_get(o, member);
    CHECK(json_is_number(v));
    return json_number_value(v);
}

static void check_plot(const json_t *plot)
{
    const char *id = json_string_value(json_object_get(plot, "id"));
    const json_t *out = json_object_get(plot, "out");
    if (number(plot, "width") < 400 || number(plot, "height") < 100)
        fail_msg("%s is %.0f by %.0f", id, number(plot, "width"), number(plot, "height"));
    if (!json_is_true(json_object_get(plot, "seen")) || number(plot, "drawn") < 1 ||
        number(plot, "words") < 3)
        fail_msg("%s: nothing to be seen", id);
    if (json_array_size(out) > 0)
        fail_msg("%s: '%s' is cut off", id, json_string_value(json_array_get(out, 0)));
    if (number(plot, "least") < 4.5)
        fail_msg("%s: words with a contrast of %.2f", id, number(plot, "least"));
}

static void check_page(bool dark)
{
    make_page();
    json_t *json = found(dark);
    const json_t *plots = json_object_get(json, "plots");
    const json_t *fetched = json_object_get(json, "fetched");
    CHECK(json_is_true(json_object_get(json, "dark")) == dark);
    CHECK(json_array_size(plots) >= PLOTS);
    for (size_t i = 0; i < json_array_size(plots); i++)
        check_plot(json_array_get(plots, i));
    if (json_array_size(fetched) > 0)
        fail_msg("it fetched %s", json_string_value(json_array_get(fetched, 0)));
    if (number(json, "least") < 4.5)
        fail_msg("words with a contrast of %.2f", number(json, "least"));
    CHECK(json_is_false(json_object_get(json, "sideways")));
    CHECK(number(json, "wide") < 0.5); /* every table fits the page */
    json_decref(json);
    kw_fixture_remove(&f);
}

static void light__every_plot_seen_and_nothing_fetched(void **state)
{
    (void)state;
    check_page(false);
}

static void dark__every_plot_seen_and_nothing_fetched(void **state)
{
    (void)state;
    check_page(true);
}

/* A picture that is worth keeping has more than a blank page. */
static void keep(const char *option, const char *name, bool dark)
{
    char path[256], action[320];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", KW_ARTEFACTS, name);
    snprintf(action, sizeof action, "--%s=%s", option, path);
    (void)unlink(path);
    browse(f.page, dark, action);
    CHECK(stat(path, &st) == 0);
    CHECK(st.st_size > 50000);
}

static void pictures__light_dark_and_paper__kept(void **state)
{
    (void)state;
    make_page();
    CHECK(mkdir(KW_ARTEFACTS, 0755) == 0 || access(KW_ARTEFACTS, W_OK) == 0);
    keep("screenshot", "report-light.png", false);
    keep("screenshot", "report-dark.png", true);
    keep("print-to-pdf", "report.pdf", true);
    kw_fixture_remove(&f);
}

KW_CASES("bench/report/browser", CASE(light__every_plot_seen_and_nothing_fetched),
         CASE(dark__every_plot_seen_and_nothing_fetched),
         CASE(pictures__light_dark_and_paper__kept))
