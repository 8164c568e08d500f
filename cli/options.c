// SPDX-License-Identifier: Apache-2.0
/*
 * The parser: words of the command line to commands, options and arguments, by
 * the table alone.  Options may stand anywhere behind their command, global
 * ones anywhere at all; what does not fit is an error that names what does.
 */
#include "cli/options.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/checked.h"
#include "base/units.h"

#define NEAREST_CHARS 40 /* longer words are never a slip of a known one */

/* Edit distance (insert, delete, replace) of two short words. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NEAREST_CHARS + 1];
    size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t above = row[j + 1];
            size_t best = diagonal + (a[i] != b[j]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j] + 1 < best)
                best = row[j] + 1;
            diagonal = above;
            row[j + 1] = best;
        }
    }
    return row[n];
}

const char *cli_nearest(const char *word, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t len = strlen(word);
    size_t limit = 1 + len / 3;
    if (len > NEAREST_CHARS)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t name_len = strlen(names[i]);
        if (name_len > NEAREST_CHARS)
            continue;
        size_t d = distance(word, names[i]);
        /* A word that was cut short is taken for its beginning. */
        if (len >= 3 && strncmp(word, names[i], len) == 0)
            d = 1;
        if (d < name_len && d <= limit) {
            best = names[i];
            limit = d - (d > 0);
        }
    }
    return best;
}

/* "; did you mean ..." where something looks alike, else where to look. */
static int hint(const struct cli_call *call, const char *prefix,
                const char *near, struct err *e)
{
    if (near != NULL)
        return err_hint(e, "did you mean %s%s?", prefix, near);
    if (call->command != NULL)
        return err_hint(e, "see objvault %s%s%s --help", call->command->noun,
                        call->command->verb != NULL ? " " : "",
                        call->command->verb != NULL ? call->command->verb : "");
    if (call->noun != NULL && cli_noun_known(call->noun))
        return err_hint(e, "see objvault %s --help", call->noun);
    return err_hint(e, "see objvault --help");
}

static bool name_is(const struct cli_option *o, const char *name, size_t len)
{
    return strlen(o->name) == len && strncmp(o->name, name, len) == 0;
}

/* The option of this name that holds here, or CLI_OPTS. */
static enum cli_opt find_option(const struct cli_command *c, const char *name,
                                size_t len)
{
    for (unsigned i = 0; i < CLI_OPT_GLOBALS; i++)
        if (name_is(cli_option(i), name, len))
            return (enum cli_opt)i;
    for (size_t i = 0; c != NULL && i < c->n_uses; i++)
        if (name_is(cli_option(c->uses[i].opt), name, len))
            return c->uses[i].opt;
    return CLI_OPTS;
}

static int unknown_option(const struct cli_call *call, const char *name,
                          size_t len, struct err *e)
{
    const char *names[CLI_OPTS];
    size_t n = 0;
    bool elsewhere = false;
    for (unsigned i = 0; i < CLI_OPT_GLOBALS; i++)
        names[n++] = cli_option(i)->name;
    for (size_t i = 0; call->command != NULL && i < call->command->n_uses; i++)
        names[n++] = cli_option(call->command->uses[i].opt)->name;
    for (unsigned i = CLI_OPT_GLOBALS; i < CLI_OPTS; i++)
        elsewhere = elsewhere || name_is(cli_option(i), name, len);

    int shown = (int)checked_min(len, 60);
    if (elsewhere && call->command == NULL) {
        (void)err_set(e, ERR_USAGE, 0,
                      "option --%.*s must stand behind the command that it "
                      "belongs to",
                      shown, name);
        return hint(call, "", NULL, e);
    }
    AUTO_BUF struct buf word = buf_init(NEAREST_CHARS);
    buf_append(&word, name, len);
    const char *near = NULL;
    if (!word.failed)
        near = cli_nearest(buf_cstr(&word), names, n);
    if (call->command != NULL && elsewhere)
        (void)err_set(e, ERR_USAGE, 0, "option --%.*s is not one of %s %s",
                      shown, name, call->command->noun,
                      call->command->verb != NULL ? call->command->verb : "");
    else
        (void)err_set(e, ERR_USAGE, 0, "unknown option --%.*s", shown, name);
    return hint(call, "--", near, e);
}

/* Checks word against a list; its index. */
static int take_word(const char *what, const char *word,
                     const char *const *words, uint64_t *index, struct err *e)
{
    AUTO_BUF struct buf list = buf_init(200);
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            *index = i;
            return 0;
        }
        const char *between = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        buf_printf(&list, "%s%s", between, words[i]);
    }
    return err_set(e, ERR_USAGE, 0, "%s \"%.60s\": must be %s", what, word,
                   buf_cstr(&list));
}

static bool parse_number(const char *s, uint64_t *out)
{
    uint64_t v = 0;
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        if (*s < '0' || *s > '9' || !checked_mul(v, 10, &v) ||
            !checked_add(v, (uint64_t)(*s - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

/* Understands an option's value. */
static int take_value(const struct cli_option *o, struct cli_given *g,
                      struct err *e)
{
    AUTO_BUF struct buf what = buf_init(80);
    buf_printf(&what, "--%s", o->name);
    int64_t seconds = 0;
    bool ok = true;
    const char *form = "";
    switch (o->value) {
    case CLI_WORD:
        return take_word(buf_cstr(&what), g->text, o->words, &g->number, e);
    case CLI_SIZE:
        ok = units_parse_size(g->text, &g->number);
        form = "a size such as 512K, 4M or 1G";
        break;
    case CLI_DURATION:
        ok = units_parse_duration(g->text, &seconds) && seconds >= 0;
        g->number = (uint64_t)seconds;
        form = "a duration such as 30s, 15m or 12h";
        break;
    case CLI_NUMBER:
        ok = parse_number(g->text, &g->number);
        form = "a number";
        break;
    case CLI_FLAG:
    case CLI_COUNT:
        return 0;
    case CLI_TEXT:
    case CLI_PATH:
    case CLI_FOLDER:
    case CLI_REPO:
    case CLI_KMS:
    case CLI_ENCRYPT:
    case CLI_SOURCE:
    case CLI_JOB:
        if (g->text[0] == '\0')
            return err_set(e, ERR_USAGE, 0, "--%s: the value is empty",
                           o->name);
        return 0;
    }
    if (!ok)
        return err_set(e, ERR_USAGE, 0, "--%s \"%.60s\": is not %s", o->name,
                       g->text, form);
    if (o->max != 0 && (g->number < o->min || g->number > o->max))
        return err_set(e, ERR_USAGE, 0, "--%s %.60s: out of range", o->name,
                       g->text);
    return 0;
}

/* Keeps the text of one time that the option was given. */
static int keep_all(struct cli_given *g, const char *text, struct err *e)
{
    const char **all = reallocarray(g->all, (size_t)g->times + 1, sizeof *all);
    if (all == NULL)
        return err_nomem(e);
    g->all = all;
    g->all[g->times] = text;
    return 0;
}

static int note(struct cli_call *call, enum cli_opt opt, const char *text,
                struct err *e)
{
    const struct cli_option *o = cli_option(opt);
    struct cli_given *g = &call->opt[opt];
    if (o->many && keep_all(g, text, e) < 0)
        return -1;
    if (g->times > 0 && !o->many && o->value != CLI_COUNT &&
        o->value != CLI_FLAG)
        return err_set(e, ERR_USAGE, 0, "--%s is given twice", o->name);
    g->times++;
    g->text = text;
    return text != NULL ? take_value(o, g, e) : 0;
}

/* "--name", "--name=value" or "--name value"; *at is moved past the value. */
static int take_long(struct cli_call *call, int argc, char *const *argv,
                     int *at, struct err *e)
{
    const char *name = argv[*at] + 2;
    size_t len = strcspn(name, "=");
    enum cli_opt opt = find_option(call->command, name, len);
    if (opt == CLI_OPTS)
        return unknown_option(call, name, len, e);
    const struct cli_option *o = cli_option(opt);
    bool flag = o->value == CLI_FLAG || o->value == CLI_COUNT;
    if (flag && name[len] == '=')
        return err_set(e, ERR_USAGE, 0, "--%s takes no value", o->name);
    if (flag)
        return note(call, opt, NULL, e);
    if (name[len] == '=')
        return note(call, opt, name + len + 1, e);
    if (*at + 1 >= argc) {
        (void)err_set(e, ERR_USAGE, 0, "--%s: its %s is missing", o->name,
                      o->metavar);
        return hint(call, "", NULL, e);
    }
    (*at)++;
    return note(call, opt, argv[*at], e);
}

/* One or more letters; none of them takes a value. */
static int take_letters(struct cli_call *call, const char *letters,
                        struct err *e)
{
    for (; *letters != '\0'; letters++) {
        unsigned i = 0;
        while (i < CLI_OPT_GLOBALS && cli_option(i)->letter != *letters)
            i++;
        if (i == CLI_OPT_GLOBALS) {
            (void)err_set(e, ERR_USAGE, 0, "unknown option -%c",
                          *letters > 0x20 && *letters < 0x7f ? *letters : '?');
            return hint(call, "", NULL, e);
        }
        if (note(call, (enum cli_opt)i, NULL, e) < 0)
            return -1;
    }
    return 0;
}

static int unknown_noun(const struct cli_call *call, const char *word,
                        struct err *e)
{
    const char *names[32];
    size_t n = 0;
    while (n < cli_n_nouns && n < sizeof names / sizeof names[0]) {
        names[n] = cli_nouns[n].name;
        n++;
    }
    (void)err_set(e, ERR_USAGE, 0, "unknown command \"%.60s\"", word);
    return hint(call, "", cli_nearest(word, names, n), e);
}

static int unknown_verb(const struct cli_call *call, const char *word,
                        struct err *e)
{
    const char *names[32];
    size_t n = 0;
    for (size_t i = 0; i < cli_command_count(); i++)
        if (strcmp(cli_command_at(i)->noun, call->noun) == 0 &&
            n < sizeof names / sizeof names[0])
            names[n++] = cli_command_at(i)->verb;
    (void)err_set(e, ERR_USAGE, 0, "unknown command \"%s %.60s\"", call->noun,
                  word);
    return hint(call, "", cli_nearest(word, names, n), e);
}

/* A word that is no option: noun, verb or argument. */
static int take_plain(struct cli_call *call, const char *word, struct err *e)
{
    if (call->command != NULL) {
        call->args[call->n_args++] = word;
        return 0;
    }
    if (call->noun == NULL) {
        if (!cli_noun_known(word))
            return unknown_noun(call, word, e);
        call->noun = word;
        call->command = cli_command_find(word, NULL);
        return 0;
    }
    call->command = cli_command_find(call->noun, word);
    if (call->command == NULL)
        return unknown_verb(call, word, e);
    call->verb = word;
    return 0;
}

static int check_args(const struct cli_call *call, struct err *e)
{
    const struct cli_command *c = call->command;
    size_t n = cli_args_count(c);
    bool many = n > 0 && c->args[n - 1].many;
    for (size_t i = call->n_args; i < n; i++)
        if (!c->args[i].optional) {
            (void)err_set(e, ERR_USAGE, 0, "%s is missing", c->args[i].name);
            return hint(call, "", NULL, e);
        }
    if (call->n_args > n && !many) {
        (void)err_set(e, ERR_USAGE, 0, "unexpected argument \"%.60s\"",
                      call->args[n]);
        return hint(call, "", NULL, e);
    }
    for (size_t i = 0; i < call->n_args; i++) {
        const struct cli_arg *a = &c->args[i < n ? i : n - 1];
        uint64_t ignored = 0;
        const char *word = call->args[i];
        if (word == NULL || word[0] == '\0')
            return err_set(e, ERR_USAGE, 0, "%s is empty", a->name);
        if (a->value == CLI_WORD &&
            take_word(a->name, word, a->words, &ignored, e) < 0)
            return -1;
    }
    return 0;
}

/* What a complete call must have. */
static int check_call(const struct cli_call *call, struct err *e)
{
    if (call->opt[CLI_OPT_HELP].times > 0 || call->opt[CLI_OPT_VERSION].times)
        return 0;
    if (call->command == NULL) {
        if (call->noun == NULL)
            (void)err_set(e, ERR_USAGE, 0, "no command is given");
        else
            (void)err_set(e, ERR_USAGE, 0, "%s: say what to do", call->noun);
        return hint(call, "", NULL, e);
    }
    for (size_t i = 0; i < call->command->n_uses; i++) {
        const struct cli_use *u = &call->command->uses[i];
        if (u->required && call->opt[u->opt].times == 0) {
            (void)err_set(e, ERR_USAGE, 0, "--%s %s is missing",
                          cli_option(u->opt)->name,
                          cli_option(u->opt)->metavar);
            return hint(call, "", NULL, e);
        }
    }
    return check_args(call, e);
}

/* How an error is shown is asked for on the very line that is wrong. */
static void scan_output_flags(int argc, char *const *argv,
                              struct cli_call *call)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            call->opt[CLI_OPT_JSON].times = 1;
        if (strcmp(argv[i], "--quiet") == 0)
            call->opt[CLI_OPT_QUIET].times = 1;
    }
}

static int parse_words(int argc, char *const *argv, struct cli_call *call,
                       struct err *e)
{
    bool options = true;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        int r = 0;
        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (options && word[0] == '-' && word[1] == '-')
            r = take_long(call, argc, argv, &i, e);
        else if (options && word[0] == '-' && word[1] != '\0')
            r = take_letters(call, word + 1, e);
        else
            r = take_plain(call, word, e);
        if (r < 0)
            return -1;
    }
    return check_call(call, e);
}

int cli_parse(int argc, char *const *argv, struct cli_call *out, struct err *e)
{
    *out = (struct cli_call){ 0 };
    out->args = calloc((size_t)argc + 1, sizeof *out->args);
    if (out->args == NULL)
        return err_nomem(e);
    if (parse_words(argc, argv, out, e) == 0)
        return 0;
    scan_output_flags(argc, argv, out);
    return -1;
}

void cli_call_fini(struct cli_call *call)
{
    for (unsigned i = 0; i < CLI_OPTS; i++)
        free(call->opt[i].all);
    free(call->args);
    *call = (struct cli_call){ 0 };
}
