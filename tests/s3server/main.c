// SPDX-License-Identifier: Apache-2.0
/*
 * The server as a program, for scenarios.  It prints its endpoint, obeys lines
 * on stdin, answers each by one line on stdout, and ends with stdin.
 *
 *   bucket NAME [versions|lock]     makes a bucket
 *   rule FIELD=VALUE...             adds a rule: op, key, skip, times, chance,
 *                                   act (reply, lose-answer, ...), status,
 *                                   code, header (Name:value), ms, at
 *   clear                           drops all rules
 *   keys KEY SECRET [TOKEN]         accepts these from now on
 *   clock SECONDS                   its clock minus the real one
 *   counts                          connections, requests, puts, refused
 *   requests OPERATION              how many there were
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/s3server/s3server.h"

#define RULES 32
#define WORDS 16

static const char *const acts[] = {
    [S3SERVER_REPLY] = "reply",
    [S3SERVER_REPLY_AFTER] = "reply-after",
    [S3SERVER_DELAY] = "delay",
    [S3SERVER_RESET_ACCEPT] = "reset-accept",
    [S3SERVER_RESET_HEAD] = "reset-head",
    [S3SERVER_RESET_UPLOAD] = "reset-upload",
    [S3SERVER_RESET_BEFORE] = "reset-before",
    [S3SERVER_LOSE_ANSWER] = "lose-answer",
    [S3SERVER_CLOSE_ANSWER] = "close-answer",
    [S3SERVER_RESET_ANSWER_HEAD] = "reset-answer-head",
    [S3SERVER_RESET_ANSWER_BODY] = "reset-answer-body",
    [S3SERVER_CUT_ANSWER] = "cut-answer",
    [S3SERVER_STALL_ANSWER] = "stall-answer",
    [S3SERVER_STALL_BODY] = "stall-body",
    [S3SERVER_OVERLONG] = "overlong",
    [S3SERVER_NO_LENGTH] = "no-length",
    [S3SERVER_NO_LENGTH_CUT] = "no-length-cut",
    [S3SERVER_WRONG_ETAG] = "wrong-etag",
    [S3SERVER_TWICE] = "twice",
    [S3SERVER_FLIP_ANSWER] = "flip-answer",
    [S3SERVER_FLIP_REQUEST] = "flip-request",
    [S3SERVER_SKEW_DATE] = "skew-date",
    [S3SERVER_NOT_HTTP] = "not-http",
};

/* Rules borrow their texts: the lines that brought them stay. */
static struct {
    struct s3server_rule rules[RULES];
    size_t n;
} script;

static _Noreturn void die(const char *what, const char *text)
{
    fprintf(stderr, "s3server: %s: %s\n", what, text);
    exit(2);
}

static void set_act(struct s3server_rule *r, const char *name)
{
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (strcmp(acts[i], name) == 0) {
            r->act = (enum s3server_act)i;
            return;
        }
    }
    die("no such act", name);
}

static char *with_line_end(const char *header)
{
    size_t n = strlen(header);
    char *line = malloc(n + 3);

    if (line == NULL)
        die("no memory", header);
    memcpy(line, header, n);
    memcpy(line + n, "\r\n", 3);
    return line;
}

static void set_field(struct s3server_rule *r, const char *name,
                      const char *value)
{
    unsigned number = (unsigned)strtoul(value, NULL, 10);

    if (strcmp(name, "op") == 0)
        r->op = value;
    else if (strcmp(name, "key") == 0)
        r->key = value;
    else if (strcmp(name, "skip") == 0)
        r->skip = number;
    else if (strcmp(name, "times") == 0)
        r->times = number;
    else if (strcmp(name, "chance") == 0)
        r->chance = number;
    else if (strcmp(name, "act") == 0)
        set_act(r, value);
    else if (strcmp(name, "status") == 0)
        r->status = (int)number;
    else if (strcmp(name, "code") == 0)
        r->code = value;
    else if (strcmp(name, "header") == 0)
        r->headers = with_line_end(value);
    else if (strcmp(name, "ms") == 0)
        r->ms = number;
    else if (strcmp(name, "at") == 0)
        r->at = number;
    else
        die("no such field", name);
}

static void add_rule(struct s3server *s, char **words, size_t n)
{
    struct s3server_rule *r = &script.rules[script.n];

    if (script.n == RULES)
        die("too many rules", words[0]);
    *r = (struct s3server_rule){ 0 };
    for (size_t i = 0; i < n; i++) {
        char *equals = strchr(words[i], '=');
        if (equals == NULL)
            die("no field", words[i]);
        *equals = '\0';
        set_field(r, words[i], equals + 1);
    }
    script.n++;
    s3server_script(s, script.rules, script.n);
}

static void add_bucket(struct s3server *s, char **words, size_t n)
{
    const char *kind = n > 1 ? words[1] : "";

    s3server_bucket(s, words[0],
                    strcmp(kind, "versions") == 0 ? S3SERVER_ENABLED
                                                  : S3SERVER_NEVER,
                    strcmp(kind, "lock") == 0);
}

static void print_counts(struct s3server *s)
{
    struct s3server_counts c;

    s3server_counts(s, &c);
    printf("connections=%llu requests=%llu puts=%llu refused=%llu peak=%u\n",
           (unsigned long long)c.connections, (unsigned long long)c.requests,
           (unsigned long long)c.puts, (unsigned long long)c.refused, c.peak);
}

static void obey(struct s3server *s, char **words, size_t n)
{
    const char *verb = words[0];

    if (strcmp(verb, "counts") == 0) {
        print_counts(s);
        return;
    }
    if (strcmp(verb, "requests") == 0 && n == 2) {
        printf("%llu\n", (unsigned long long)s3server_requests(s, words[1]));
        return;
    }
    if (strcmp(verb, "rule") == 0 && n > 1) {
        add_rule(s, words + 1, n - 1);
    } else if (strcmp(verb, "clear") == 0) {
        script.n = 0;
        s3server_script(s, NULL, 0);
    } else if (strcmp(verb, "bucket") == 0 && n > 1) {
        add_bucket(s, words + 1, n - 1);
    } else if (strcmp(verb, "keys") == 0 && n > 2) {
        s3server_set_keys(s, words[1], words[2], n > 3 ? words[3] : NULL);
    } else if (strcmp(verb, "clock") == 0 && n == 2) {
        s3server_set_clock(s, strtoll(words[1], NULL, 10));
    } else {
        die("what is that", verb);
    }
    printf("ok\n");
}

int main(int argc, char **argv)
{
    const struct s3server_opts o = {
        .region = argc > 1 ? argv[1] : NULL,
        .domain = argc > 2 ? argv[2] : NULL,
    };
    AUTO_S3SERVER struct s3server *s = s3server_start(&o);
    char *line = NULL;
    size_t cap = 0;

    printf("%s\n", s3server_endpoint(s));
    fflush(stdout);
    while (getline(&line, &cap, stdin) > 0) {
        char *words[WORDS];
        size_t n = 0;
        char *rest = NULL;
        for (char *w = strtok_r(line, " \n", &rest); w != NULL && n < WORDS;
             w = strtok_r(NULL, " \n", &rest))
            words[n++] = w;
        if (n > 0)
            obey(s, words, n);
        fflush(stdout);
        /* What rules borrow stays for the life of the program. */
        if (n > 0 && strcmp(words[0], "rule") == 0) {
            line = NULL;
            cap = 0;
        }
    }
    free(line);
    return 0;
}
