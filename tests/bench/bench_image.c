// SPDX-License-Identifier: Apache-2.0
//
// Makes the disk that the benchmark backs up, and changes it.
//
//   bench_image make FILE MIB SEED HOLES
//       A file of MIB mebibytes, HOLES percent of it holes.  Of every seven
//       parts of data, four are noise and three are text that zstd shrinks
//       to about a third (-1: 2.9, -3: 3.3): lines of a log.  The
//       kinds alternate in extents of 1 to 16 MiB, aligned to 64 KiB.
//   bench_image change FILE MIB SEED HOLES PERMILLE GENERATION
//       Writes PERMILLE thousandths of the disk's data anew, in scattered
//       regions of 64 KiB; what was noise stays noise.
//
// Every region is a function of SEED, its number and its generation: the same
// arguments make the same bytes.
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REGION ((size_t)64 << 10)
#define PER_MIB ((1 << 20) / REGION)
#define WORDS 4096
#define WORD_MAX 12
#define LINE_MAX_SIZE 256
#define OWN_PERCENT 25

enum kind { HOLE, NOISE, TEXT, KINDS };

struct disk {
    uint64_t seed;
    size_t regions;
    unsigned char *kinds; /* one enum kind for each region */
};

static char words[WORDS][WORD_MAX + 1];

/* splitmix64 (Steele, Lea, Flood 2014): any start gives a good sequence. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t *state, uint64_t limit)
{
    return (next(state) >> 32) * limit >> 32;
}

/* Which kind an extent has, by what is still to be given out of each. */
static enum kind pick(uint64_t *state, const size_t left[KINDS])
{
    uint64_t at = below(state, left[HOLE] + left[NOISE] + left[TEXT]);
    enum kind kind = HOLE;
    while (at >= left[kind])
        at -= left[kind++];
    return kind;
}

static struct disk plan(size_t mib, uint64_t seed, size_t holes)
{
    struct disk d = { .seed = seed, .regions = mib * PER_MIB };
    d.kinds = malloc(d.regions);
    if (d.kinds == NULL)
        err(1, "malloc");
    size_t left[KINDS] = { [HOLE] = d.regions * holes / 100 };
    left[NOISE] = (d.regions - left[HOLE]) * 4 / 7;
    left[TEXT] = d.regions - left[HOLE] - left[NOISE];
    uint64_t state = seed;
    for (size_t at = 0; at < d.regions;) {
        enum kind kind = pick(&state, left);
        size_t n = (1 + below(&state, 16)) * PER_MIB - below(&state, PER_MIB);
        if (n > left[kind])
            n = left[kind];
        memset(d.kinds + at, (int)kind, n);
        left[kind] -= n;
        at += n;
    }
    return d;
}

/* The vocabulary: always the same, short words more often than long ones. */
static void make_words(void)
{
    uint64_t state = 1;
    for (size_t i = 0; i < WORDS; i++) {
        size_t n = 3 + below(&state, WORD_MAX - 4) * below(&state, 4) / 3;
        for (size_t c = 0; c < n; c++)
            words[i][c] = "etaoinsrhldcumfpgwybvk"[below(&state, 22)];
        words[i][n] = '\0';
    }
}

static void make_noise(uint64_t state, unsigned char *to)
{
    for (size_t at = 0; at < REGION; at += sizeof(uint64_t)) {
        uint64_t v = next(&state);
        memcpy(to + at, &v, sizeof(v));
    }
}

/* Appends a word, or as many digits as say `value`. */
static size_t put_word(char *to, size_t word)
{
    memcpy(to, words[word], WORD_MAX);
    return strlen(words[word]);
}

static size_t put_digits(char *to, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return (size_t)digits;
}

/* One line of a log into `to`, LINE_MAX_SIZE at most: when, who, then one of
 * 200 messages with some words of its own in it. */
static size_t make_line(uint64_t *state, uint64_t ms, char *to)
{
    size_t used = put_digits(to, ms, 10);
    to[used++] = ' ';
    used += put_word(to + used, below(state, 20));
    uint64_t message = below(state, 200);
    for (size_t w = 0; w < 6 + message % 8; w++) {
        bool own = below(state, 100) < OWN_PERCENT;
        to[used++] = ' ';
        used += put_word(to + used, own ? below(state, WORDS)
                                        : (message * 14 + w) * 31 % WORDS);
    }
    to[used++] = '\n';
    return used;
}

static void make_text(uint64_t state, unsigned char *to)
{
    char line[LINE_MAX_SIZE];
    uint64_t ms = below(&state, UINT32_MAX);
    for (size_t at = 0; at < REGION;) {
        size_t n = make_line(&state, ms += below(&state, 2000), line);
        if (n > REGION - at)
            n = REGION - at;
        memcpy(to + at, line, n);
        at += n;
    }
}

static void write_region(int fd, const struct disk *d, size_t i,
                         uint64_t generation)
{
    static unsigned char region[REGION];
    uint64_t state = d->seed ^ (uint64_t)i << 24 ^ generation << 56;
    (void)next(&state);
    if (d->kinds[i] == NOISE)
        make_noise(next(&state), region);
    else
        make_text(next(&state), region);
    if (pwrite(fd, region, REGION, (off_t)(i * REGION)) != (ssize_t)REGION)
        err(1, "write");
}

static void make(int fd, const struct disk *d)
{
    if (ftruncate(fd, 0) != 0 || ftruncate(fd, (off_t)(d->regions * REGION)))
        err(1, "truncate");
    for (size_t i = 0; i < d->regions; i++) {
        if (d->kinds[i] != HOLE)
            write_region(fd, d, i, 0);
    }
}

/* Chooses each region with the chance that makes exactly `todo` of them. */
static void change(int fd, const struct disk *d, uint64_t permille,
                   uint64_t generation)
{
    uint64_t left = 0;
    for (size_t i = 0; i < d->regions; i++)
        left += d->kinds[i] != HOLE;
    uint64_t todo = left * permille / 1000;
    uint64_t state = d->seed + generation;
    for (size_t i = 0; i < d->regions; i++) {
        if (d->kinds[i] == HOLE)
            continue;
        if (below(&state, left--) < todo) {
            write_region(fd, d, i, generation);
            todo--;
        }
    }
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t v = strtoull(text, &end, 10);
    if (*text == '\0' || *end != '\0')
        errx(2, "'%s' is not a number", text);
    return v;
}

int main(int argc, char **argv)
{
    bool making = argc == 6 && strcmp(argv[1], "make") == 0;
    if (!making && (argc != 8 || strcmp(argv[1], "change") != 0))
        errx(2, "usage: bench_image make FILE MIB SEED HOLES | change FILE MIB "
                "SEED HOLES PERMILLE GENERATION");
    uint64_t holes = number(argv[5]);
    if (holes > 100)
        errx(2, "%s percent of holes are too many", argv[5]);
    struct disk d = plan((size_t)number(argv[3]), number(argv[4]), holes);
    int fd = open(argv[2], making ? O_WRONLY | O_CREAT : O_WRONLY, 0600);
    if (fd < 0)
        err(1, "%s", argv[2]);
    make_words();
    if (making)
        make(fd, &d);
    else
        change(fd, &d, number(argv[6]), number(argv[7]));
    free(d.kinds);
    if (close(fd) != 0)
        err(1, "%s", argv[2]);
    return 0;
}
